// SPDX-License-Identifier: GPL-2.0

//! What the driver keeps for each request, and what its I/O path needs of a device.

use crate::backing::Backing;
use kernel::prelude::*;
use kernel_ext::{
    block::mq,
    workqueue::Workqueue, //
};

/// Direct writes and cached requests, see `io/dio_exclusion.rs`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Direct,
    Cached,
}

/// The number of a side of a lane, see `io/workers.rs`.
#[derive(Clone, Copy)]
pub(crate) struct SideOfLane(pub(crate) u8);

/// The driver's data for a request.
#[derive(Default)]
pub(crate) struct Cmd {
    /// Where it waits for a worker, if it has needed one.
    pub(crate) lane: Option<SideOfLane>,
    /// It has been counted, and its transfer begun.
    pub(crate) started: bool,
    /// It was submitted without waiting, and may still be refused.
    pub(crate) inline: bool,
    /// It was passed on to a block device, which may still refuse it.
    pub(crate) passed_on: bool,
    /// What is left of it goes past the page cache.
    pub(crate) direct: bool,
    /// Bytes transferred so far.
    pub(crate) done: u32,
    /// The rest goes through the page cache, whatever the device's mode.
    pub(crate) buffered: bool,
    /// The side of the gate that it is let in on.
    pub(crate) side: Option<Side>,
    /// The side that it waits for.
    pub(crate) wants: Option<Side>,
}

/// Fails a request that finds no backing: I/O that crossed the last close. Any context.
pub(crate) fn fail_late<T: Host>(rq: mq::Request<T>) {
    rq.device().report_late();
    rq.end(Err(EIO));
}

/// A device whose requests the I/O path can serve.
pub(crate) trait Host: mq::Operations<RequestData = Cmd, Published = Backing> {
    /// Leaves a request to a worker of its device. Any context.
    fn to_worker(rq: mq::Request<Self>);

    /// The workqueue of the device.
    fn wq(&self) -> &Workqueue;

    /// Says in the log that there was a request without a backing. Any context.
    fn report_late(&self);
}
