// SPDX-License-Identifier: GPL-2.0

//! Reads and writes, direct and buffered, until all of a request is transferred.
//!
//! The backing file may transfer less than it was asked to. The rest is then submitted again, so that what
//! is acknowledged is in the backing file, or the request fails with the file's own error.

use super::{
    cmd::{
        Cmd,
        IoKind,
        Phase, //
    },
    IoDevice,
    IoEngine, //
};
use crate::{
    backing::{
        Backing,
        IoMode, //
    },
    geometry,
    nowait::BackoffLimit,
    stats::Counter, //
};
use kernel::prelude::*;
use kernel_ext::{
    block::{
        mq::{
            kiocb::{
                self,
                Ended,
                KiocbParams, //
            },
            remap,
            InFlight,
            InlineContext,
            Op,
            Request, //
        },
        SECTOR_SHIFT, //
    },
    errno, //
};

/// The largest write that the submitting task copies to the page cache itself, in bytes. A worker copies
/// a larger one while the task goes on.
const MAX_NOWAIT_COPY: u32 = 128 << 10;

/// How often the page cache of the lower device is invalidated for an atomic write before it fails.
const INVALIDATE_RETRIES: u32 = 16;

/// How a new request can be served nowait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nowait {
    Remap,
    Kiocb,
}

/// Serves a new read or write in the task that submits it, if that takes no waiting for I/O. Gives the
/// request back if a worker has to serve it, or the rest of it.
pub(crate) fn try_nowait<T: IoDevice>(
    mut rq: Request<T>,
    task: &InlineContext,
) -> Option<Request<T>> {
    let (direct, nowait) = match rq.published() {
        Some(backing) => choose(&rq, backing, task),
        None => (false, None),
    };
    *rq.data_mut() = Cmd {
        direct,
        phase: match nowait {
            None => Phase::New,
            Some(Nowait::Remap) => Phase::NowaitRemap,
            Some(Nowait::Kiocb) => Phase::NowaitKiocb,
        },
        ..Cmd::default()
    };
    let Some(nowait) = nowait else {
        return Some(rq);
    };
    if nowait == Nowait::Remap {
        rq = remap::try_submit(rq, task, remap_target)?;
        // The lower device did not take the bio as it is.
        if rq.flags().atomic() || rq.flags().fua() || !task.may_serve(&rq) {
            rq.data_mut().phase = Phase::New;
            return Some(rq);
        }
        rq.data_mut().phase = Phase::NowaitKiocb;
    }
    let Ended(rq, result) = kiocb::try_submit(rq, task, kiocb_params)?;
    // Retry every nowait error from a worker, without IOCB_NOWAIT.
    advance(rq, result.map_err(|_| EAGAIN))
}

/// Whether a new request can use IOCB_DIRECT, and how it can be served nowait.
#[inline(always)]
fn choose<T: IoDevice>(
    rq: &InFlight<T>,
    backing: &Backing,
    task: &InlineContext,
) -> (bool, Option<Nowait>) {
    let direct = backing.mode.is_direct()
        && position(rq, backing)
            .is_some_and(|pos| geometry::aligned(pos, rq.bytes(), backing.align.offset));
    let nowait = if direct && backing.mode == IoMode::Remap {
        Nowait::Remap
    } else {
        Nowait::Kiocb
    };
    let possible = can_nowait(rq, backing, direct, task)
        && (nowait == Nowait::Remap || task.may_serve(rq))
        && backing.backoff(rq.op()).should_try();
    (direct, possible.then_some(nowait))
}

