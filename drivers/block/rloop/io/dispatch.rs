// SPDX-License-Identifier: GPL-2.0

//! Dispatch: which path serves a request.
//!
//! A request is first tried nowait, in the task that submits it ([`rw::try_nowait`]): as a bio, to
//! a block device or to the extents of a pinned file, or by a kiocb, direct or from the page cache
//! of a file. What that can't serve, and every request without data of other files, is queued to a
//! worker. Bios and direct I/O complete in the completion of the lower device or of the backing
//! file.

use super::{
    discard,
    fail_late,
    lower,
    rw,
    IoDevice,
    IoEngine, //
};
use kernel::prelude::*;
use kernel_ext::{
    block::mq::{
        InlineContext,
        NewRequest,
        Op,
        Outcome,
        Request, //
    },
    cgroup,
    errno,
    workqueue, //
};

/// Takes a new request from blk-mq. Does not wait for I/O.
pub(crate) fn queue_rq<T: IoDevice>(rq: NewRequest<T>, task: &InlineContext) -> Outcome {
    let (rq, outcome) = rq.start();
    if let Some(rest) = rw::try_nowait(rq, task) {
        IoEngine::queue(rest);
    }
    outcome
}

/// Serves queued requests until there are none for this worker. Sleeps.
pub(crate) fn process_work<T: IoDevice>(device: &T, worker: usize) {
    workqueue::as_io_worker(|| {
        while let Some(rq) = device.io().dequeue(worker) {
            cgroup::charged(rq, handle_cmd);
            workqueue::cond_resched();
        }
    });
}

fn handle_cmd<T: IoDevice>(rq: Request<T>) {
    let Some(backing) = rq.published() else {
        return fail_late(rq);
    };
    if rq.op().is_write() && backing.read_only {
        return rq.end(Err(EIO));
    }
    if backing.pin.is_some() {
        return lower::start(rq);
    }
    let result = match rq.op() {
        Op::Read | Op::Write => return rw::start(rq),
        Op::Flush => discard::flush(backing),
        Op::Discard | Op::WriteZeroes => return discard::fallocate(rq),
        Op::Other => Err(errno::opnotsupp()),
    };
    rq.end(result);
}
