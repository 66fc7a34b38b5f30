// SPDX-License-Identifier: GPL-2.0

//! Distribution of requests to the workers of a device, by cgroup and by class of I/O.
//!
//! Each cgroup whose requests need workers has a slot of its own, so that a cgroup whose I/O is
//! throttled does not delay the others. A slot has a pool for each class of I/O, and each pool has
//! a limit of workers, of which every one serves one request after the other. Any cgroup may take
//! an idle slot, so slots are never allocated or freed.
//!
//! A request has no work item of its own: the worker that served the previous request with the same
//! tag may not have returned yet, and the workqueue would not start the item until it has.

use super::cmd::{
    Cmd,
    PoolIndex, //
};
use core::array;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};
use kernel_ext::{
    block::mq::{
        InFlight,
        Op,
        Operations,
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

/// Cgroups that can be busy at once before two share a slot.
const SLOTS: usize = 7;

/// The classes of I/O, each with a pool in every slot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PoolClass {
    /// Cached reads, and requests without data.
    Buffered,
    /// Cached writes, and whatever changes a pinned file.
    BufferedWrite,
    /// Direct I/O, from the shared high-priority workqueue. ext4 refuses every nowait write from a
    /// timer tick until a write that may wait has updated the inode's timestamp, so this worker
    /// must not queue behind tasks that only submit more of them.
    DirectHighpri,
    /// Direct I/O while too many workers have high priority.
    Direct,
}

const CLASSES: [PoolClass; 4] = [
    PoolClass::Buffered,
    PoolClass::BufferedWrite,
    PoolClass::DirectHighpri,
    PoolClass::Direct,
];

impl PoolClass {
    /// How many workers may serve a pool of this class at once.
    const fn max_workers(self) -> u32 {
        match self {
            // Keeps a disk busy with reads through the page cache.
            PoolClass::Buffered => 14,
            // More workers would only contend for the inode lock.
            PoolClass::BufferedWrite => 1,
            // A worker only submits direct I/O, and does not wait for it.
            PoolClass::DirectHighpri | PoolClass::Direct => 1,
        }
    }

    /// The class of a request, of a pinned file or not. Any context.
    pub(super) fn of<T>(rq: &InFlight<T>, pinned: bool, highpri: &HighpriWorkers) -> Self
    where
        T: Operations<RequestData = Cmd>,
    {
        match rq.op() {
            // These may have to wait for a frozen file system, which reads must not.
            op if pinned && op.is_write() => Self::BufferedWrite,
            Op::Read | Op::Write if rq.data().direct && highpri.has_room() => Self::DirectHighpri,
            Op::Read | Op::Write if rq.data().direct => Self::Direct,
            Op::Write => Self::BufferedWrite,
            _ => Self::Buffered,
        }
    }
}

/// Pools of all slots. Each has a worker of its own, with the index of the pool.
const POOLS: usize = CLASSES.len() * SLOTS;

/// Workers beside those, which any pool may claim up to its limit.
const SPARE: usize = 14;

/// Workers of a device.
pub(crate) const WORKERS: usize = POOLS + SPARE;

/// Workers of all devices that may have high priority at once, about. A workqueue runs twice as
/// many.
const MAX_HIGHPRI: i32 = 512;

/// The high-priority workqueue that all devices share. Its workers may have to wait for a frozen
/// file system, so their number is limited: those of other devices must not have to wait for them.
pub(crate) struct HighpriWorkers {
    wq: Workqueue,
    workers: Atomic<i32>,
}

impl HighpriWorkers {
    /// Sleeps. Fails with ENOMEM.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            wq: Workqueue::new(fmt!("rloop_highpri"), Priority::High)?,
            workers: Atomic::new(0),
        })
    }

    fn has_room(&self) -> bool {
        self.workers.load(Relaxed) < MAX_HIGHPRI
    }

    /// Counts one more worker, and returns the queue to start it on.
    pub(super) fn get(&self) -> &Workqueue {
        self.workers.add(1, Relaxed);
        &self.wq
    }

    /// A worker is done.
    fn put(&self) {
        self.workers.add(-1, Relaxed);
    }
}

struct Pool<T: Operations<RequestData = Cmd>> {
    /// The pool's own worker runs. It is the first to start, and may be the last to return.
    own: bool,
    /// How many spare workers run for the pool.
    spare: u32,
    /// Requests that no worker has taken yet; empty if no worker runs.
    waiting: RequestList<T>,
}

