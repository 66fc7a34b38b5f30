// SPDX-License-Identifier: GPL-2.0

//! Passing a request on to another block device: its bio is cloned, and the clone is submitted
//! there.
//!
//! [`submit`] and [`try_submit`] take a [`Request`] and a [`Target`], the device and the sector.
//! The clone is in the per-request area and owns the request while it is in flight. The ownership
//! comes back through [`Operations::io_done`], or from the call if the request can't be passed on.
//!
//! This is less work than a kiocb, and the clone keeps the cgroup, priority, hints and most flags
//! of the bio.
//!
//! # Examples
//!
//! A disk that is a part of another block device.
//!
//! ```
//! use kernel::prelude::*;
//! use kernel_ext::{
//!     block::mq::{
//!         remap::{
//!             self,
//!             Target, //
//!         },
//!         DeviceData,
//!         InFlight,
//!         InlineContext,
//!         Operations,
//!         Request, //
//!     },
//!     fs::BackingFile, //
//! };
//!
//! /// The start of the disk on the lower device, in sectors.
//! const START: u64 = 2048;
//!
//! /// A driver that publishes the lower device.
//! trait PartDriver: Operations + DeviceData<Published = BackingFile> {}
//!
//! fn target<T: PartDriver>(rq: &InFlight<T>) -> Option<Target<'_>> {
//!     Some(Target {
//!         file: rq.published()?,
//!         sector: START + rq.sector(),
//!     })
//! }
//!
//! /// Passes a read or write on from `queue_rq`. Returns the request if a worker has to serve it.
//! ///
//! /// If the request comes back through `io_done` with EAGAIN, a worker has to serve it, too.
//! fn try_pass_on<T: PartDriver>(rq: Request<T>, task: &InlineContext) -> Option<Request<T>> {
//!     if task.may_work().is_err() {
//!         return Some(rq);
//!     }
//!     remap::try_submit(rq, task, target)
//! }
//! ```
//!
//! C header: [`include/linux/bio.h`](srctree/include/linux/bio.h)

use super::{
    inline_context::InlineContext,
    operations::Operations,
    pdu::Pdu,
    request::{
        InFlight,
        Request, //
    }, //
};
use crate::{
    fs::BackingFile,
    helpers, //
};
use kernel::{
    bindings,
    error::Error, //
};

/// The place that a request is passed on to.
pub struct Target<'a> {
    /// An open block device, which must stay open until the request ends.
    pub file: &'a BackingFile,
    /// The start of the request on it, in 512-byte sectors.
    pub sector: u64,
}

/// Passes a read or write on without waiting: `REQ_NOWAIT`. The request may end with EAGAIN.
///
/// Returns the request if only the file operations may serve it: it has several bios, an encryption
/// context or integrity data; `target` is not a block device, or has pages in its page cache; the
/// request is out of bounds or unaligned; or it is a write and the device is read-only or swap
/// space. Returns the request also if `f` returns `None`.
///
/// `f` is called once. It must work for every lifetime, so the file that it returns lives as long
/// as the request.
pub fn try_submit<T, F>(rq: Request<T>, _task: &InlineContext, f: F) -> Option<Request<T>>
where
    T: Operations,
    F: for<'a> FnOnce(&'a InFlight<T>) -> Option<Target<'a>>,
{
    start(rq, true, f)
}

/// As [`try_submit`], for workers: waits, and ignores the page cache of the device, of which the
/// caller has invalidated the range ([`BackingFile::invalidate_range`]). Sleeps.
pub fn submit<T, F>(rq: Request<T>, f: F) -> Option<Request<T>>
where
    T: Operations,
    F: for<'a> FnOnce(&'a InFlight<T>) -> Option<Target<'a>>,
{
    start(rq, false, f)
}

#[inline(always)]
fn start<T, F>(rq: Request<T>, nowait: bool, f: F) -> Option<Request<T>>
where
    T: Operations,
    F: for<'a> FnOnce(&'a InFlight<T>) -> Option<Target<'a>>,
{
    let Some(target) = f(&rq) else {
        return Some(rq);
    };
    let (file, sector) = (target.file.as_raw(), target.sector);
    let mut more = if nowait { NOWAIT } else { 0 };
    let polled = nowait && rq.polls_on(target.file);
    if polled {
        more |= POLLED;
    }
    let raw = rq.into_raw();
    // SAFETY: The request is owned here, so its clone is not in use. The device stays open until
    // the request ends, see `Target`. `kx_bio_remap()` checks that it is a block device and that
    // there is a bio. If the clone is submitted, `ended` takes over the request.
    unsafe {
        let pdu = Pdu::<T>::of(raw);
        let clone = Pdu::clone(pdu);
        if helpers::kx_bio_remap(clone, raw, file, sector, more, ended::<T>) {
            if polled {
                (*pdu).polled.bio();
            }
            helpers::kx_bio_remap_submit(clone);
            return None;
        }
        // The clone was not submitted, so the request is still owned here.
        Some(Request::from_raw(raw))
    }
}

const NOWAIT: u32 = 1 << bindings::req_flag_bits___REQ_NOWAIT;
const POLLED: u32 = 1 << bindings::req_flag_bits___REQ_POLLED;

/// Handles the end of a clone: `bi_end_io`. Any context.
///
/// # Safety
///
/// For the block layer only. The caller must pass a clone that [`submit`] or [`try_submit`]
/// submitted, and hand it over.
unsafe extern "C" fn ended<T: Operations>(clone: *mut bindings::bio) {
    // SAFETY: Every bio with this callback is the clone of a `Pdu<T>`.
    let pdu = unsafe { Pdu::<T>::of_clone(clone) };
    // SAFETY: The block layer hands over the clone, which was initialised when it was submitted.
    let errno = unsafe {
        (*pdu).polled.end();
        helpers::kx_bio_remapped(clone)
    };
    // SAFETY: The clone owned its request, by `start`, and hands it over.
    let rq = unsafe { Request::<T>::from_raw(Pdu::request(pdu)) };
    let result = match errno {
        0 => Ok(rq.bytes()),
        e => Err(Error::from_errno(e)),
    };
    T::io_done(rq, result);
}
