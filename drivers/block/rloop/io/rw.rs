// SPDX-License-Identifier: GPL-2.0

//! Reads and writes, direct and buffered, until all of a request is transferred.
//!
//! A file may transfer less than it was asked to. The rest is asked for again, so that what is
//! acknowledged is in the backing file, or the request fails with the file's own error.

use crate::{
    backing::Backing,
    geometry,
    io::{
        cmd::{
            Cmd,
            Host,
            Side, //
        },
        dio_exclusion::Gated, //
    },
    nowait::Patience,
    stats::Counter, //
};
use kernel::prelude::*;
use kernel_ext::{
    block::{
        mq::{
            remap,
            InFlight,
            Op,
            Request,
            Submitter, //
        },
        SECTOR_SHIFT, //
    },
    errno,
    fs::kiocb::{
        self,
        Ended,
        Io, //
    }, //
};

/// The largest write that is copied to the page cache by the task that brings it, in bytes: it could
/// do something else meanwhile.
const MOST_COPIED: u32 = 128 << 10;

/// How often the page cache below is invalidated for an atomic write until that succeeds.
const INVALIDATIONS: u32 = 16;

/// Begins a read or write. Sleeps.
pub(crate) fn start<T: Gated>(mut rq: Request<T>) {
    if let Some(backing) = rq.published() {
        let direct = fits_direct(&rq, backing);
        backing.stats.count(counter_of(rq.op(), direct));
        rq.data_mut().direct = direct;
    }
    rq.data_mut().started = true;
    resume(rq);
}

/// Writes all of a request at once, or nothing: only a device does that. Sleeps.
fn write_atomically<T: Gated>(rq: Request<T>) {
    let Some(backing) = rq.published().filter(|b| b.passes_on) else {
        return rq.end(Err(errno::opnotsupp()));
    };
    let Some(pos) = position(&rq, backing) else {
        return rq.end(Err(EIO));
    };
    // A page that is written again and again stays busy.
    let mut result = Err(EBUSY);
    for _ in 0..INVALIDATIONS {
        result = backing.file.invalidate_range(pos, rq.bytes());
        if result != Err(EBUSY) {
            break;
        }
    }
    if result.is_err() {
        return rq.end(Err(EIO));
    }
    if let Some(rq) = remap::submit(rq, target) {
        rq.end(Err(EIO));
    }
}

/// The counter of a read or write.
fn counter_of(op: Op, direct: bool) -> Counter {
    match (op, direct) {
        (Op::Read, true) => Counter::ReadDirect,
        (Op::Read, false) => Counter::ReadBuffered,
        (_, true) => Counter::WriteDirect,
        (_, false) => Counter::WriteBuffered,
    }
}

/// How a request may be tried in the task that brings it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// By its bio.
    PassOn,
    /// By a kiocb.
    Kiocb,
}

/// Serves a request in the task that brings it, if that is possible without waiting for I/O. Gives
/// back one that a worker has to serve, or the rest of.
pub(crate) fn attempt<T: Gated>(mut rq: Request<T>, task: &Submitter) -> Option<Request<T>> {
    let (direct, attempt) = match rq.published() {
        Some(backing) => choose(&rq, backing, task),
        None => (false, None),
    };
    let trying = attempt.is_some();
    *rq.data_mut() = Cmd {
        direct,
        started: trying,
        inline: trying,
        passed_on: attempt == Some(Attempt::PassOn),
        ..Cmd::default()
    };
    if !trying {
        return Some(rq);
    }
    if rq.data().passed_on {
        rq = remap::try_submit(rq, task, target)?;
        rq.data_mut().passed_on = false;
        if rq.flags().atomic() || rq.flags().fua() || !task.may_serve(&rq) {
            let cmd = rq.data_mut();
            cmd.started = false;
            cmd.inline = false;
            return Some(rq);
        }
    }
    let Ended(rq, result) = kiocb::try_submit(rq, task, plan)?;
    // What a file says in a hurry is not its last word.
    advance(rq, result.map_err(|_| EAGAIN))
}

/// Whether a new request can go past the page cache, and how it may be tried without waiting.
#[inline(always)]
fn choose<T: Gated>(
    rq: &InFlight<T>,
    backing: &Backing,
    task: &Submitter,
) -> (bool, Option<Attempt>) {
    let direct = backing.direct
        && position(rq, backing)
            .is_some_and(|pos| geometry::aligned(pos, rq.bytes(), backing.align.offset));
    let way = if direct && backing.passes_on {
        Attempt::PassOn
    } else {
        Attempt::Kiocb
    };
    let tried = is_worth_trying(rq, backing, direct, task)
        && (way == Attempt::PassOn || task.may_serve(rq))
        && backing.eagerness(rq.op()).tries();
    (direct, tried.then_some(way))
}

