// SPDX-License-Identifier: GPL-2.0

//! Workers for each cgroup, so that one whose I/O is throttled does not hold up the others.
//!
//! A cgroup whose requests need workers has a lane of four sides. On each a limited number of workers
//! serve one request after the other. A lane without requests is anybody's, so that nothing is
//! allocated or has to be freed.
//!
//! Workers are the device's. A work item of the request could still be with the worker that served
//! the request before, with the same tag, and the workqueue would not start it until that one returns.

use crate::io::cmd::{
    fail_late,
    Host,
    SideOfLane, //
};
use core::array;
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        rcu,
        Arc, //
    }, //
};
use kernel_ext::{
    block::mq::{
        InFlight,
        Op,
        Request,
        RequestList, //
    },
    cgroup::Group,
    new_irq_lock,
    sync::IrqLock,
    workqueue::{
        Priority,
        Workqueue, //
    }, //
};

/// Cgroups that can be busy at once before two share a lane.
const LANES: usize = 7;

/// The sides of a lane, and how many workers serve each at once, at most.
const WIDTH: [u32; 4] = [14, 1, 1, 1];

/// It keeps a disk busy with reads through the page cache.
const WIDE: usize = 0;

/// For cached writes, which take the lock of the backing file one after the other: more workers
/// would only fight.
const NARROW: usize = 1;

/// For direct I/O, which a worker only begins. It comes before other tasks, as kblockd does: they
/// would only bring more to wait for it. (ext4 refuses all writes that are not to wait from each timer
/// tick on, until one has waited.)
const URGENT: usize = 2;

/// For direct I/O while too many workers are urgent.
const DIRECT: usize = 3;

/// Sides of all lanes. Each has a worker of its own, which has its number.
const SIDES: usize = WIDTH.len() * LANES;

/// Workers beside those: for a lane at its widest, and one for others. All fit into half a page.
const SPARE: usize = 14;

/// Workers of a device.
pub(crate) const WORKERS: usize = SIDES + SPARE;

/// Workers of all devices that are urgent at once, about. A workqueue runs twice as many.
const MOST_URGENT: i32 = 512;

/// The workqueue of all devices for workers that come before other tasks. They may have to wait, for a
/// file system that is frozen, but those of other devices must not have to wait for them.
pub(crate) struct Urgent {
    wq: Workqueue,
    workers: Atomic<i32>,
}

impl Urgent {
    /// Sleeps. Fails with ENOMEM.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            wq: Workqueue::new(fmt!("rloop_urgent"), Priority::High)?,
            workers: Atomic::new(0),
        })
    }

    fn has_room(&self) -> bool {
        self.workers.load(Relaxed) < MOST_URGENT
    }

    /// The queue for one more worker.
    fn enter(&self) -> &Workqueue {
        self.workers.add(1, Relaxed);
        &self.wq
    }

    /// A worker is done.
    fn leave(&self) {
        self.workers.add(-1, Relaxed);
    }
}

struct Side<T: Host> {
    /// Its own worker is at work. It is the first to start and may be the last to go.
    own: bool,
    /// So many others are.
    spare: u32,
    /// Empty unless there is a worker.
    waiting: RequestList<T>,
}

impl<T: Host> Side<T> {
    fn is_idle(&self) -> bool {
        !self.own && self.spare == 0
    }
}

impl<T: Host> Default for Side<T> {
    fn default() -> Self {
        Self {
            own: false,
            spare: 0,
            waiting: RequestList::default(),
        }
    }
}

struct State<T: Host> {
    /// Whose each lane is.
    groups: [Group; LANES],
    sides: [Side<T>; SIDES],
    /// A bit for each spare worker that is at work, and the side that it is with.
    busy: u32,
    places: [u8; SPARE],
}

/// The lanes of a device.
#[pin_data]
pub(crate) struct Lanes<T: Host> {
    #[pin]
    state: IrqLock<State<T>>,
}

