// SPDX-License-Identifier: GPL-2.0

//! Kernel I/O on a file for a request: `struct kiocb`, pinned in the request's data.
//!
//! [`submit`] takes a request and has the file transfer the request's own bvecs. The ownership
//! comes back once: to the submitter if the I/O has ended by then, else through
//! [`Operations::io_done`]. Two references decide which, one of the submitter and one of the
//! completion: whoever lets go last has the request, so the completion never frees what the
//! submitter still looks at.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)

use crate::{
    bio::{
        Bio,
        Bvec, //
    },
    block::mq::{
        InFlight,
        InlineContext,
        Op,
        Operations,
        Pdu,
        Request,
        INLINE_BVECS, //
    },
    fs::BackingFile,
    helpers,
    iov::{
        Direction,
        IovIter, //
    }, //
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
    sync::atomic::{
        Full,
        Relaxed, //
    },
    types::Opaque, //
};

/// How a request is transferred.
pub struct KiocbParams<'a> {
    /// The file, which must stay where the request found it until the request ends.
    pub file: &'a BackingFile,
    /// Where the request begins in the file, in bytes.
    pub pos: i64,
    /// Bytes of the request that are already transferred.
    pub done: u32,
    /// `IOCB_DIRECT`: past the page cache, and ending later where the file can.
    pub direct: bool,
    /// `IOCB_DSYNC`: durable when it ends.
    pub dsync: bool,
    /// `IOCB_DONTCACHE`, where the file knows it: what the page cache holds of it is dropped soon.
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
            // From the page cache or not at all.
            | bit(nowait && !self.direct && !write, helpers::io::NOIO)
    }
}

/// The I/O has ended: the request again, and the bytes that were transferred.
pub struct Ended<T: Operations>(pub Request<T>, pub Result<u32>);

/// Transfers what is left of a read or write request. May sleep.
///
/// A part may be transferred, as by `pread(2)`; a merged request for whose bvecs there is no
/// memory is transferred bio by bio. `None` if the I/O is under way.
///
/// `f` is called once; if it has no file to offer, the request comes back with EIO. As it must
/// work for every lifetime, the file that it returns is one that lives as long as the request.
pub fn submit<T, F>(rq: Request<T>, f: F) -> Option<Ended<T>>
where
    T: Operations,
    F: for<'a> FnOnce(&'a InFlight<T>) -> Option<KiocbParams<'a>>,
{
    start(rq, false, f)
}

/// As [`submit`], in the task that brings the request and without waiting for I/O: `IOCB_NOWAIT`,
/// and for cached reads `IOCB_NOIO`. EAGAIN, now or later, is the answer if it would have to
/// wait.
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
    // SAFETY: We took the request over, and it stays started until it is passed on below.
    let rq = unsafe { InFlight::<T>::from_raw(raw) };
    let (Some(io), Some(direction)) = (f(rq), rq.op().direction()) else {
        // SAFETY: We own the request.
        return Some(Ended(unsafe { Request::from_raw(raw) }, Err(EIO)));
    };
    let write = direction == Direction::Source;
    // SAFETY: We own the request, so its data is ours.
    let pdu = unsafe { Pdu::<T>::of(raw) };
    let whole = rq.only_bio().filter(|_| io.done == 0);
    let mut iter = match whole {
        Some(_) => None,
        // SAFETY: As above. The table and the memory live until the request ends.
        None => unsafe { remaining::<T>(pdu, rq, direction, io.done) },
    };

    let polled = nowait && io.direct && rq.polls_on(io.file);
    // SAFETY: The kiocb is idle, as we own the request. The file outlives the request, see above.
    // The shim looks whether the file has the operation and the position is one.
    let ret = unsafe {
        (*pdu).kiocb_refs.store(2, Relaxed);
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
            // All has been transferred.
            (None, None) => 0,
        }
    };
    if ret != -(bindings::EIOCBQUEUED as isize) {
        // SAFETY: Not queued, so `complete` is never called and both references are ours.
        return Some(unsafe { into_ended(pdu, ret) });
    }
    // SAFETY: The submitter's reference keeps the request until here.
    if unsafe { (*pdu).kiocb_refs.fetch_sub(1, Full) } == 2 {
        return None;
    }
    // SAFETY: The completion came first and left the request to us, with its result.
    Some(unsafe {
        let ret = (*pdu).kiocb_ret;
        into_ended(pdu, ret as isize)
    })
}

