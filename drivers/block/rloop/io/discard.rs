// SPDX-License-Identifier: GPL-2.0

//! Requests without data: flush, discard and write-zeroes.

use super::IoDevice;
use crate::{
    backing::Backing,
    geometry,
    stats::Counter, //
};
use kernel::prelude::*;
use kernel_ext::{
    block::{
        gen_disk::Disk,
        mq::{
            Op,
            Request, //
        },
        SECTOR_SHIFT, //
    },
    errno,
    fs::FallocMode, //
};

/// Makes all completed writes durable. Sleeps.
pub(super) fn flush(backing: &Backing) -> Result {
    backing.stats.count(Counter::Flush);
    // The disk above has no use for the file's timestamps, so data is enough.
    backing.file.fdatasync()
}

/// Serves a discard or write-zeroes request with `fallocate()`. Sleeps.
pub(super) fn fallocate<T: IoDevice>(rq: Request<T>) {
    let Some(backing) = rq.published() else {
        return rq.end(Err(EIO));
    };
    let mode = if rq.op() == Op::Discard {
        backing.stats.count(Counter::Discard);
        FallocMode::PunchHole
    } else {
        backing.stats.count(Counter::WriteZeroes);
        // Without REQ_NOUNMAP the range may be deallocated, which is cheaper.
        if rq.flags().nounmap() {
            FallocMode::ZeroRange
        } else {
            FallocMode::PunchHole
        }
    };
    let at = rq.sector() << SECTOR_SHIFT;
    let Some(pos) = geometry::position(at, rq.bytes(), backing.offset) else {
        return rq.end(Err(EIO));
    };
    let result = backing.file.fallocate(mode, pos, rq.bytes());
    if result == Err(errno::opnotsupp()) && backing.unsupported.note(mode) {
        shrink_limits(&rq, backing, mode);
    }
    rq.end(result);
}

/// Takes an operation that the file does not support out of the limits of the disk. Sleeps.
///
/// The update freezes the queue, and so waits for all requests, some of which wait for this worker:
/// it runs in a work item of its own.
fn shrink_limits<T: IoDevice>(rq: &Request<T>, backing: &Backing, mode: FallocMode) {
    let unsupported = backing.unsupported.clone();
    let update = move |disk: &Disk<T>| {
        // Limits that only shrink are not refused.
        let _ = disk.update_limits_frozen(
            |_, limits| {
                unsupported.apply(limits);
                Ok::<_, Error>(())
            },
            |_, ()| (),
        );
    };
    if rq.spawn_with_disk(rq.device().io().wq(), update).is_err() {
        backing.unsupported.forget(mode);
    }
}
