// SPDX-License-Identifier: GPL-2.0

//! Requests that go to a lower device as bios: all of a pinned file, and flush, discard and
//! write-zeroes of a block device.
//!
//! The submitting task tries them nowait. What would wait is left to a worker: for a block device
//! as [`discard`](super::discard) does, for a pinned file as bios again, as the kernel refuses
//! writes to its file operations. Reads of the file beside the device go through its page cache, so
//! the pages of a range are dropped when a request has changed it.

use super::{
    choose::{
        self,
        position, //
    },
    cmd::{
        Cmd,
        Phase, //
    },
    fail_late,
    ForWorker,
    IoDevice,
    IoEngine, //
};
use crate::{
    backing::Backing,
    nowait::BackoffLimit,
    stats::{
        Counter,
        WorkerReason, //
    }, //
};
use kernel::prelude::*;
use kernel_ext::{
    block::{
        mq::{
            lower::{
                self,
                Target, //
            },
            Guard,
            InFlight,
            InlineContext,
            Op,
            Request, //
        },
        SECTOR_SHIFT, //
    },
    errno, //
};

/// Tries a new request of a pinned file, which fits the blocks of the disk below. Gives the request
/// back if a worker has to serve it.
#[inline(never)]
pub(super) fn try_nowait<T: IoDevice>(
    mut rq: Request<T>,
    task: &InlineContext,
) -> Option<ForWorker<T>> {
    let Some(backing) = rq.published() else {
        fail_late(rq);
        return None;
    };
    let pos = position(&rq, backing);
    let checked = choose::can_nowait(&rq, backing, true, true, task);
    *rq.data_mut() = Cmd {
        direct: true,
        ..Cmd::default()
    };
    match checked {
        Ok(()) => {
            let why = WorkerReason::Other;
            try_submit(ForWorker { rq, why }, task, |rq| target_at(rq, pos))
        }
        Err(why) if why.is_without_data() => try_without_data(ForWorker { rq, why }, task),
        Err(why) => Some(ForWorker { rq, why }),
    }
}

/// Submits a request nowait. Gives it back if a worker has to serve it: for the reason that it has,
/// or as the file system is frozen.
#[inline(always)]
fn try_submit<T, F>(rest: ForWorker<T>, task: &InlineContext, target: F) -> Option<ForWorker<T>>
where
    T: IoDevice,
    F: for<'a> FnOnce(&'a InFlight<T>) -> Option<Target<'a>>,
{
    let ForWorker { mut rq, why } = rest;
    rq.data_mut().phase = Phase::NowaitLower;
    let Err((mut rq, e)) = lower::try_submit(rq, task, target) else {
        return None;
    };
    rq.data_mut().phase = Phase::New;
    let why = match e == EAGAIN {
        true => WorkerReason::Frozen,
        false => why,
    };
    Some(ForWorker { rq, why })
}

/// Tries a request without data, which a worker serves for the reason in `rest` otherwise.
#[cold]
#[inline(never)]
pub(super) fn try_without_data<T: IoDevice>(
    mut rest: ForWorker<T>,
    task: &InlineContext,
) -> Option<ForWorker<T>> {
    let Some(backing) = rest.rq.published() else {
        return Some(rest);
    };
    if let Err(why) = can_nowait(&rest.rq, backing, task) {
        rest.why = why.unwrap_or(rest.why);
        return Some(rest);
    }
    try_submit(rest, task, target)
}

/// Whether the task may submit a request without data. The reason for a worker, if it is another
/// one than the operation.
fn can_nowait<T: IoDevice>(
    rq: &InFlight<T>,
    backing: &Backing,
    task: &InlineContext,
) -> Result<(), Option<WorkerReason>> {
    let Some(device) = backing.remap_device() else {
        return Err(None);
    };
    backing.nowait.map_err(Some)?;
    match task.may_work() {
        Ok(()) => (),
        // kblockd issues all flushes. It must not wait, and for a device of blk-mq it does not.
        Err(Guard::Kblockd) if rq.op() == Op::Flush && device.is_mq() => (),
        Err(guard) => return Err(Some(guard.into())),
    }
    if rq.op() != Op::Flush && backing.read_only {
        return Err(Some(WorkerReason::ReadOnly));
    }
    if backing.pin.is_some() {
        return Ok(());
    }
    // The page cache of a block device belongs to other programs, too. A worker writes it back, or
    // drops what is discarded.
    let cached = match rq.op() {
        Op::Flush => backing.file.needs_sync(),
        _ => match position(rq, backing) {
            Some(pos) => backing.file.range_is_cached(pos, rq.bytes()),
            None => return Err(None),
        },
    };
    match cached {
        true => Err(None),
        false => Ok(()),
    }
}

/// The place of a request.
fn target<T: IoDevice>(rq: &InFlight<T>) -> Option<Target<'_>> {
    let pos = match rq.op() {
        Op::Flush => Some(0),
        _ => position(rq, rq.published()?),
    };
    target_at(rq, pos)
}

