// SPDX-License-Identifier: GPL-2.0

//! The choice of the way that a new request takes: direct or not, nowait or by a worker, and why.
//! What is inlined here returns to the caller from each check, without a value for the way.

use super::IoDevice;
use crate::{
    backing::Backing,
    geometry,
    io_mode::IoMode,
    stats::WorkerReason, //
};
use kernel::prelude::*;
use kernel_ext::block::{
    mq::{
        InFlight,
        InlineContext,
        Op, //
    },
    SECTOR_SHIFT, //
};

/// The largest write that the submitting task copies to the page cache itself, in bytes. A worker
/// copies a larger one while the task goes on.
const MAX_NOWAIT_COPY: u32 = 128 << 10;

/// Whether a kiocb can serve nowait what the lower device did not take as a bio.
pub(super) fn can_serve_bio<T: IoDevice>(
    rq: &InFlight<T>,
    task: &InlineContext,
) -> Result<(), WorkerReason> {
    if rq.flags().atomic() {
        return Err(WorkerReason::Atomic);
    }
    if rq.flags().fua() {
        return Err(WorkerReason::Fua);
    }
    Ok(task.may_serve(rq)?)
}

/// Whether a new request at `pos` can use IOCB_DIRECT.
#[inline(always)]
pub(super) fn is_direct<T: IoDevice>(
    rq: &InFlight<T>,
    backing: &Backing,
    pos: Option<i64>,
) -> bool {
    backing.mode.is_direct()
        && pos.is_some_and(|pos| geometry::aligned(pos, rq.bytes(), backing.align.offset))
}

/// Whether the backing can serve a request nowait, as a bio (`remap`) or as a kiocb, and the task
/// may do so.
#[inline(always)]
pub(super) fn can_nowait<T: IoDevice>(
    rq: &InFlight<T>,
    backing: &Backing,
    direct: bool,
    remap: bool,
    task: &InlineContext,
) -> Result<(), WorkerReason> {
    let op = rq.op();
    if op != Op::Read && op != Op::Write {
        return Err(without_data(op));
    }
    backing.nowait?;
    // With exclusion, a request might have to wait for its turn.
    if backing.mode.is_mixed() {
        return Err(WorkerReason::Exclusion);
    }
    task.may_work()?;
    if direct && rq.bytes() > backing.max_nowait_bytes {
        return Err(match backing.max_nowait_bytes {
            0 => WorkerReason::NoNowait,
            _ => WorkerReason::TooLong,
        });
    }
    if op == Op::Write {
        can_nowait_write(rq, backing, direct, remap, task)?;
    } else if !direct && !backing.regular {
        // Cached reads of a block device take its inode lock in spite of IOCB_NOWAIT.
        return Err(WorkerReason::Buffered);
    }
    if !remap {
        task.may_serve(rq)?;
    }
    match backing.backoff(op).should_try() {
        true => Ok(()),
        false => Err(WorkerReason::Backoff),
    }
}

/// Why a worker serves requests that are no reads and writes.
#[cold]
fn without_data(op: Op) -> WorkerReason {
    match op {
        Op::Flush => WorkerReason::Flush,
        Op::Discard => WorkerReason::Discard,
        Op::WriteZeroes => WorkerReason::WriteZeroes,
        _ => WorkerReason::Other,
    }
}

/// As [`can_nowait`], what matters to writes alone.
#[inline(always)]
fn can_nowait_write<T: IoDevice>(
    rq: &InFlight<T>,
    backing: &Backing,
    direct: bool,
    remap: bool,
    task: &InlineContext,
) -> Result<(), WorkerReason> {
    if backing.read_only {
        return Err(WorkerReason::ReadOnly);
    }
    // The lower device takes bios with all their flags.
    if remap {
        return Ok(());
    }
    // The file waits for a durable write.
    if rq.flags().fua() {
        return Err(WorkerReason::Fua);
    }
    if backing.sync_writes {
        return Err(WorkerReason::Sync);
    }
    if !direct && (backing.mode == IoMode::Remap || !backing.nowait_buffered_writes) {
        return Err(WorkerReason::Buffered);
    }
    if !direct && rq.bytes() > MAX_NOWAIT_COPY {
        return Err(WorkerReason::LongCopy);
    }
    // A file system with nowait cached writes may serve a direct write as one.
    if backing.nowait_buffered_writes {
        task.may_write_cache()?;
    }
    Ok(())
}

/// Where a request begins in the backing file, in bytes.
pub(super) fn position<T: IoDevice>(rq: &InFlight<T>, backing: &Backing) -> Option<i64> {
    geometry::position(rq.sector() << SECTOR_SHIFT, rq.bytes(), backing.offset)
}

/// Whether the rest of a request can use IOCB_DIRECT.
pub(super) fn fits_direct<T: IoDevice>(rq: &InFlight<T>, backing: &Backing) -> bool {
    let cmd = rq.data();
    backing.mode.is_direct()
        && !cmd.buffered
        && position(rq, backing).is_some_and(|pos| {
            let (pos, left) = (pos + i64::from(cmd.done), rq.bytes() - cmd.done);
            geometry::aligned(pos, left, backing.align.offset)
        })
}