/// Whether the backing can serve a request nowait, and the task may do so.
fn can_nowait<T: IoDevice>(
    rq: &InFlight<T>,
    backing: &Backing,
    direct: bool,
    task: &InlineContext,
) -> bool {
    // With exclusion, a request might have to wait for its turn.
    if !backing.nowait || backing.mode.is_mixed() || !task.may_work() {
        return false;
    }
    if direct && rq.bytes() > backing.max_nowait_bytes {
        return false;
    }
    match rq.op() {
        // Cached reads of a block device take its inode lock in spite of IOCB_NOWAIT.
        Op::Read => direct || backing.regular,
        // The lower device takes bios with all their flags.
        Op::Write if backing.mode == IoMode::Remap => direct && !backing.read_only,
        // The file waits for a durable write. A file system with nowait cached writes may serve a direct
        // write as one.
        Op::Write => {
            (direct || backing.nowait_buffered_writes && rq.bytes() <= MAX_NOWAIT_COPY)
                && (!backing.nowait_buffered_writes || task.may_write_cache())
                && !rq.flags().fua()
                && !backing.read_only
                && !backing.sync_writes
        }
        _ => false,
    }
}

/// Counts a nowait submission and adapts the backoff.
fn note_nowait<T: IoDevice>(rq: &mut Request<T>, served: bool) {
    let remapped = rq.data().phase == Phase::NowaitRemap;
    rq.data_mut().phase = Phase::Started;
    let Some(backing) = rq.published() else {
        return;
    };
    let (op, kind) = (rq.op(), counter_of(rq.op(), rq.data().direct));
    if served {
        let path = if remapped {
            Counter::Remapped
        } else {
            Counter::Inline
        };
        backing.stats.count_two(kind, path);
        backing.backoff(op).reset();
    } else {
        backing.stats.count_two(kind, Counter::InlineRefused);
        let limit = if backing.mode == IoMode::Remap {
            BackoffLimit::Device
        } else {
            BackoffLimit::File
        };
        backing.backoff(op).note_refusal(limit);
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

/// Serves a read or write, or the rest of one, from a worker. Sleeps.
pub(super) fn start<T: IoDevice>(mut rq: Request<T>) {
    if rq.data().phase == Phase::New {
        if let Some(backing) = rq.published() {
            let direct = fits_direct(&rq, backing);
            backing.stats.count(counter_of(rq.op(), direct));
            rq.data_mut().direct = direct;
        }
        rq.data_mut().phase = Phase::Started;
    }
    if rq.flags().atomic() {
        return write_atomic(rq);
    }
    let mut next = Some(rq);
    while let Some(rq) = next {
        let Some(rq) = start_io(rq) else {
            return;
        };
        let Some(Ended(rq, result)) = kiocb::submit(rq, kiocb_params) else {
            return;
        };
        next = advance(rq, result);
    }
}

/// Writes all of a request atomically, which only a lower device can do. Sleeps.
fn write_atomic<T: IoDevice>(rq: Request<T>) {
    let Some(backing) = rq.published().filter(|b| b.mode == IoMode::Remap) else {
        return rq.end(Err(errno::opnotsupp()));
    };
    let Some(pos) = position(&rq, backing) else {
        return rq.end(Err(EIO));
    };
    // A page that is redirtied all the time stays busy.
    let mut result = Err(EBUSY);
    for _ in 0..INVALIDATE_RETRIES {
        result = backing.file.invalidate_range(pos, rq.bytes());
        if result != Err(EBUSY) {
            break;
        }
    }
    if result.is_err() {
        return rq.end(Err(EIO));
    }
    if let Some(rq) = remap::submit(rq, remap_target) {
        rq.end(Err(EIO));
    }
}

/// Begins I/O of a request, where direct writes and cached I/O exclude each other. Gives the request back
/// if the I/O may begin now. Any context.
fn start_io<T: IoDevice>(mut rq: Request<T>) -> Option<Request<T>> {
    let kind = match rq.published() {
        Some(backing) if backing.mode.is_mixed() => match (rq.data().direct, rq.op()) {
            (false, _) => IoKind::Cached,
            (true, Op::Write) => IoKind::DirectWrite,
            // A direct read writes dirty pages back first and leaves nothing in the cache.
            (true, _) => return Some(rq),
        },
        _ => return Some(rq),
    };
    if rq.data().active == Some(kind) {
        return Some(rq);
    }
    end_io(&mut rq);
    let device = rq.device_guard();
    device.io().start_io(rq, kind)
}

/// Ends I/O that [`start_io`] has begun, if any. Any context.
#[inline(always)]
fn end_io<T: IoDevice>(rq: &mut Request<T>) {
    if rq.data().active.is_some() {
        rq.data_mut().active = None;
        rq.device().io().end_io();
    }
}

/// Takes the result of I/O that completed asynchronously. Any context: the rest of a request is queued to
/// a worker.
pub(crate) fn complete<T: IoDevice>(rq: Request<T>, result: Result<u32>) {
    if let Some(rq) = advance(rq, result) {
        IoEngine::queue(rq);
    }
}

/// The kiocb for the rest of a request.
fn kiocb_params<T: IoDevice>(rq: &InFlight<T>) -> Option<KiocbParams<'_>> {
    let backing = rq.published()?;
    Some(KiocbParams {
        file: &backing.file,
        pos: position(rq, backing)?,
        done: rq.data().done,
        direct: rq.data().direct,
        dsync: rq.op() == Op::Write && rq.flags().fua(),
        dontcache: backing.mode.is_direct(),
    })
}

/// The lower device and the sector there for a request.
fn remap_target<T: IoDevice>(rq: &InFlight<T>) -> Option<remap::Target<'_>> {
    let backing = rq.published()?;
    Some(remap::Target {
        file: &backing.file,
        sector: position(rq, backing)? as u64 >> SECTOR_SHIFT,
    })
}