/// The place of a request at `pos`.
#[inline(always)]
fn target_at<T: IoDevice>(rq: &InFlight<T>, pos: Option<i64>) -> Option<Target<'_>> {
    let backing = rq.published()?;
    let sector = pos? as u64 >> SECTOR_SHIFT;
    Some(match &backing.pin {
        Some(pin) => Target::Pinned {
            file: &pin.file,
            sector,
            fua: backing.sync_writes,
        },
        None => Target::Device {
            device: backing.file.block_device()?,
            sector,
        },
    })
}

/// Serves a request of a pinned file from a worker. Sleeps.
pub(super) fn start<T: IoDevice>(mut rq: Request<T>) {
    let Some(backing) = rq.published() else {
        return rq.end(Err(EIO));
    };
    if rq.op() == Op::Other {
        return rq.end(Err(errno::opnotsupp()));
    }
    match rq.data().phase {
        Phase::Stale => return drop_stale(rq),
        Phase::New => backing.stats.count(Counter::of(rq.op(), true)),
        _ => (),
    }
    rq.data_mut().phase = Phase::Started;
    if let Err((rq, e)) = lower::submit(rq, target) {
        rq.end(Err(e));
    }
}

/// Takes the result of a request. Any context.
pub(crate) fn done<T: IoDevice>(mut rq: Request<T>, result: Result) {
    let Some(backing) = rq.published() else {
        return rq.end(Err(EIO));
    };
    if rq.data().phase == Phase::NowaitLower {
        // EOPNOTSUPP: the device does not know REQ_NOWAIT, or not the operation, which a worker
        // finds out.
        if result.is_err_and(|e| e == EAGAIN || e == errno::opnotsupp()) {
            let why = refused(&rq, backing);
            rq.data_mut().phase = Phase::New;
            return IoEngine::queue(ForWorker { rq, why });
        }
        let op = rq.op();
        backing
            .stats
            .count_two(Counter::of(op, true), Counter::Remapped);
        if op.direction().is_some() {
            backing.backoff(op).reset();
        }
    }
    if let Some(pin) = &backing.pin {
        match rq.op() {
            Op::Read => (),
            Op::Flush => pin.file.touch(),
            _ if backing.file.has_cached_pages() => return done_beside_cache(rq, result),
            _ => (),
        }
    }
    end(rq, result);
}

/// Takes the result of a request that has changed a pinned file of which pages are cached. A worker
/// drops those of its range. Any context.
#[cold]
fn done_beside_cache<T: IoDevice>(mut rq: Request<T>, result: Result) {
    let is_stale = rq.published().is_some_and(|backing| {
        position(&rq, backing).is_some_and(|pos| backing.file.range_is_cached(pos, rq.bytes()))
    });
    if !is_stale {
        return end(rq, result);
    }
    let data = rq.data_mut();
    data.phase = Phase::Stale;
    data.done = result.map_or_else(|e| e.to_errno().unsigned_abs(), |()| 0);
    let why = WorkerReason::Stale;
    IoEngine::queue(ForWorker { rq, why });
}

#[inline(always)]
fn end<T: IoDevice>(rq: Request<T>, result: Result) {
    match (rq.data().pool, result) {
        // A worker submits the next request first, and leaves the completion to a softirq.
        (Some(_), Ok(())) => rq.complete(),
        // A device without flush or discard has nothing to flush, and need not discard.
        (_, Err(e)) if e == errno::opnotsupp() && rq.op() == Op::Flush => rq.end(Ok(())),
        _ => rq.end(result),
    }
}

/// Counts a refusal. Returns why a worker has to serve the request.
#[cold]
fn refused<T: IoDevice>(rq: &InFlight<T>, backing: &Backing) -> WorkerReason {
    match rq.op() {
        op @ (Op::Read | Op::Write) => {
            backing.stats.count(Counter::InlineRefused);
            backing.backoff(op).note_refusal(BackoffLimit::Device);
            WorkerReason::Refused
        }
        Op::Flush => WorkerReason::Flush,
        Op::Discard => WorkerReason::Discard,
        _ => WorkerReason::WriteZeroes,
    }
}

/// Drops what readers of the file have cached of the range, and ends the request. Sleeps.
fn drop_stale<T: IoDevice>(rq: Request<T>) {
    if let Some(backing) = rq.published() {
        if let Some(pos) = position(&rq, backing) {
            // No page is dirty, as the kernel refuses writes to the file. A page that is in use all
            // the time stays, as after direct writes to any file.
            let _ = backing.invalidate_range(pos, rq.bytes());
        }
    }
    let result = match rq.data().done {
        0 => Ok(()),
        errno => Err(Error::from_errno(-(errno as i32))),
    };
    end(rq, result);
}
