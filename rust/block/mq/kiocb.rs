// SPDX-License-Identifier: GPL-2.0

//! I/O on a file for a request: `struct kiocb`, pinned in the per-request area.
//!
//! [`submit`] and [`try_submit`] take a [`Request`] and [`KiocbParams`], and have the file transfer
//! the bvecs of the request itself. The file owns the kiocb, and with it the request, while it is
//! in flight. The ownership comes back once: from the call, as [`Ended`], if the I/O has ended by
//! then, else through [`Operations::io_done`].
//!
//! Two references decide which, one of the submitter and one of the completion. The party that
//! drops the last one gets the request, so the completion never frees an area that the submitter
//! still reads.
//!
//! # Examples
//!
//! Direct I/O on a file. `io_done` of the driver takes the result in the same way as `serve`, but
//! queues the rest of a short transfer to a worker.
//!
//! ```
//! use kernel::prelude::*;
//! use kernel_ext::{
//!     block::{
//!         mq::{
//!             kiocb::{
//!                 self,
//!                 Ended,
//!                 KiocbParams, //
//!             },
//!             DeviceData,
//!             InFlight,
//!             Operations,
//!             Request, //
//!         },
//!         SECTOR_SHIFT, //
//!     },
//!     fs::BackingFile, //
//! };
//!
//! /// A driver that publishes the file. The data of a request is the number of bytes that are
//! /// transferred, which `queue_rq` sets to 0.
//! trait FileDriver: Operations + DeviceData<RequestData = u32, Published = BackingFile> {}
//!
//! fn params<T: FileDriver>(rq: &InFlight<T>) -> Option<KiocbParams<'_>> {
//!     Some(KiocbParams {
//!         file: rq.published()?,
//!         pos: (rq.sector() << SECTOR_SHIFT) as i64,
//!         done: *rq.data(),
//!         direct: true,
//!         dsync: rq.flags().fua(),
//!         dontcache: false,
//!     })
//! }
//!
//! /// Serves a read or write from a worker. Sleeps.
//! fn serve<T: FileDriver>(mut rq: Request<T>) {
//!     // `None`: the I/O is in flight, and `io_done` gets the request.
//!     while let Some(Ended(ended, result)) = kiocb::submit(rq, params) {
//!         rq = ended;
//!         match result {
//!             Ok(n) if n > 0 => *rq.data_mut() += n,
//!             // The file is shorter than the disk.
//!             Ok(_) => return rq.end(Err(EIO)),
//!             Err(e) => return rq.end(Err(e)),
//!         }
//!         if *rq.data() == rq.bytes() {
//!             return rq.end(Ok(()));
//!         }
//!     }
//! }
//! ```
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)

use super::{
    device_data::DeviceData,
    inline_context::InlineContext,
    op::Op,
    operations::Operations,
    pdu::{
        Pdu,
        INLINE_BVECS, //
    },
    request::{
        InFlight,
        Request, //
    }, //
};
use crate::{
    bio::{
        Bio,
        Bvec, //
    },
    fs::BackingFile,
    helpers,
    iov::{
        Direction,
        IovIter, //
    },
    sync::ReadOnce, //
};
use kernel::{
    alloc::{
        flags::GFP_NOWAIT,
        KVec, //
    },
    bindings,
    error::Error,
    ffi::c_long,
    prelude::*,
    sync::atomic::Full,
    types::Opaque, //
};

/// The parameters of a transfer.
pub struct KiocbParams<'a> {
    /// The file, which must stay published where the request found it until the request ends.
    pub file: &'a BackingFile,
    /// The start of the request in the file, in bytes.
    pub pos: i64,
    /// The number of bytes of the request that are already transferred.
    pub done: u32,
    /// `IOCB_DIRECT`: bypasses the page cache, and completes asynchronously where the file can.
    pub direct: bool,
    /// `IOCB_DSYNC`: the data is durable on completion.
    pub dsync: bool,
    /// `IOCB_DONTCACHE`, if the file supports it: its pages are dropped from the page cache soon.
    pub dontcache: bool,
}

impl KiocbParams<'_> {
    fn flags(&self, nowait: bool, write: bool, polled: bool) -> u32 {
        let bit = |on: bool, flag: u32| if on { flag } else { 0 };
        bit(self.direct, helpers::io::DIRECT)
            | bit(self.dsync, helpers::io::DSYNC)
            | bit(self.dontcache, helpers::io::DONTCACHE)
            | bit(nowait, helpers::io::NOWAIT)
            | bit(polled, helpers::io::POLLED)
            // Nowait buffered reads must hit the page cache (IOCB_NOIO).
            | bit(nowait && !self.direct && !write, helpers::io::NOIO)
    }
}

/// The request of I/O that has ended, and the number of bytes that were transferred.
pub struct Ended<T: DeviceData>(pub Request<T>, pub Result<u32>);

