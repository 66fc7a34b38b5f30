// SPDX-License-Identifier: GPL-2.0

//! What the driver keeps for each request, and what its I/O path needs of a device.

use crate::backing::Backing;
use kernel_ext::block::mq;

/// Direct writes and cached requests, see `gate.rs`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Direct,
    Cached,
}

/// The number of a lane, see `lanes.rs`.
#[derive(Clone, Copy)]
pub(crate) struct LaneNumber(pub(crate) u8);

/// The driver's data for a request.
#[derive(Default)]
pub(crate) struct Cmd {
    /// The lane whose turn it takes up, until its worker has seen that.
    pub(crate) lane: Option<LaneNumber>,
    /// It has been counted, and its transfer begun.
    pub(crate) started: bool,
    /// Bytes transferred so far.
    pub(crate) done: u32,
    /// The rest goes through the page cache, whatever the device's mode.
    pub(crate) buffered: bool,
    /// The side of the gate that it is let in on.
    pub(crate) side: Option<Side>,
    /// The side that it waits for.
    pub(crate) wants: Option<Side>,
}

/// A device whose requests the I/O path can serve.
pub(crate) trait Host: mq::Operations<RequestData = Cmd, Published = Backing> {}

impl<T: mq::Operations<RequestData = Cmd, Published = Backing>> Host for T {}

/// Leaves a request to a worker of its device. Any context.
pub(crate) fn to_worker<T: Host>(rq: mq::Request<T>) {
    rq.queue_work(|rq| rq.published().map(|backing| &*backing.wq));
}
