// SPDX-License-Identifier: GPL-2.0

//! Requests as bios to a lower device: each operation, to the device itself or to the extents of a
//! pinned file.
//!
//! [`submit`] and [`try_submit`] take a [`Request`] and a [`Target`]. A request with one bio in one
//! extent is cloned in the per-request area; another one is split, and that area has the parent of
//! the pieces. The bio owns the request while it is in flight. The ownership comes back through
//! [`Operations::lower_done`], or from the call if nothing was submitted.
//!
//! [`remap`](super::remap) is for reads and writes of a device whose page cache other programs may
//! use; it leaves the requests that don't fit to the file operations of the device. Here nothing is
//! left to a file.
//!
//! A write to a pinned file holds freeze protection of its file system until it ends. A discard is
//! submitted as `REQ_OP_WRITE_ZEROES`, as what is discarded must read back as zeroes.
//!
//! # Examples
//!
//! ```
//! use kernel::{
//!     prelude::*,
//!     sync::Arc, //
//! };
//! use kernel_ext::{
//!     block::mq::{
//!         lower::{
//!             self,
//!             Target, //
//!         },
//!         DeviceData,
//!         InFlight,
//!         Operations,
//!         Request, //
//!     },
//!     fs::PinnedFile, //
//! };
//!
//! /// A driver whose disk is a pinned file.
//! trait PinDriver: Operations + DeviceData<Published = Arc<PinnedFile>> {}
//!
//! fn target<T: PinDriver>(rq: &InFlight<T>) -> Option<Target<'_>> {
//!     Some(Target::Pinned {
//!         file: rq.published()?,
//!         sector: rq.sector(),
//!         fua: false,
//!     })
//! }
//!
//! /// Serves a request from a worker. Sleeps.
//! fn serve<T: PinDriver>(rq: Request<T>) {
//!     if let Err((rq, e)) = lower::submit(rq, target) {
//!         rq.end(Err(e));
//!     }
//! }
//! ```
//!
//! C header: [`include/linux/bio.h`](srctree/include/linux/bio.h)

use super::{
    device_data::DeviceData,
    inline_context::InlineContext,
    op::Op,
    operations::Operations,
    pdu::Pdu,
    request::{
        InFlight,
        Request, //
    }, //
};
use crate::{
    bio::{
        Bio,
        Bios, //
    },
    block::{
        bdev::BlockDevice,
        SECTOR_SHIFT, //
    },
    fs::PinnedFile,
    helpers, //
};
use core::ptr;
use kernel::{
    bindings,
    error::Error,
    prelude::*, //
};

/// The place that a request goes to. What it borrows must stay until the request ends.
pub enum Target<'a> {
    /// A device.
    Device {
        /// The device.
        device: &'a BlockDevice,
        /// The start of the request on it, in 512-byte sectors.
        sector: u64,
    },
    /// The extents of a file.
    Pinned {
        /// The file. It must not be released before the request ends.
        file: &'a PinnedFile,
        /// The start of the request in it, in 512-byte sectors.
        sector: u64,
        /// Make a write durable before it ends, even without `REQ_FUA`.
        fua: bool,
    },
}

/// Submits a request without waiting: `REQ_NOWAIT`. It may end with EAGAIN, or with EOPNOTSUPP if
/// the device does not know `REQ_NOWAIT`.
///
/// Gives the request back with EAGAIN if the file system of a pinned file is frozen, EROFS for a
/// write if that is read-only by now, EPERM for a write to a device that is read-only or swap
/// space, and EIO if the request is not within the file, has several bios for a device, or if `f`
/// returns `None`. The device refuses an [`Op::Other`].
///
/// `f` is called once. It must work for every lifetime, so what it returns lives as long as the
/// request.
pub fn try_submit<T, F>(
    rq: Request<T>,
    _task: &InlineContext,
    f: F,
) -> Result<(), (Request<T>, Error)>
where
    T: Operations,
    F: for<'a> FnOnce(&'a InFlight<T>) -> Option<Target<'a>>,
{
    start(rq, true, f)
}

/// As [`try_submit`], but waits. Sleeps.
pub fn submit<T, F>(rq: Request<T>, f: F) -> Result<(), (Request<T>, Error)>
where
    T: Operations,
    F: for<'a> FnOnce(&'a InFlight<T>) -> Option<Target<'a>>,
{
    start(rq, false, f)
}

/// A request with its place on the device, and the freeze protection that it holds.
struct Place<'a> {
    device: &'a BlockDevice,
    /// The sector of the device that the request begins at.
    sector: u64,
    /// A pinned file in which the request goes on in another extent, and its first sector there.
    split: Option<(&'a PinnedFile, u64)>,
    /// The super block whose freeze protection the request holds; null for none.
    sb: *mut bindings::super_block,
    flags: u32,
}

