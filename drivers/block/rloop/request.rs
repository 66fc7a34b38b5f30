// SPDX-License-Identifier: GPL-2.0

//! What the driver keeps for each request, and what its I/O path needs of a device.

use crate::backing::Backing;
use kernel_ext::block::mq;

/// The driver's data for a request.
#[derive(Default)]
pub(crate) struct Cmd {
    /// It has been counted, and its transfer begun.
    pub(crate) started: bool,
    /// Bytes transferred so far.
    pub(crate) done: u32,
    /// The rest goes through the page cache, whatever the device's mode.
    pub(crate) buffered: bool,
}

/// A device whose requests the I/O path can serve.
pub(crate) trait Host: mq::Operations<RequestData = Cmd, Published = Backing> {}

impl<T: mq::Operations<RequestData = Cmd, Published = Backing>> Host for T {}

/// Leaves a request to a worker of its device. Any context.
pub(crate) fn to_worker<T: Host>(rq: mq::Request<T>) {
    rq.queue_work(|rq| rq.published().map(|backing| &*backing.wq));
}