/// Whether a request may be served without waiting.
fn is_worth_trying<T: Gated>(
    rq: &InFlight<T>,
    backing: &Backing,
    direct: bool,
    task: &Submitter,
) -> bool {
    // Where direct and cached I/O take turns, it might have to wait for its turn.
    if !backing.nowait || backing.mixed || !task.may_work() {
        return false;
    }
    if direct && rq.bytes() > backing.at_once {
        return false;
    }
    match rq.op() {
        // (Cached reads of a block device wait for its lock, whatever they are told.)
        Op::Read => direct || backing.regular,
        // A device takes bios as they are.
        Op::Write if backing.passes_on => direct && !backing.read_only,
        // A durable write is waited for by the file.
        // (A file that knows such cached writes may make one of a direct write.)
        Op::Write => {
            (direct || backing.nowait_cached_writes && rq.bytes() <= MOST_COPIED)
                && (!backing.nowait_cached_writes || task.may_write_cache())
                && !rq.flags().fua()
                && !backing.read_only
                && !backing.writes_sync
        }
        _ => false,
    }
}

/// Takes note of how an attempt went.
fn note_attempt<T: Gated>(rq: &mut Request<T>, served: bool) {
    rq.data_mut().inline = false;
    let (op, direct, passed_on) = (rq.op(), rq.data().direct, rq.data().passed_on);
    let Some(backing) = rq.published() else {
        return;
    };
    let kind = counter_of(op, direct);
    if served {
        let way = if passed_on {
            Counter::PassedOn
        } else {
            Counter::Inline
        };
        backing.stats.count_two(kind, way);
        backing.eagerness(op).served();
    } else {
        backing.stats.count_two(kind, Counter::InlineRefused);
        let patience = if backing.passes_on {
            Patience::Device
        } else {
            Patience::File
        };
        backing.eagerness(op).refused(patience);
    }
}

/// Transfers what is left. Sleeps.
pub(crate) fn resume<T: Gated>(rq: Request<T>) {
    if rq.flags().atomic() {
        return write_atomically(rq);
    }
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
        Some(backing) if backing.mixed => match (rq.data().direct, rq.op()) {
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

#[inline(always)]
fn leave_gate<T: Gated>(rq: &mut Request<T>) {
    if rq.data().side.is_some() {
        rq.data_mut().side = None;
        rq.device().gate().leave();
    }
}

/// I/O that was left under way has ended. Any context: what is left to do is left to a worker.
pub(crate) fn ended<T: Gated>(rq: Request<T>, result: Result<u32>) {
    if let Some(rq) = advance(rq, result) {
        T::to_worker(rq);
    }
}

/// Where the rest of a request goes.
fn plan<T: Host>(rq: &InFlight<T>) -> Option<Io<'_>> {
    let backing = rq.published()?;
    Some(Io {
        file: &backing.file,
        pos: position(rq, backing)?,
        done: rq.data().done,
        direct: rq.data().direct,
        dsync: rq.op() == Op::Write && rq.flags().fua(),
        dontcache: backing.direct,
    })
}

/// Where a request goes on a block device.
fn target<T: Host>(rq: &InFlight<T>) -> Option<remap::Target<'_>> {
    let backing = rq.published()?;
    Some(remap::Target {
        file: &backing.file,
        sector: position(rq, backing)? as u64 >> SECTOR_SHIFT,
    })
}

/// Where a request begins in the backing file, in bytes.
fn position<T: Host>(rq: &InFlight<T>, backing: &Backing) -> Option<i64> {
    geometry::position(rq.sector() << SECTOR_SHIFT, rq.bytes(), backing.offset)
}

/// Whether the rest of a request can go past the page cache.
fn fits_direct<T: Host>(rq: &InFlight<T>, backing: &Backing) -> bool {
    let cmd = rq.data();
    backing.direct
        && !cmd.buffered
        && position(rq, backing).is_some_and(|pos| {
            let (pos, left) = (pos + i64::from(cmd.done), rq.bytes() - cmd.done);
            geometry::aligned(pos, left, backing.align.offset)
        })
}

/// Whether a request that direct I/O can't serve may go through the page cache. A write may where direct
/// writes and cached I/O take turns: else it would bring old data of its neighbours in beside a direct
/// write of those.
fn falls_back<T: Host>(rq: &InFlight<T>) -> bool {
    !rq.flags().atomic() && (rq.op() == Op::Read || rq.published().is_some_and(|b| b.mixed))
}

/// Takes in what the file made of a request. Gives it back if there is more to do, or ends it.
/// Any context.
fn advance<T: Gated>(mut rq: Request<T>, result: Result<u32>) -> Option<Request<T>> {
    if rq.data().inline {
        // (What is below may not be polled any more, or takes no bios that are not to wait.)
        let refused = result.is_err_and(|e| e == EAGAIN || e == errno::opnotsupp());
        note_attempt(&mut rq, !refused);
        if refused {
            return Some(rq);
        }
    }
    let direct = rq.data().direct;
    match result {
        Ok(n) if n > 0 => {
            let done = rq.data().done + n;
            rq.data_mut().done = done;
            if done >= rq.bytes() {
                leave_gate(&mut rq);
                // A worker has the next one to begin.
                match rq.data().lane {
                    Some(_) => rq.complete(),
                    None => rq.end(Ok(())),
                }
                return None;
            }
        }
        // Nothing moved, or the file finds the request unfit for direct I/O after all.
        Ok(_) if direct && falls_back(&rq) => rq.data_mut().buffered = true,
        Err(e) if (e == EINVAL || e == errno::opnotsupp()) && direct && falls_back(&rq) => {
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
        backing.stats.count(Counter::Continued);
        let direct = fits_direct(&rq, backing);
        rq.data_mut().direct = direct;
    }
    Some(rq)
}