/// Where a request begins in the backing file, in bytes.
fn position<T: IoDevice>(rq: &InFlight<T>, backing: &Backing) -> Option<i64> {
    geometry::position(rq.sector() << SECTOR_SHIFT, rq.bytes(), backing.offset)
}

/// Whether the rest of a request can use IOCB_DIRECT.
fn fits_direct<T: IoDevice>(rq: &InFlight<T>, backing: &Backing) -> bool {
    let cmd = rq.data();
    backing.mode.is_direct()
        && !cmd.buffered
        && position(rq, backing).is_some_and(|pos| {
            let (pos, left) = (pos + i64::from(cmd.done), rq.bytes() - cmd.done);
            geometry::aligned(pos, left, backing.align.offset)
        })
}

/// Whether a request that direct I/O can't serve may go through the page cache. A write may only with
/// exclusion: a cached write of a part of a page reads the rest of that page, next to direct writes of it.
fn may_fall_back<T: IoDevice>(rq: &InFlight<T>) -> bool {
    let excluded = rq.published().is_some_and(|b| b.mode.is_mixed());
    !rq.flags().atomic() && (rq.op() == Op::Read || excluded)
}

/// Takes the result of a submission. Gives the request back if the rest has to be submitted, else ends
/// it. Any context.
fn advance<T: IoDevice>(mut rq: Request<T>, result: Result<u32>) -> Option<Request<T>> {
    if matches!(rq.data().phase, Phase::NowaitRemap | Phase::NowaitKiocb) {
        // EOPNOTSUPP: the lower device is no longer polled, or does not know REQ_NOWAIT.
        let refused = result.is_err_and(|e| e == EAGAIN || e == errno::opnotsupp());
        note_nowait(&mut rq, !refused);
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
                end_io(&mut rq);
                // A worker submits the next request first, and leaves the completion to a softirq.
                match rq.data().pool {
                    Some(_) => rq.complete(),
                    None => rq.end(Ok(())),
                }
                return None;
            }
        }
        // Nothing was transferred, or the file refuses direct I/O for this request.
        Ok(_) if direct && may_fall_back(&rq) => rq.data_mut().buffered = true,
        Err(e) if (e == EINVAL || e == errno::opnotsupp()) && direct && may_fall_back(&rq) => {
            rq.data_mut().buffered = true
        }
        Ok(_) => {
            end_io(&mut rq);
            // The file has shrunk. Pages must not show what they held before.
            kiocb::zero_rest(&rq, rq.data().done);
            let done = rq.data().done;
            rq.end_read_at(done, EIO);
            return None;
        }
        Err(e) => {
            end_io(&mut rq);
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