/// A device that has lanes.
pub(crate) trait Laned: Host {
    fn lanes(&self) -> &Lanes<Self>;

    fn urgent(&self) -> &Urgent;

    /// Has a worker of the device called. Any context.
    fn start_worker(this: &Arc<Self>, number: usize, wq: &Workqueue);
}

impl<T: Laned> Lanes<T> {
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- new_irq_lock!(
                State {
                    groups: [Group::ROOT; LANES],
                    sides: array::from_fn(|_| Side::default()),
                    busy: 0,
                    places: [0; SPARE],
                },
                "rloop_lanes"
            ),
        })
    }

    /// A request needs a worker. Any context.
    pub(crate) fn enter(mut rq: Request<T>) {
        if rq.published().is_none() {
            return fail_late(rq);
        }
        // From where the lock is given back, the request may end and its disk be deleted. The disk keeps
        // the device for a grace period, so that its last reference is not dropped here.
        let _rcu = rcu::read_lock();
        let device = rq.device_ref();
        device.lanes().state.with(|state| {
            let number = match rq.data().lane {
                Some(SideOfLane(number)) => usize::from(number),
                None => state.choose(Group::of(&rq), side_of(&rq, device.urgent())),
            };
            if let Some(worker) = state.hire(number) {
                let wq = match number % WIDTH.len() {
                    URGENT => device.urgent().enter(),
                    _ => device.wq(),
                };
                T::start_worker(&device, worker, wq);
            }
            rq.data_mut().lane = Some(SideOfLane(number as u8));
            state.sides[number].waiting.push(rq);
        });
    }

    /// The next request for a worker, which is done if there is none.
    pub(crate) fn next(device: &T, worker: usize) -> Option<Request<T>> {
        device.lanes().state.with(|state| {
            let spare = worker.checked_sub(SIDES);
            let number = spare.map_or(worker, |n| usize::from(state.places[n]));
            let side = &mut state.sides[number];
            let next = side.waiting.pop();
            match spare {
                _ if next.is_some() => (),
                None => {
                    side.own = false;
                    if number % WIDTH.len() == URGENT {
                        device.urgent().leave();
                    }
                }
                Some(n) => {
                    side.spare -= 1;
                    state.busy &= !(1 << n);
                }
            }
            next
        })
    }
}

/// The side of its lane that a request takes.
fn side_of<T: Host>(rq: &InFlight<T>, urgent: &Urgent) -> usize {
    match rq.op() {
        Op::Read | Op::Write if rq.data().direct && urgent.has_room() => URGENT,
        Op::Read | Op::Write if rq.data().direct => DIRECT,
        Op::Write => NARROW,
        _ => WIDE,
    }
}

impl<T: Host> State<T> {
    /// The side of a lane for a request: the lane of its cgroup, or an idle one, or one that it
    /// shares.
    fn choose(&mut self, group: Group, side: usize) -> usize {
        let first = |lane: usize| WIDTH.len() * lane;
        let idle = |lane: usize| {
            self.sides[first(lane)..first(lane + 1)]
                .iter()
                .all(Side::is_idle)
        };
        let lane = self
            .groups
            .iter()
            .position(|owner| *owner == group)
            .or_else(|| (0..LANES).find(|lane| idle(*lane)))
            .unwrap_or(group.hash() % LANES);
        if idle(lane) {
            self.groups[lane] = group;
        }
        first(lane) + side
    }

    /// A worker for a side that may have one more.
    fn hire(&mut self, number: usize) -> Option<usize> {
        let side = &mut self.sides[number];
        if u32::from(side.own) + side.spare >= WIDTH[number % WIDTH.len()] {
            return None;
        }
        if !side.own {
            side.own = true;
            return Some(number);
        }
        let n = (!self.busy).trailing_zeros() as usize;
        if n >= SPARE {
            return None;
        }
        self.busy |= 1 << n;
        self.places[n] = number as u8;
        side.spare += 1;
        Some(SIDES + n)
    }
}
