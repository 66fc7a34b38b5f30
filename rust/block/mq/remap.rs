// SPDX-License-Identifier: GPL-2.0

//! Passing a request on to another block device: its bio is cloned, and the clone submitted there.
//!
//! Less work than a kiocb, and the clone keeps what the bio says: its cgroup, priority, hints and
//! flags. The ownership comes back through [`Operations::io_done`].
//!
//! C header: [`include/linux/bio.h`](srctree/include/linux/bio.h)

use super::{
    InFlight,
    InlineContext,
    Operations,
    Pdu,
    Request, //
};
use crate::{
    fs::BackingFile,
    helpers, //
};
use kernel::{
    bindings,
    error::Error, //
};

/// Where a request goes.
pub struct Target<'a> {
    /// An open block device, which must stay open until the request ends.
    pub file: &'a BackingFile,
    /// Where the request begins on it, in 512-byte sectors.
    pub sector: u64,
}

/// Passes a read or write on, without waiting: `REQ_NOWAIT`. Its end may be EAGAIN.
///
/// The request comes back where a file's own checks are needed: it is made of several bios, the page
/// cache of the device holds something, or it does not fit the device. `f` is called once. As it must
/// work for every lifetime, the file that it returns is one that lives as long as the request.
pub fn try_submit<T, F>(rq: Request<T>, _task: &InlineContext, f: F) -> Option<Request<T>>
where
    T: Operations,
    F: for<'a> FnOnce(&'a InFlight<T>) -> Option<Target<'a>>,
{
    start(rq, true, f)
}

/// As [`try_submit`], for workers: waits, and does not look at the page cache of the device, which the
/// caller has invalidated ([`BackingFile::invalidate_range`]). Sleeps.
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
    // SAFETY: We own the request, so its clone is not in use. The device outlives the request, see
    // above; the shim looks whether it is one, and whether there is a bio. If it is submitted,
    // `ended` takes the ownership.
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
        // It was not, so the request is still ours.
        Some(Request::from_raw(raw))
    }
}

const NOWAIT: u32 = 1 << bindings::req_flag_bits___REQ_NOWAIT;
const POLLED: u32 = 1 << bindings::req_flag_bits___REQ_POLLED;

/// `bi_end_io`: the clone has ended. Any context.
///
/// # Safety
///
/// For the block layer only: `clone` is one that [`submit`] or [`try_submit`] submitted.
unsafe extern "C" fn ended<T: Operations>(clone: *mut bindings::bio) {
    // SAFETY: Every bio with this callback stands in a `Pdu<T>`.
    let pdu = unsafe { Pdu::<T>::of_clone(clone) };
    // SAFETY: The clone is ours again, and was initialised when it was submitted.
    let errno = unsafe {
        (*pdu).polled.end();
        helpers::kx_bio_remapped(clone)
    };
    // SAFETY: The clone had the ownership of its request.
    let rq = unsafe { Request::<T>::from_raw(Pdu::request(pdu)) };
    let result = match errno {
        0 => Ok(rq.bytes()),
        e => Err(Error::from_errno(e)),
    };
    T::io_done(rq, result);
}