/// Transfers the rest of a read or write request. May sleep.
///
/// The transfer may be short, as with `pread(2)`: a merged request for whose bvecs there is no
/// memory is transferred bio by bio. Returns `None` if the I/O is in flight.
///
/// `f` is called once; if it returns `None`, the request comes back with EIO. It must work for
/// every lifetime, so the file that it returns lives as long as the request.
pub fn submit<T, F>(rq: Request<T>, f: F) -> Option<Ended<T>>
where
    T: Operations,
    F: for<'a> FnOnce(&'a InFlight<T>) -> Option<KiocbParams<'a>>,
{
    start(rq, false, f)
}

/// As [`submit`], in the task that submits the request and without waiting for I/O: `IOCB_NOWAIT`,
/// and `IOCB_NOIO` for buffered reads. The I/O ends with EAGAIN, at once or later, if it would have
/// to wait.
pub fn try_submit<T, F>(rq: Request<T>, _task: &InlineContext, f: F) -> Option<Ended<T>>
where
    T: Operations,
    F: for<'a> FnOnce(&'a InFlight<T>) -> Option<KiocbParams<'a>>,
{
    start(rq, true, f)
}

#[inline(always)]
fn start<T, F>(rq: Request<T>, nowait: bool, f: F) -> Option<Ended<T>>
where
    T: Operations,
    F: for<'a> FnOnce(&'a InFlight<T>) -> Option<KiocbParams<'a>>,
{
    let raw = rq.into_raw();
    // SAFETY: `into_raw` handed over the request, which is started and stays so until it is passed
    // on below.
    let rq = unsafe { InFlight::<T>::from_raw(raw) };
    let (Some(io), Some(direction)) = (f(rq), rq.op().direction()) else {
        // SAFETY: The request is owned here.
        return Some(Ended(unsafe { Request::from_raw(raw) }, Err(EIO)));
    };
    let write = direction == Direction::Source;
    // SAFETY: The request is owned here, and with it its area.
    let pdu = unsafe { Pdu::<T>::of(raw) };
    let whole = rq.only_bio().filter(|_| io.done == 0);
    let mut iter = match whole {
        Some(_) => None,
        // SAFETY: As above, and the kiocb is not in flight. The table and the memory live until the
        // request ends.
        None => unsafe { remaining::<T>(pdu, rq, direction, io.done) },
    };

    let polled = nowait && io.direct && rq.polls_on(io.file);
    // SAFETY: The request is owned here, so its kiocb is idle. The file stays until the request
    // ends, see `KiocbParams`. The shim checks that the file has the operation and the mode, and
    // that the range is valid.
    let ret = unsafe {
        (*pdu).kiocb_refs.write_once(2);
        let kiocb = (*pdu).kiocb.get();
        helpers::kx_kiocb_init(
            kiocb,
            io.file.as_raw(),
            io.pos.wrapping_add(io.done.into()),
            raw,
            io.flags(nowait, write, polled),
            complete::<T>,
        );
        if polled {
            (*pdu).polled.kiocb();
        }
        (*pdu).kiocb_write = write && helpers::kx_kiocb_start_write(kiocb);
        match (whole, &mut iter) {
            _ if write && !(*pdu).kiocb_write => -(bindings::EAGAIN as isize),
            (Some(bio), _) => helpers::kx_kiocb_submit_bio(kiocb, bio.as_raw(), write),
            (_, Some(iter)) => helpers::kx_kiocb_submit(kiocb, iter.as_raw(), write),
            // There is nothing left to transfer.
            (None, None) => 0,
        }
    };
    if ret != -(bindings::EIOCBQUEUED as isize) {
        // SAFETY: Not queued, so `complete` is never called, and both references are dropped here.
        return Some(unsafe { into_ended(pdu, ret) });
    }
    // SAFETY: The submitter's reference keeps the request until here.
    if unsafe { (*pdu).kiocb_refs.fetch_sub(1, Full) } == 2 {
        return None;
    }
    // SAFETY: The completion has dropped its reference and stored the result, so the request is
    // owned here.
    Some(unsafe {
        let ret = (*pdu).kiocb_ret;
        into_ended(pdu, ret as isize)
    })
}

/// Handles the completion of a kiocb: `ki_complete`. Any context.
///
/// # Safety
///
/// For the file only. The caller must pass a kiocb that [`submit`] or [`try_submit`] passed to it
/// and that it queued, and call this once.
unsafe extern "C" fn complete<T: Operations>(iocb: *mut bindings::kiocb, ret: c_long) {
    let iocb = iocb.cast::<Opaque<bindings::kiocb>>();
    // SAFETY: Every kiocb with this callback is in a `Pdu<T>`.
    let pdu: *mut Pdu<T> = unsafe { kernel::container_of!(iocb, Pdu<T>, kiocb) };
    // SAFETY: The completion's reference keeps the request until here.
    unsafe {
        // The field holds every length of a request and every errno.
        (*pdu).kiocb_ret = ret as i32;
        if (*pdu).kiocb_refs.fetch_sub(1, Full) == 2 {
            return;
        }
    }
    // SAFETY: The submitter has dropped its reference, so the request is owned here.
    let Ended(rq, result) = unsafe { into_ended(pdu, ret) };
    T::io_done(rq, result);
}

