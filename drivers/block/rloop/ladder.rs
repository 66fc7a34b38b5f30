// SPDX-License-Identifier: GPL-2.0

//! Which way a request takes.
//!
//! Reads and writes go to a worker, which submits them: direct ones end in the completion of the
//! backing file, buffered ones in the worker. What needs no data goes to a worker, too.

use crate::{
    gate::Gated,
    lanes::Laned,
    request::{self, Cmd},
    space, transfer,
};
use kernel::prelude::*;
use kernel_ext::{
    block::mq::{NewRequest, Op, Outcome, Request},
    cgroup, errno, workqueue,
};

/// A request arrives. Does not sleep.
pub(crate) fn arrive<T: Laned>(device: &T, rq: NewRequest<T>) -> Outcome {
    let (mut rq, outcome) = rq.start();
    *rq.data_mut() = Cmd::default();
    if let Some(rq) = device.lanes().enter(rq) {
        request::to_worker(rq);
    }
    outcome
}

/// A request is with a worker: a new one, or one of which a part is done. Sleeps.
pub(crate) fn work<T: Laned + Gated>(mut rq: Request<T>) {
    let Some(lane) = rq.data_mut().lane.take() else {
        return serve_as_submitter(rq);
    };
    // The device may go with its last request, but not before its workers have gone.
    let device = rq.device_ref();
    serve_as_submitter(rq);
    // It gets a worker of its own: a request with the tag of ours would wait for this one.
    if let Some(rq) = device.lanes().next(lane) {
        request::to_worker(rq);
    }
}

fn serve_as_submitter<T: Gated>(rq: Request<T>) {
    workqueue::as_io_worker(|| cgroup::charged(rq, serve));
}

fn serve<T: Gated>(rq: Request<T>) {
    let Some(backing) = rq.published() else {
        return rq.end(Err(EIO));
    };
    if rq.op().is_write() && backing.read_only {
        return rq.end(Err(EIO));
    }
    let result = match rq.op() {
        Op::Read | Op::Write if rq.data().started => return transfer::resume(rq),
        Op::Read | Op::Write => return transfer::start(rq),
        Op::Flush => space::flush(backing),
        Op::Discard | Op::WriteZeroes => return space::change(rq),
        Op::Other => Err(errno::opnotsupp()),
    };
    rq.end(result);
}
