// SPDX-License-Identifier: GPL-2.0

//! Requests without data: flush, discard and write-zeroes.

use crate::{
    backing::Backing,
    geometry,
    io::cmd::Host,
    stats::Counter, //
};
use kernel::prelude::*;
use kernel_ext::{
    block::{
        mq::{
            Op,
            Request, //
        },
        SECTOR_SHIFT, //
    },
    errno,
    fs::SpaceMode, //
};

/// Makes all that was written durable. Sleeps.
pub(crate) fn flush(backing: &Backing) -> Result {
    backing.stats.count(Counter::Flush);
    // (The time of the last write is nothing that the disk above knows of.)
    backing.file.fdatasync()
}

/// Serves a discard or a write-zeroes request. Sleeps.
pub(crate) fn change<T: Host>(rq: Request<T>) {
    let Some(backing) = rq.published() else {
        return rq.end(Err(EIO));
    };
    let mode = if rq.op() == Op::Discard {
        backing.stats.count(Counter::Discard);
        SpaceMode::Punch
    } else {
        backing.stats.count(Counter::WriteZeroes);
        // Without this flag the caller lets the space go, which is cheaper.
        if rq.flags().nounmap() {
            SpaceMode::Zero
        } else {
            SpaceMode::Punch
        }
    };
    let at = rq.sector() << SECTOR_SHIFT;
    let Some(pos) = geometry::position(at, rq.bytes(), backing.offset) else {
        return rq.end(Err(EIO));
    };
    let result = backing.file.change_space(mode, pos, rq.bytes());
    if result == Err(errno::opnotsupp()) && backing.refused.note(mode) {
        correct(&rq, backing, mode);
    }
    rq.end(result);
}

/// Takes what was refused out of the limits. Sleeps.
///
/// That waits for all requests, among them those that wait for this worker.
fn correct<T: Host>(rq: &Request<T>, backing: &Backing, mode: SpaceMode) {
    let (refused, disk) = (backing.refused.clone(), rq.disk());
    let job = move || {
        // Limits that only shrink are not refused.
        let _ = disk.update_limits_frozen(|limits| refused.apply(limits), |_| ());
    };
    if rq.device().wq().spawn(job).is_err() {
        backing.refused.forget(mode);
    }
}
