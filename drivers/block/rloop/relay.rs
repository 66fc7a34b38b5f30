// SPDX-License-Identifier: GPL-2.0

//! Batches of a submitter that another CPU serves.
//!
//! A task that has nothing to do but to submit I/O, with CPUs idle beside it, gets on faster if one
//! of them does the part below the device. It has a worker that takes over batch after batch for as
//! long as there are some, so that waking it up costs little.

use crate::{
    lanes::{self, Laned},
    request::Host,
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        SpinLock,
    },
};
use kernel_ext::{
    block::mq::{Batch, InFlight, RequestList},
    cpu,
};

/// Batches smaller than this are not worth a worker.
const WORTH: u16 = 4;

/// But for requests of so many bytes, which come out of a plug one by one: to move them is most of
/// the work, so the worker and the submitter each take some.
const LARGE: u32 = 64 << 10;

/// How often it is decided anew, in milliseconds.
const WINDOW: u64 = 40;

/// After so many windows it is looked again whether there are idle CPUs.
const TURNS: u32 = 25;

/// Batches of other tasks in a window that do not make it a device of several.
const STRANGERS: u32 = 8;

struct State<T: Host> {
    /// A worker is busy, and will look here again.
    running: bool,
    waiting: RequestList<T>,
}

/// The batches of a device on their way to the worker.
#[pin_data]
pub(crate) struct Relay<T: Host> {
    #[pin]
    state: SpinLock<State<T>>,
    pace: Pace,
}

/// The number of the worker.
pub(crate) const WORKER: usize = lanes::WORKERS;

/// A device that has one.
pub(crate) trait Relayed: Laned {
    fn relay_of(&self) -> &Relay<Self>;
}

impl<T: Host> Relay<T> {
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- new_spinlock!(
                State {
                    running: false,
                    waiting: RequestList::default(),
                },
                "rloop_relay"
            ),
            pace: Pace::new(),
        })
    }

    /// Whether the current task should leave a batch to the worker. Does not sleep.
    pub(crate) fn wants(&self, batch: &Batch<'_, T>) -> bool {
        if batch.len() >= WORTH {
            return self.pace.note_batch();
        }
        batch.goes_on()
            && batch.first().bytes() >= LARGE
            && self.pace.note_batch()
            && !self.state.lock().running
    }

    /// Takes a batch, and calls `start` for the worker, with its first request, unless that is busy.
    pub(crate) fn pass(&self, batch: RequestList<T>, start: impl FnOnce(&InFlight<T>)) {
        let mut state = self.state.lock();
        if let (false, Some(first)) = (state.running, batch.front()) {
            start(first);
            state.running = true;
        }
        state.waiting.append(batch);
    }

    /// What the worker has to do next; it is done if there is nothing.
    pub(crate) fn next(&self) -> Option<RequestList<T>> {
        let mut state = self.state.lock();
        state.running = !state.waiting.is_empty();
        state.running.then(|| core::mem::take(&mut state.waiting))
    }
}

/// How a device is used, window by window. Races between submitters make it less exact, no more.
struct Pace {
    relays: Atomic<bool>,
    /// When this window began, in jiffies.
    since: Atomic<usize>,
    /// Who brought the last batch, and how often it was another.
    task: Atomic<usize>,
    strangers: Atomic<u32>,
    /// What the task had run and the CPUs had idled when the window began, in nanoseconds.
    ran: Atomic<u64>,
    idled: Atomic<u64>,
    turns: Atomic<u32>,
}

impl Pace {
    const fn new() -> Self {
        Self {
            relays: Atomic::new(false),
            since: Atomic::new(0),
            task: Atomic::new(0),
            strangers: Atomic::new(0),
            ran: Atomic::new(0),
            idled: Atomic::new(0),
            turns: Atomic::new(0),
        }
    }

    /// The current task has brought a batch. Whether a worker should serve it.
    fn note_batch(&self) -> bool {
        let task = cpu::current();
        if self.task.load(Relaxed) != task {
            self.task.store(task, Relaxed);
            self.strangers
                .store(self.strangers.load(Relaxed) + 1, Relaxed);
        }
        let now = cpu::jiffies();
        let elapsed = cpu::nanoseconds(now.wrapping_sub(self.since.load(Relaxed)));
        if elapsed >= WINDOW * 1_000_000 {
            self.since.store(now, Relaxed);
            self.judge(elapsed);
        }
        self.relays.load(Relaxed)
    }

    fn judge(&self, elapsed: u64) {
        let (ran, idled) = (cpu::current_runtime(), cpu::all_idle());
        let busy = ran.wrapping_sub(self.ran.load(Relaxed));
        let idle = idled.wrapping_sub(self.idled.load(Relaxed));
        let alone = self.strangers.load(Relaxed) <= STRANGERS;
        let steady = elapsed < 2 * WINDOW * 1_000_000;
        let turns = self.turns.load(Relaxed);

        let relays = alone
            && steady
            && if self.relays.load(Relaxed) {
                turns < TURNS
            } else {
                // (More than it can have run: it is another task.)
                busy <= 2 * elapsed && busy >= elapsed / 4 * 3 && idle >= elapsed / 2
            };
        self.ran.store(ran, Relaxed);
        self.idled.store(idled, Relaxed);
        self.strangers.store(0, Relaxed);
        self.turns
            .store(if relays { turns + 1 } else { 0 }, Relaxed);
        self.relays.store(relays, Relaxed);
    }
}
