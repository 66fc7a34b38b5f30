// SPDX-License-Identifier: GPL-2.0

//! Reads and writes, direct and buffered, until all of a request is transferred.
//!
//! The backing file may transfer less than it was asked to. The rest is then submitted again, so
//! that what is acknowledged is in the backing file, or the request fails with the file's own
//! error.

use super::{
    choose::{
        can_nowait,
        can_serve_bio,
        fits_direct,
        is_direct,
        position, //
    },
    cmd::{
        Cmd,
        IoKind,
        Phase, //
    },
    fail_late,
    lower,
    ForWorker,
    IoDevice,
    IoEngine, //
};
use crate::{
    io_mode::IoMode,
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

/// Serves a new read or write in the task that submits it, if that takes no waiting for I/O. Gives
/// the request back if a worker has to serve it, or the rest of it.
pub(crate) fn try_nowait<T: IoDevice>(
    mut rq: Request<T>,
    task: &InlineContext,
) -> Option<ForWorker<T>> {
    let Some(backing) = rq.published() else {
        fail_late(rq);
        return None;
    };
    if backing.pin.is_some() {
        return lower::try_nowait(rq, task);
    }
    let pos = position(&rq, backing);
    let direct = is_direct(&rq, backing, pos);
    let remap = direct && backing.mode == IoMode::Remap;
    if let Err(why) = can_nowait(&rq, backing, direct, remap, task) {
        *rq.data_mut() = Cmd {
            direct,
            ..Cmd::default()
        };
        let rest = ForWorker { rq, why };
        return match why.is_without_data() {
            true => lower::try_without_data(rest, task),
            false => Some(rest),
        };
    }
    *rq.data_mut() = Cmd {
        direct,
        phase: if remap {
            Phase::NowaitRemap
        } else {
            Phase::NowaitKiocb
        },
        ..Cmd::default()
    };
    if remap {
        rq = remap::try_submit(rq, task, |rq| remap_target(rq, pos))?;
        // The lower device did not take the bio as it is.
        if let Err(why) = can_serve_bio(&rq, task) {
            rq.data_mut().phase = Phase::New;
            return Some(ForWorker { rq, why });
        }
        rq.data_mut().phase = Phase::NowaitKiocb;
    }
    let Ended(rq, result) = kiocb::try_submit(rq, task, |rq| kiocb_params(rq, pos))?;
    // Retry every nowait error from a worker, without IOCB_NOWAIT.
    advance(rq, result.map_err(|_| EAGAIN))
}

/// Counts a nowait submission and adapts the backoff.
#[inline(always)]
fn note_nowait<T: IoDevice>(rq: &mut Request<T>, served: bool) {
    let remapped = rq.data().phase == Phase::NowaitRemap;
    rq.data_mut().phase = Phase::Started;
    let Some(backing) = rq.published() else {
        return;
    };
    let (op, kind) = (rq.op(), Counter::of(rq.op(), rq.data().direct));
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

/// Serves a read or write, or the rest of one, from a worker. Sleeps.
pub(super) fn start<T: IoDevice>(mut rq: Request<T>) {
    if rq.data().phase == Phase::New {
        if let Some(backing) = rq.published() {
            let direct = fits_direct(&rq, backing);
            backing.stats.count(Counter::of(rq.op(), direct));
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
        let pos = rq.published().and_then(|b| position(&rq, b));
        let Some(Ended(rq, result)) = kiocb::submit(rq, |rq| kiocb_params(rq, pos)) else {
            return;
        };
        next = advance(rq, result).map(|rest| rest.rq);
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
    if backing.invalidate_range(pos, rq.bytes()).is_err() {
        return rq.end(Err(EIO));
    }
    if let Some(rq) = remap::submit(rq, |rq| remap_target(rq, Some(pos))) {
        rq.end(Err(EIO));
    }
}

/// Begins I/O of a request, where direct writes and cached I/O exclude each other. Gives the
/// request back if the I/O may begin now. Any context.
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

/// Takes the result of I/O that completed asynchronously. Any context: the rest of a request is
/// queued to a worker.
#[inline(always)]
pub(crate) fn complete<T: IoDevice>(rq: Request<T>, result: Result<u32>) {
    let whole = result.is_ok_and(|n| n >= rq.bytes());
    if whole && rq.data().phase == Phase::NowaitRemap {
        return end_remapped(rq);
    }
    if let Some(rest) = advance(rq, result) {
        IoEngine::queue(rest);
    }
}

/// Ends a read or write that the lower device has served nowait, all of it. What [`advance`] does
/// for other I/O, such a request does not need. Any context.
#[inline(always)]
fn end_remapped<T: IoDevice>(rq: Request<T>) {
    if let Some(backing) = rq.published() {
        let kind = match rq.op() {
            Op::Read => Counter::ReadDirect,
            _ => Counter::WriteDirect,
        };
        backing.stats.count_two(kind, Counter::Remapped);
        backing.backoff(rq.op()).reset();
    }
    rq.end(Ok(()));
}

/// The kiocb for the rest of a request at `pos`.
fn kiocb_params<T: IoDevice>(rq: &InFlight<T>, pos: Option<i64>) -> Option<KiocbParams<'_>> {
    let backing = rq.published()?;
    Some(KiocbParams {
        file: &backing.file,
        pos: pos?,
        done: rq.data().done,
        direct: rq.data().direct,
        dsync: rq.op() == Op::Write && rq.flags().fua(),
        dontcache: backing.mode.is_direct(),
    })
}

/// The lower device and the sector there for a request at `pos`.
fn remap_target<T: IoDevice>(rq: &InFlight<T>, pos: Option<i64>) -> Option<remap::Target<'_>> {
    Some(remap::Target {
        file: &rq.published()?.file,
        sector: pos? as u64 >> SECTOR_SHIFT,
    })
}

/// Whether a request that direct I/O can't serve may go through the page cache. A write may only
/// with exclusion: a cached write of a part of a page reads the rest of that page, next to direct
/// writes of it.
fn may_fall_back<T: IoDevice>(rq: &InFlight<T>) -> bool {
    let excluded = rq.published().is_some_and(|b| b.mode.is_mixed());
    !rq.flags().atomic() && (rq.op() == Op::Read || excluded)
}

/// Takes the result of a submission. Gives the request back if the rest has to be submitted, else
/// ends it. Any context.
fn advance<T: IoDevice>(mut rq: Request<T>, result: Result<u32>) -> Option<ForWorker<T>> {
    let direct = rq.data().direct;
    if matches!(rq.data().phase, Phase::NowaitRemap | Phase::NowaitKiocb) {
        // EOPNOTSUPP: the lower device is no longer polled, or does not know REQ_NOWAIT.
        let refused = result.is_err_and(|e| e == EAGAIN || e == errno::opnotsupp());
        note_nowait(&mut rq, !refused);
        if refused {
            let why = match direct || rq.op() != Op::Read {
                true => WorkerReason::Refused,
                false => WorkerReason::NotCached,
            };
            return Some(ForWorker { rq, why });
        }
    }
    let why = match result {
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
            WorkerReason::Short
        }
        // Nothing was transferred, or the file refuses direct I/O for this request.
        Ok(_) if direct && may_fall_back(&rq) => {
            rq.data_mut().buffered = true;
            WorkerReason::DirectRefused
        }
        Err(e) if (e == EINVAL || e == errno::opnotsupp()) && direct && may_fall_back(&rq) => {
            rq.data_mut().buffered = true;
            WorkerReason::DirectRefused
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
    };
    if let Some(backing) = rq.published() {
        backing.stats.count(Counter::Continued);
        let direct = fits_direct(&rq, backing);
        rq.data_mut().direct = direct;
    }
    Some(ForWorker { rq, why })
}