/// `ki_complete`: the I/O has ended. Any context.
///
/// # Safety
///
/// For the file only: `iocb` is one that [`submit`] passed to it and that it queued.
unsafe extern "C" fn complete<T: Operations>(iocb: *mut bindings::kiocb, ret: c_long) {
    let iocb = iocb.cast::<Opaque<bindings::kiocb>>();
    // SAFETY: Every kiocb with this callback stands in a `Pdu<T>`.
    let pdu: *mut Pdu<T> = unsafe { kernel::container_of!(iocb, Pdu<T>, kiocb) };
    // SAFETY: The completion's reference keeps the request until here.
    unsafe {
        // Neither a request's length nor an errno is more than this holds.
        (*pdu).kiocb_ret = ret as i32;
        if (*pdu).kiocb_refs.fetch_sub(1, Full) == 2 {
            return;
        }
    }
    // SAFETY: The submitter has let go, so the request is ours.
    let Ended(rq, result) = unsafe { into_ended(pdu, ret) };
    T::io_done(rq, result);
}

/// # Safety
///
/// The caller must own the request of `pdu`, whose kiocb has ended with `ret`.
unsafe fn into_ended<T: Operations>(pdu: *mut Pdu<T>, ret: isize) -> Ended<T> {
    // SAFETY: Submission took freeze protection for a write, and the file is alive. Both submitter
    // and completion have let go of it.
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
    // SAFETY: By the caller.
    Ended(unsafe { Request::from_raw(Pdu::request(pdu)) }, result)
}

/// The memory of a request from byte `done` on, or a part of it; `None` at its end.
///
/// # Safety
///
/// The caller must own the request of `pdu`, which is `rq`, and no kiocb may be under way.
unsafe fn remaining<'a, T: Operations>(
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
        // SAFETY: The caller owns the request, so the table is free.
        match unsafe { collect::<T>(pdu, first) } {
            Some(bvecs) => IovIter::from_bvecs(direction, bvecs, usize::MAX),
            // One bio needs no table. The rest follows when it is done.
            None => IovIter::from_bio(direction, first),
        }
    };
    if skip > 0 {
        iter.advance(skip as usize);
    }
    Some(iter)
}

/// Copies the bvecs of `first` and the bios behind it into the request's table; `None` if there is
/// no memory for so many.
///
/// # Safety
///
/// The caller must own the request of `pdu`, and the table must not be in use.
unsafe fn collect<'a, T: Operations>(pdu: *mut Pdu<T>, first: &'a Bio) -> Option<&'a [Bvec<'a>]> {
    let bvecs = || crate::bio::Bios(Some(first)).flat_map(|bio| bio.bvecs());
    let count = bvecs().count();
    if count <= INLINE_BVECS {
        // SAFETY: The caller owns the request, which is in no list and not passed on as a clone.
        let table: *mut Bvec<'a> = unsafe { Pdu::inline_bvecs(pdu) }.cast();
        for (i, bvec) in bvecs().enumerate() {
            // SAFETY: The table has room for so many, and `Bvec` is transparent.
            unsafe { table.add(i).write(bvec) };
        }
        // SAFETY: Written above. The table stays until the request ends, and with it the memory that
        // the bvecs name.
        return Some(unsafe { core::slice::from_raw_parts(table, count) });
    }
    let mut heap = KVec::with_capacity(count, GFP_NOWAIT).ok()?;
    for bvec in bvecs() {
        // SAFETY: The request, which the table belongs to, keeps the memory.
        let bvec = unsafe { core::mem::transmute::<Bvec<'a>, Bvec<'static>>(bvec) };
        heap.push(bvec, GFP_NOWAIT).ok()?;
    }
    // SAFETY: The caller owns the request. The table stays until it ends or is collected again, when no
    // kiocb reads it.
    Some(unsafe {
        (*pdu).heap_bvecs = heap;
        core::slice::from_raw_parts((*pdu).heap_bvecs.as_ptr(), count)
    })
}

/// Fills what a read still lacks with zeroes, from byte `done` on; leaves others alone. Any context.
pub fn zero_rest<T: Operations>(rq: &Request<T>, done: u32) {
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
