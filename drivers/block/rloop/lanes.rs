// SPDX-License-Identifier: GPL-2.0

//! Workers for each cgroup, so that one whose I/O is throttled does not hold up the others.
//!
//! A cgroup whose requests need workers has a lane, with a narrow and a wide side. On
//! each a limited number of workers serve one request after the other. A lane without requests is
//! anybody's, so that nothing is allocated or has to be freed.
//!
//! Workers are the device's. A work item of the request could still be with the worker that served
//! the request before, with the same tag, and the workqueue would not start it until that one returns.

use crate::request::{Host, SideOfLane};
use core::array;
use kernel::{prelude::*, sync::Arc};
use kernel_ext::{
    block::mq::{InFlight, Op, Request, RequestList},
    cgroup::Group,
    new_irq_lock,
    sync::IrqLock,
    workqueue::Workqueue,
};

/// Cgroups that can be busy at once before two share a lane.
const LANES: usize = 32;

/// Sides of all lanes. Each has a worker of its own, which has its number.
const SIDES: usize = 2 * LANES;

/// Workers beside those.
const SPARE: usize = 32;

/// Workers of a device.
pub(crate) const WORKERS: usize = SIDES + SPARE;

/// Workers that serve a side at once, at most. Writes, which take the lock of the backing file one
/// after the other, and direct reads, which a worker only begins, are for the narrow side, where more
/// would only fight. The wide one keeps a disk busy with reads through the page cache.
const WIDTH: [u32; 2] = [16, 1];

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
            return rq.end(Err(EIO));
        }
        let device = rq.device_ref();
        device.lanes().state.with(|state| {
            let number = match rq.data().lane {
                Some(SideOfLane(number)) => usize::from(number),
                None => state.choose(Group::of(&rq), is_narrow(&rq)),
            };
            if let (Some(worker), Some(backing)) = (state.hire(number), rq.published()) {
                T::start_worker(&device, worker, &backing.wq);
            }
            rq.data_mut().lane = Some(SideOfLane(number as u8));
            state.sides[number].waiting.push(rq);
        });
    }

    /// The next request for a worker, which is done if there is none.
    pub(crate) fn next(&self, worker: usize) -> Option<Request<T>> {
        self.state.with(|state| {
            let spare = worker.checked_sub(SIDES);
            let side = &mut state.sides[spare.map_or(worker, |n| usize::from(state.places[n]))];
            let next = side.waiting.pop();
            match spare {
                _ if next.is_some() => (),
                None => side.own = false,
                Some(n) => {
                    side.spare -= 1;
                    state.busy &= !(1 << n);
                }
            }
            next
        })
    }
}

fn is_narrow<T: Host>(rq: &InFlight<T>) -> bool {
    rq.op() == Op::Write || rq.op() == Op::Read && rq.data().direct
}

impl<T: Host> State<T> {
    /// The side of a lane for a request: the lane of its cgroup, or an idle one, or one that it
    /// shares.
    fn choose(&mut self, group: Group, narrow: bool) -> usize {
        let idle =
            |lane: usize| self.sides[2 * lane].is_idle() && self.sides[2 * lane + 1].is_idle();
        let lane = self
            .groups
            .iter()
            .position(|owner| *owner == group)
            .or_else(|| (0..LANES).find(|lane| idle(*lane)))
            .unwrap_or(group.hash() % LANES);
        if idle(lane) {
            self.groups[lane] = group;
        }
        2 * lane + usize::from(narrow)
    }

    /// A worker for a side that may have one more.
    fn hire(&mut self, number: usize) -> Option<usize> {
        let side = &mut self.sides[number];
        if u32::from(side.own) + side.spare >= WIDTH[number % 2] {
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
