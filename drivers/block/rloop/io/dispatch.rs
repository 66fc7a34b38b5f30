// SPDX-License-Identifier: GPL-2.0

//! Which way a request takes.
//!
//! The rungs, of which a request takes the first that holds it: submitted by the task that brings
//! it, direct or from the page cache, where nothing has to be waited for; by a worker, direct or
//! buffered. Direct I/O ends in the completion of the backing file. What needs no data goes to a
//! worker, too.

use crate::io::{
    cmd::fail_late,
    dio_exclusion::Gated,
    discard,
    rw,
    workers::{
        Laned,
        Lanes, //
    }, //
};
use kernel::prelude::*;
use kernel_ext::{
    block::mq::{
        NewRequest,
        Op,
        Outcome,
        Request,
        Submitter, //
    },
    cgroup,
    errno,
    workqueue, //
};

/// A request arrives. Waits for no I/O.
pub(crate) fn arrive<T: Gated>(rq: NewRequest<T>, task: &Submitter) -> Outcome {
    let (rq, outcome) = rq.start();
    if let Some(rq) = rw::attempt(rq, task) {
        T::to_worker(rq);
    }
    outcome
}

/// A worker of a device begins to work. Sleeps.
pub(crate) fn work<T: Gated + Laned>(device: &T, worker: usize) {
    workqueue::as_io_worker(|| {
        while let Some(rq) = Lanes::next(device, worker) {
            cgroup::charged(rq, serve);
            workqueue::yield_if_due();
        }
    });
}

fn serve<T: Gated>(rq: Request<T>) {
    let Some(backing) = rq.published() else {
        return fail_late(rq);
    };
    if rq.op().is_write() && backing.read_only {
        return rq.end(Err(EIO));
    }
    let result = match rq.op() {
        Op::Read | Op::Write if rq.data().started => return rw::resume(rq),
        Op::Read | Op::Write => return rw::start(rq),
        Op::Flush => discard::flush(backing),
        Op::Discard | Op::WriteZeroes => return discard::change(rq),
        Op::Other => Err(errno::opnotsupp()),
    };
    rq.end(result);
}
