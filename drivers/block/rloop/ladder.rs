// SPDX-License-Identifier: GPL-2.0

//! Which way a request takes.
//!
//! The rungs, of which a request takes the first that holds it: submitted by the task that brings
//! it, direct or from the page cache, where nothing has to be waited for; by a worker, direct or
//! buffered. Direct I/O ends in the completion of the backing file. What needs no data goes to a
//! worker, too.

use crate::{
    gate::Gated,
    relay::{self, Relayed},
    request::Cmd,
    space, transfer,
};
use kernel::prelude::*;
use kernel_ext::{
    block::mq::{NewRequest, Op, Outcome, Request, RequestList, Submitter},
    cgroup, cpu, errno, workqueue,
};

/// A request arrives. Waits for no I/O.
pub(crate) fn arrive<T: Gated>(rq: NewRequest<T>, task: &Submitter) -> Outcome {
    let (rq, outcome) = rq.start();
    begin(rq, task);
    outcome
}

fn begin<T: Gated>(mut rq: Request<T>, task: &Submitter) {
    *rq.data_mut() = Cmd::default();
    if let Some(rq) = transfer::attempt(rq, task) {
        T::to_worker(rq);
    }
}

/// A batch arrives that a worker begins, see `relay.rs`. Does not sleep.
pub(crate) fn relay<T: Relayed>(device: &T, mut batch: RequestList<T>) {
    if batch.front().is_none_or(|rq| rq.published().is_none()) {
        while let Some(rq) = batch.pop() {
            rq.end(Err(EIO));
        }
        return;
    }
    device.relay_of().pass(batch, |first| {
        if let Some(backing) = first.published() {
            T::start_worker(&first.device_ref(), relay::WORKER, &backing.wq);
        }
    });
}

/// A worker of a device begins to work. Sleeps.
pub(crate) fn work<T: Gated + Relayed>(device: &T, worker: usize) {
    workqueue::as_io_worker(|| {
        if worker == relay::WORKER {
            while let Some(batch) = device.relay_of().next() {
                begin_batch(batch);
                cpu::yield_if_due();
            }
            return;
        }
        while let Some(rq) = device.lanes().next(worker) {
            cgroup::charged(rq, serve);
            cpu::yield_if_due();
        }
    });
}

fn begin_batch<T: Gated>(mut batch: RequestList<T>) {
    Submitter::with(batch.len() as u16, |task| {
        while let Some(rq) = batch.pop() {
            if let Some(backing) = rq.published() {
                backing.stats.relayed.count();
            }
            begin(rq, task);
        }
    });
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
