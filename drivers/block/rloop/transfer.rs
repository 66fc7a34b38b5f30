// SPDX-License-Identifier: GPL-2.0

//! Reads and writes, direct and buffered, until all of a request is transferred.
//!
//! A file may transfer less than it was asked to. The rest is asked for again, so that what is
//! acknowledged is in the backing file, or the request fails with the file's own error.

use crate::{
    backing::Backing,
    gate::Gated,
    geometry,
    request::{self, Host, Side},
};
use kernel::prelude::*;
use kernel_ext::{
    block::{
        mq::{InFlight, Op, Request},
        SECTOR_SHIFT,
    },
    errno,
    fs::kiocb::{self, Ended, Io},
};

/// Begins a read or write. Sleeps.
pub(crate) fn start<T: Gated>(mut rq: Request<T>) {
    if let Some(backing) = rq.published() {
        let stats = &backing.stats;
        let counter = match (rq.op(), goes_direct(&rq, backing)) {
            (Op::Read, true) => &stats.read_direct,
            (Op::Read, false) => &stats.read_buffered,
            (_, true) => &stats.write_direct,
            (_, false) => &stats.write_buffered,
        };
        counter.count();
    }
    rq.data_mut().started = true;
    resume(rq);
}

/// Transfers what is left. Sleeps.
pub(crate) fn resume<T: Gated>(rq: Request<T>) {
    let mut next = Some(rq);
    while let Some(rq) = next {
        let Some(rq) = pass_gate(rq) else {
            return;
        };
        let Some(Ended(rq, result)) = kiocb::submit(rq, plan) else {
            return;
        };
        next = advance(rq, result);
    }
}

/// Waits for the turn of a request, where direct writes and cached I/O take turns: it comes back when
/// it may go on. Any context.
fn pass_gate<T: Gated>(mut rq: Request<T>) -> Option<Request<T>> {
    let side = match rq.published() {
        Some(backing) if backing.mixed => match (goes_direct(&rq, backing), rq.op()) {
            (false, _) => Side::Cached,
            (true, Op::Write) => Side::Direct,
            // It writes back what is dirty before, and leaves nothing in the cache.
            (true, _) => return Some(rq),
        },
        _ => return Some(rq),
    };
    if rq.data().side == Some(side) {
        return Some(rq);
    }
    leave_gate(&mut rq);
    let device = rq.device_ref();
    device.gate().enter(rq, side)
}

fn leave_gate<T: Gated>(rq: &mut Request<T>) {
    if rq.data_mut().side.take().is_some() {
        rq.device().gate().leave();
    }
}

/// I/O that was left under way has ended. Any context: what is left to do is left to a worker.
pub(crate) fn ended<T: Gated>(rq: Request<T>, result: Result<u32>) {
    if let Some(rq) = advance(rq, result) {
        request::to_worker(rq);
    }
}

/// Where the rest of a request goes.
fn plan<T: Host>(rq: &InFlight<T>) -> Option<Io<'_>> {
    let backing = rq.published()?;
    Some(Io {
        file: &backing.file,
        pos: position(rq, backing),
        done: rq.data().done,
        direct: goes_direct(rq, backing),
        dsync: rq.op() == Op::Write && rq.flags().fua(),
        dontcache: backing.direct,
    })
}

/// Where a request begins in the backing file, in bytes.
fn position<T: Host>(rq: &InFlight<T>, backing: &Backing) -> i64 {
    (rq.sector() << SECTOR_SHIFT) as i64 + backing.offset
}

/// Whether the rest of a request goes past the page cache.
fn goes_direct<T: Host>(rq: &InFlight<T>, backing: &Backing) -> bool {
    let cmd = rq.data();
    let pos = position(rq, backing) + i64::from(cmd.done);
    backing.direct
        && !cmd.buffered
        && geometry::aligned(pos, rq.bytes() - cmd.done, backing.align.offset)
}

/// Takes in what the file made of a request. Gives it back if there is more to do, or ends it.
/// Any context.
fn advance<T: Gated>(mut rq: Request<T>, result: Result<u32>) -> Option<Request<T>> {
    let direct = rq.published().is_some_and(|b| goes_direct(&rq, b));
    match result {
        Ok(n) if n > 0 => {
            let done = rq.data().done + n;
            rq.data_mut().done = done;
            if done >= rq.bytes() {
                leave_gate(&mut rq);
                rq.end(Ok(()));
                return None;
            }
        }
        // Nothing moved, or the file finds the request unfit for direct I/O after all.
        Ok(_) if direct => rq.data_mut().buffered = true,
        Err(e) if direct && (e == EINVAL || e == errno::opnotsupp()) => {
            rq.data_mut().buffered = true
        }
        Ok(_) => {
            leave_gate(&mut rq);
            // The end of a file that has shrunk: nothing of older data may show.
            kiocb::zero_rest(&rq, rq.data().done);
            let done = rq.data().done;
            rq.end_read_at(done, EIO);
            return None;
        }
        Err(e) => {
            leave_gate(&mut rq);
            rq.end(Err(e));
            return None;
        }
    }
    if let Some(backing) = rq.published() {
        backing.stats.continued.count();
    }
    Some(rq)
}