/// # Safety
///
/// The caller must own the request of `pdu`, and its kiocb must have ended with `ret`.
unsafe fn into_ended<T: DeviceData>(pdu: *mut Pdu<T>, ret: isize) -> Ended<T> {
    // SAFETY: Both the submitter and the completion have dropped their references, so the kiocb is
    // idle. For a write `start` took freeze protection, and the file stays until the request ends.
    unsafe {
        if (*pdu).polled.end() {
            helpers::kx_kiocb_end_poll((*pdu).kiocb.get());
        }
        if (*pdu).kiocb_write {
            helpers::kx_kiocb_end_write((*pdu).kiocb.get());
        }
    }
    let result = if ret < 0 {
        Err(Error::from_errno(ret as i32))
    } else {
        Ok(ret as u32)
    };
    // SAFETY: The caller owns the request.
    Ended(unsafe { Request::from_raw(Pdu::request(pdu)) }, result)
}

/// Returns the memory of a request from byte `done` on, or a part of it; `None` if nothing is left.
/// Any context.
///
/// # Safety
///
/// The caller must own the request of `pdu`, which is `rq`, and its kiocb must not be in flight.
unsafe fn remaining<'a, T: DeviceData>(
    pdu: *mut Pdu<T>,
    rq: &'a InFlight<T>,
    direction: Direction,
    done: u32,
) -> Option<IovIter<'a>> {
    let mut skip = done;
    let mut bios = rq.bios();
    let first = bios.find(|bio| {
        let here = skip < bio.bytes();
        if !here {
            skip -= bio.bytes();
        }
        here
    })?;
    let mut iter = if first.next().is_none() {
        IovIter::from_bio(direction, first)
    } else {
        // SAFETY: The caller owns the request, and its kiocb is not in flight, so the table is
        // free.
        match unsafe { collect::<T>(pdu, first) } {
            Some(bvecs) => IovIter::from_bvecs(direction, bvecs, usize::MAX),
            // A single bio needs no table. The rest follows when this part is transferred.
            None => IovIter::from_bio(direction, first),
        }
    };
    if skip > 0 {
        iter.advance(skip as usize);
    }
    Some(iter)
}

/// Copies the bvecs of `first` and the bios behind it into the request's table. Returns `None` if
/// there is no memory for the table. Any context.
///
/// # Safety
///
/// The caller must own the request of `pdu`, which `first` belongs to, and its table must not be in
/// use.
unsafe fn collect<'a, T: DeviceData>(pdu: *mut Pdu<T>, first: &'a Bio) -> Option<&'a [Bvec<'a>]> {
    let bvecs = || crate::bio::Bios(Some(first)).flat_map(|bio| bio.bvecs());
    let count = bvecs().count();
    if count <= INLINE_BVECS {
        // SAFETY: The caller owns the request, which is on no list and not passed on as a clone, so
        // the overlay is free.
        let table: *mut Bvec<'a> = unsafe { Pdu::inline_bvecs(pdu) }.cast();
        for (i, bvec) in bvecs().enumerate() {
            // SAFETY: The table has room for `count` bvecs, and `Bvec` is transparent.
            unsafe { table.add(i).write(bvec) };
        }
        // SAFETY: Written above. The table stays until the request ends, and with it the memory of
        // the bvecs.
        return Some(unsafe { core::slice::from_raw_parts(table, count) });
    }
    let mut heap = KVec::with_capacity(count, GFP_NOWAIT).ok()?;
    for bvec in bvecs() {
        // SAFETY: The table belongs to the request, which keeps the memory of the bvecs.
        let bvec = unsafe { core::mem::transmute::<Bvec<'a>, Bvec<'static>>(bvec) };
        heap.push(bvec, GFP_NOWAIT).ok()?;
    }
    // SAFETY: The caller owns the request. The table stays until the request ends or until it is
    // collected again, when no kiocb reads it.
    Some(unsafe {
        (*pdu).heap_bvecs = heap;
        core::slice::from_raw_parts((*pdu).heap_bvecs.as_ptr(), count)
    })
}

/// Zeroes the rest of a read, from byte `done` on; leaves other requests alone. Any context.
pub fn zero_rest<T: DeviceData>(rq: &Request<T>, done: u32) {
    if rq.op() != Op::Read {
        return;
    }
    let mut start = 0;
    for bio in rq.bios() {
        let skip = done.saturating_sub(start).min(bio.bytes());
        let mut iter = IovIter::from_bio(Direction::Dest, bio);
        iter.advance(skip as usize);
        iter.zero();
        start += bio.bytes();
    }
}