impl<T: Operations<RequestData = Cmd>> Pool<T> {
    fn is_idle(&self) -> bool {
        !self.own && self.spare == 0
    }
}

impl<T: Operations<RequestData = Cmd>> Default for Pool<T> {
    fn default() -> Self {
        Self {
            own: false,
            spare: 0,
            waiting: RequestList::default(),
        }
    }
}

struct State<T: Operations<RequestData = Cmd>> {
    /// The cgroup that took each slot last.
    owners: [Group; SLOTS],
    pools: [Pool<T>; POOLS],
    /// A bit for each spare worker that runs, and the pool that it runs for.
    spare_busy: u32,
    spare_pool: [u8; SPARE],
}

/// The slots of a device.
#[pin_data]
pub(crate) struct CgroupSlots<T: Operations<RequestData = Cmd>> {
    #[pin]
    state: IrqLock<State<T>>,
}

impl<T: Operations<RequestData = Cmd>> CgroupSlots<T> {
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- new_irq_lock!(
                State {
                    owners: [Group::ROOT; SLOTS],
                    pools: array::from_fn(|_| Pool::default()),
                    spare_busy: 0,
                    spare_pool: [0; SPARE],
                },
                "rloop_slots"
            ),
        })
    }

    /// Adds a request to a pool of its class in the slot of its cgroup. A request that has been
    /// queued before goes to the same pool again. Returns a worker for the caller to start, with
    /// the class of the pool, unless as many run as may. Any context.
    pub(super) fn enqueue(
        &self,
        mut rq: Request<T>,
        class: PoolClass,
    ) -> Option<(usize, PoolClass)> {
        self.state.with(|state| {
            let index = match rq.data().pool {
                Some(PoolIndex(index)) => usize::from(index),
                None => state.choose(Group::of(&rq), class),
            };
            let worker = state.claim_worker(index);
            rq.data_mut().pool = Some(PoolIndex(index as u8));
            state.pools[index].waiting.push(rq);
            worker.map(|worker| (worker, class_of(index)))
        })
    }

    /// The next request for a worker. If there is none, the worker is no longer counted as running,
    /// and must return.
    pub(super) fn dequeue(&self, worker: usize, highpri: &HighpriWorkers) -> Option<Request<T>> {
        self.state.with(|state| {
            let spare = worker.checked_sub(POOLS);
            let index = spare.map_or(worker, |n| usize::from(state.spare_pool[n]));
            let pool = &mut state.pools[index];
            let next = pool.waiting.pop();
            match spare {
                _ if next.is_some() => (),
                None => {
                    pool.own = false;
                    if class_of(index) == PoolClass::DirectHighpri {
                        highpri.put();
                    }
                }
                Some(n) => {
                    pool.spare -= 1;
                    state.spare_busy &= !(1 << n);
                }
            }
            next
        })
    }
}

/// The pools of a slot stand next to each other, in the order of the classes.
fn class_of(index: usize) -> PoolClass {
    CLASSES[index % CLASSES.len()]
}

impl<T: Operations<RequestData = Cmd>> State<T> {
    /// The pool of a class for a cgroup: in the slot that it owns, else in an idle one, else in one
    /// that it shares.
    fn choose(&mut self, group: Group, class: PoolClass) -> usize {
        let first = |slot: usize| CLASSES.len() * slot;
        let idle = |slot: usize| {
            self.pools[first(slot)..first(slot + 1)]
                .iter()
                .all(Pool::is_idle)
        };
        let slot = self
            .owners
            .iter()
            .position(|owner| *owner == group)
            .or_else(|| (0..SLOTS).find(|slot| idle(*slot)))
            .unwrap_or(group.hash() % SLOTS);
        if idle(slot) {
            self.owners[slot] = group;
        }
        first(slot) + class as usize
    }

    /// Claims a worker for a pool that may have one more.
    fn claim_worker(&mut self, index: usize) -> Option<usize> {
        let pool = &mut self.pools[index];
        if u32::from(pool.own) + pool.spare >= class_of(index).max_workers() {
            return None;
        }
        if !pool.own {
            pool.own = true;
            return Some(index);
        }
        let n = (!self.spare_busy).trailing_zeros() as usize;
        if n >= SPARE {
            return None;
        }
        self.spare_busy |= 1 << n;
        self.spare_pool[n] = index as u8;
        pool.spare += 1;
        Some(POOLS + n)
    }
}