#[inline(always)]
fn start<T, F>(rq: Request<T>, nowait: bool, f: F) -> Result<(), (Request<T>, Error)>
where
    T: Operations,
    F: for<'a> FnOnce(&'a InFlight<T>) -> Option<Target<'a>>,
{
    let raw = rq.into_raw();
    // SAFETY: `into_raw` handed over the request, which is started and stays so until it is passed
    // on below.
    let rq = unsafe { InFlight::<T>::from_raw(raw) };
    let place = match place(rq, nowait, f(rq)) {
        Ok(place) => place,
        // SAFETY: The request is still owned here.
        Err(e) => return Err((unsafe { Request::from_raw(raw) }, e)),
    };
    let mut flags = place.flags;
    if nowait {
        flags |= NOWAIT;
    }
    let polled = nowait && place.split.is_none() && rq.polls_on_device(place.device);
    if polled {
        flags |= POLLED;
    }
    // SAFETY: The request is owned here, so its clone is not in use. The device stays until the
    // request ends, see `Target`. `ended` takes over the request, once: when the bio or, if there
    // are pieces, the last of these and `kx_lower_submitted()` have ended it.
    unsafe {
        let pdu = Pdu::<T>::of(raw);
        let bio = Pdu::clone(pdu);
        helpers::kx_lower_init(
            bio,
            raw,
            place.device.as_raw(),
            place.sector,
            flags,
            ended::<T>,
            place.sb,
        );
        if let Some((file, sector)) = place.split {
            let all = submit_pieces(rq, bio, file, sector);
            helpers::kx_lower_submitted(bio, all);
            return Ok(());
        }
        if polled {
            (*pdu).polled.bio();
        }
        helpers::kx_lower_submit(bio);
    }
    Ok(())
}

/// Finds the place of a request, and takes freeze protection for a write to a pinned file.
#[inline(always)]
fn place<'a, T: DeviceData>(
    rq: &'a InFlight<T>,
    nowait: bool,
    target: Option<Target<'a>>,
) -> Result<Place<'a>> {
    let whole = |device, sector| Place {
        device,
        sector,
        split: None,
        sb: ptr::null_mut(),
        flags: 0,
    };
    let (file, sector, fua) = match target {
        Some(Target::Pinned { file, sector, fua }) => (file, sector, fua),
        Some(Target::Device { device, sector }) if rq.is_one_bio() => {
            // SAFETY: The device is live while it is borrowed.
            if rq.flags().is_write() && !unsafe { helpers::kx_bdev_may_write(device.as_raw()) } {
                return Err(EPERM);
            }
            return Ok(whole(device, sector));
        }
        _ => return Err(EIO),
    };
    let sectors = u64::from(rq.bytes() >> SECTOR_SHIFT);
    if sectors == 0 {
        return Ok(whole(file.device(), 0));
    }
    let run = file.find(sector).ok_or(EIO)?;
    let mut place = whole(file.device(), run.sector);
    if sectors > run.sectors || !rq.is_one_bio() {
        if sector.saturating_add(sectors) > file.sectors() {
            return Err(EIO);
        }
        place.split = Some((file, sector));
    }
    if rq.flags().is_write() {
        file.start_write(nowait)?;
        place.sb = file.super_block();
        if fua && rq.op() == Op::Write {
            place.flags = FUA;
        }
    }
    Ok(place)
}

/// Submits a request that begins at sector `at` of a pinned file as pieces, each within a bio and
/// an extent. Returns whether all are submitted; without `REQ_NOWAIT` they are.
///
/// # Safety
///
/// The caller must own the request, whose parent is `parent`, initialised by `kx_lower_init()`.
#[cold]
unsafe fn submit_pieces<T: DeviceData>(
    rq: &InFlight<T>,
    parent: *mut bindings::bio,
    file: &PinnedFile,
    mut at: u64,
) -> bool {
    // A request without data has one bio, which has a length but no memory.
    // SAFETY: By the invariant of `InFlight` the request is valid, and its bios belong to it.
    let first = unsafe { (*rq.as_raw()).bio.as_ref().map(|bio| Bio::from_raw(bio)) };
    for bio in Bios(first) {
        let (mut skip, bytes) = (0, bio.bytes());
        while skip < bytes {
            // The caller has compared the end of the request with that of the file.
            let Some(run) = file.find(at) else {
                return false;
            };
            let piece = run.sectors.min(u64::from((bytes - skip) >> SECTOR_SHIFT)) as u32;
            let len = piece << SECTOR_SHIFT;
            // SAFETY: The caller owns the request, and with it the bio and the parent. The piece
            // is within both the bio and the extent.
            let submitted = unsafe {
                helpers::kx_lower_submit_piece(
                    parent,
                    bio.as_raw(),
                    skip,
                    len,
                    run.sector,
                    file.bios(),
                )
            };
            if !submitted {
                return false;
            }
            skip += len;
            at += u64::from(piece);
        }
    }
    true
}

const NOWAIT: u32 = 1 << bindings::req_flag_bits___REQ_NOWAIT;
const POLLED: u32 = 1 << bindings::req_flag_bits___REQ_POLLED;
const FUA: u32 = 1 << bindings::req_flag_bits___REQ_FUA;

/// Handles the end of a bio: `bi_end_io`. Any context.
///
/// # Safety
///
/// For the block layer only. The caller must pass a bio that [`submit`] or [`try_submit`]
/// submitted, and hand it over.
unsafe extern "C" fn ended<T: Operations>(bio: *mut bindings::bio) {
    // SAFETY: Every bio with this callback is the clone of a `Pdu<T>`.
    let pdu = unsafe { Pdu::<T>::of_clone(bio) };
    // SAFETY: The block layer hands over the bio, which was initialised when it was submitted.
    let errno = unsafe {
        (*pdu).polled.end();
        helpers::kx_lower_ended(bio)
    };
    // SAFETY: The bio owned its request, by `start`, and hands it over.
    let rq = unsafe { Request::<T>::from_raw(Pdu::request(pdu)) };
    let result = match errno {
        0 => Ok(()),
        e => Err(Error::from_errno(e)),
    };
    T::lower_done(rq, result);
}
