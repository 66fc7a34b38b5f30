// SPDX-License-Identifier: GPL-2.0

//! Workers for each cgroup, so that one whose I/O is throttled does not hold up the others.
//!
//! A cgroup with requests has a lane, in which a limited number of them run at once and the others
//! wait. A lane without requests is anybody's, so that nothing is allocated or has to be freed.

use crate::request::{Host, LaneNumber};
use core::array;
use kernel::{new_spinlock, prelude::*, sync::SpinLock};
use kernel_ext::{
    block::mq::{Request, RequestList},
    cgroup::Group,
};

/// Cgroups that can be busy at once before two share a lane.
const LANES: usize = 32;

/// Requests of a lane that workers serve at once: enough to keep a disk busy with buffered reads,
/// few enough not to fight for the lock of the backing file.
const WIDTH: u32 = 16;

struct Lane<T: Host> {
    group: Group,
    running: u32,
    /// Empty unless [`WIDTH`] are running.
    waiting: RequestList<T>,
}

impl<T: Host> Default for Lane<T> {
    fn default() -> Self {
        Self {
            group: Group::ROOT,
            running: 0,
            waiting: RequestList::default(),
        }
    }
}

/// The lanes of a device.
#[pin_data]
pub(crate) struct Lanes<T: Host> {
    #[pin]
    lanes: SpinLock<[Lane<T>; LANES]>,
}

/// A device that has lanes.
pub(crate) trait Laned: Host {
    fn lanes(&self) -> &Lanes<Self>;
}

impl<T: Host> Lanes<T> {
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            lanes <- new_spinlock!(array::from_fn(|_| Lane::default()), "rloop_lanes"),
        })
    }

    /// A request arrives: it comes back if it can run now. Task context, does not sleep.
    pub(crate) fn enter(&self, mut rq: Request<T>) -> Option<Request<T>> {
        let group = Group::of(&rq);
        let mut lanes = self.lanes.lock();
        let number = choose(&lanes, group);
        rq.data_mut().lane = Some(LaneNumber(number as u8));
        let lane = &mut lanes[number];
        if lane.running >= WIDTH {
            lane.waiting.push(rq);
            return None;
        }
        if lane.running == 0 {
            lane.group = group;
        }
        lane.running += 1;
        Some(rq)
    }

    /// A request of this lane is with its worker no more: the next one can run.
    pub(crate) fn next(&self, number: LaneNumber) -> Option<Request<T>> {
        let mut lanes = self.lanes.lock();
        let lane = &mut lanes[usize::from(number.0)];
        let next = lane.waiting.pop();
        if next.is_none() {
            lane.running -= 1;
        }
        next
    }
}

/// The lane of a cgroup: its own, or an idle one, or one that it shares.
fn choose<T: Host>(lanes: &[Lane<T>; LANES], group: Group) -> usize {
    let own = |lane: &Lane<T>| lane.group == group;
    lanes
        .iter()
        .position(own)
        .or_else(|| lanes.iter().position(|lane| lane.running == 0))
        .unwrap_or(group.hash() % LANES)
}
