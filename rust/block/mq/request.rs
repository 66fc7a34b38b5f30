// SPDX-License-Identifier: GPL-2.0

//! `struct request`, from its arrival to its end.

use super::{
    HwCtx,
    Operations,
    Pdu,
    QueueData, //
};
use crate::{
    bio::{
        Bio,
        Bios, //
    },
    block::gen_disk::{
        Disk,
        DiskRef, //
    },
    errno,
    helpers,
    iov::Direction, //
};
use core::{
    marker::PhantomData,
    mem,
    ops::Deref,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    error::Error,
    pr_warn_once,
    prelude::*,
    sync::Arc,
    types::Opaque, //
};

/// What a request asks for: `req_op()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// Fill the bvecs from the device.
    Read,
    /// Write the bvecs to the device.
    Write,
    /// Make all completed writes durable. Has no data and no sector.
    Flush,
    /// Give the range back.
    Discard,
    /// Make the range read back as zeroes.
    WriteZeroes,
    /// Anything else.
    Other,
}

impl Op {
    /// Which way the data goes, for the two that have data.
    pub fn direction(self) -> Option<Direction> {
        match self {
            Op::Read => Some(Direction::Dest),
            Op::Write => Some(Direction::Source),
            _ => None,
        }
    }

    /// Whether the device is changed.
    pub fn is_write(self) -> bool {
        matches!(self, Op::Write | Op::Discard | Op::WriteZeroes)
    }
}

/// `REQ_*` flags of a request.
#[derive(Clone, Copy)]
pub struct RequestFlags(u32);

impl RequestFlags {
    /// `REQ_FUA`: durable before it is ended.
    pub fn fua(self) -> bool {
        self.0 & (1 << bindings::req_flag_bits___REQ_FUA) != 0
    }

    /// `REQ_ATOMIC`: all of it or nothing.
    pub fn atomic(self) -> bool {
        self.0 & (1 << bindings::req_flag_bits___REQ_ATOMIC) != 0
    }

    /// `REQ_POLLED`: somebody asks for its end.
    pub fn polled(self) -> bool {
        self.0 & (1 << bindings::req_flag_bits___REQ_POLLED) != 0
    }

    /// `REQ_NOUNMAP`: zeroes must keep their space.
    pub fn nounmap(self) -> bool {
        self.0 & (1 << bindings::req_flag_bits___REQ_NOUNMAP) != 0
    }
}

/// What [`Operations::queue_rq`] made of a request.
///
/// It can't be made up: [`NewRequest::start`] is the only source.
pub struct Outcome(pub(super) bindings::blk_status_t);

impl Outcome {
    pub(super) fn into_status(self) -> bindings::blk_status_t {
        self.0
    }
}

/// A request that has just arrived and is not started.
pub struct NewRequest<T: Operations> {
    rq: NonNull<bindings::request>,
    _p: PhantomData<T>,
}

impl<T: Operations> NewRequest<T> {
    /// # Safety
    ///
    /// The block layer must have handed `rq` to the driver, and `rq` must be of a tag set for `T`.
    pub(super) unsafe fn from_raw(rq: *mut bindings::request) -> Self {
        Self {
            // SAFETY: The caller passes a request.
            rq: unsafe { NonNull::new_unchecked(rq) },
            _p: PhantomData,
        }
    }

    /// The hardware queue that it is on.
    pub(super) fn hctx<'a>(&self) -> &'a HwCtx<T> {
        // SAFETY: A request that is ready to be issued has an hctx, which stays as long as its
        // queue, over which `HwCtx` is transparent.
        unsafe { &*(*self.rq.as_ptr()).mq_hctx.cast() }
    }

    /// Takes the request on, as `blk_mq_start_request()`.
    pub fn start(self) -> (Request<T>, Outcome) {
        // SAFETY: The request was handed to us and is not started, by construction.
        unsafe { bindings::blk_mq_start_request(self.rq.as_ptr()) };
        // SAFETY: Started, and the ownership moves from `self` to it.
        let rq = unsafe { Request::from_raw(self.rq.as_ptr()) };
        (rq, Outcome(bindings::BLK_STS_OK as bindings::blk_status_t))
    }
}

/// The readable side of a request that the driver owns: wraps `struct request`. All methods can be
/// called in any context.
///
/// # Invariants
///
/// The request is of a tag set for `T`, started, not ended, and stays so while the reference
/// lives. Its queue can't be frozen in that time, as the request holds a reference to it.
#[repr(transparent)]
pub struct InFlight<T: Operations>(Opaque<bindings::request>, PhantomData<T>);

impl<T: Operations> InFlight<T> {
    /// # Safety
    ///
    /// The type invariants must hold for `rq` for all of `'a`.
    pub(crate) unsafe fn from_raw<'a>(rq: *mut bindings::request) -> &'a Self {
        // SAFETY: Transparent over `struct request`; the caller keeps it valid.
        unsafe { &*rq.cast() }
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::request {
        self.0.get()
    }

    /// What it asks for.
    pub fn op(&self) -> Op {
        // SAFETY: By the type invariant the request is valid and its flags do not change.
        let flags = unsafe { (*self.as_raw()).cmd_flags };
        match flags & ((1 << bindings::REQ_OP_BITS) - 1) {
            bindings::req_op_REQ_OP_READ => Op::Read,
            bindings::req_op_REQ_OP_WRITE => Op::Write,
            bindings::req_op_REQ_OP_FLUSH => Op::Flush,
            bindings::req_op_REQ_OP_DISCARD => Op::Discard,
            bindings::req_op_REQ_OP_WRITE_ZEROES => Op::WriteZeroes,
            _ => Op::Other,
        }
    }

    /// Its flags.
    pub fn flags(&self) -> RequestFlags {
        // SAFETY: As in `op`.
        RequestFlags(unsafe { (*self.as_raw()).cmd_flags })
    }

    /// Where it begins, in 512-byte sectors: `blk_rq_pos()`.
    pub fn sector(&self) -> u64 {
        // SAFETY: By the type invariant the request is valid.
        unsafe { (*self.as_raw()).__sector }
    }

    /// How long it is, in bytes: `blk_rq_bytes()`.
    pub fn bytes(&self) -> u32 {
        // SAFETY: By the type invariant the request is valid.
        unsafe { (*self.as_raw()).__data_len }
    }

    /// The bio of a request with data that has no other.
    pub(crate) fn only_bio(&self) -> Option<&Bio> {
        // SAFETY: By the type invariant the request is valid.
        let (first, last) = unsafe { ((*self.as_raw()).bio, (*self.as_raw()).biotail) };
        // SAFETY: The bios of a request are owned with it.
        (first == last && !first.is_null()).then(|| unsafe { Bio::from_raw(first) })
    }

    /// The bios of a request with data; a merged one has several.
    pub fn bios(&self) -> Bios<'_> {
        if self.op().direction().is_none() {
            return Bios(None);
        }
        // SAFETY: By the type invariant the request is valid.
        let bio = unsafe { (*self.as_raw()).bio };
        // SAFETY: The bios of a request are owned with it.
        Bios((!bio.is_null()).then(|| unsafe { Bio::from_raw(bio) }))
    }

    /// The driver's data for this request.
    pub fn data(&self) -> &T::RequestData {
        // SAFETY: The driver owns the request, and changes its data only while it has the one
        // `&mut Request`, which can't be while `self` is borrowed from it.
        unsafe { &(*Pdu::<T>::of(self.as_raw())).data }
    }

    /// The driver's data for the disk.
    pub fn device(&self) -> &T {
        &self.queue_data().device
    }

    /// A reference to the same, which may outlive the request. Any context.
    pub fn device_ref(&self) -> Arc<T> {
        self.queue_data().device.clone()
    }

    /// A reference to its disk, which outlives the request. Any context.
    pub fn disk(&self) -> DiskRef<T> {
        // SAFETY: A request in flight keeps its queue, and the disk of an open queue, alive.
        DiskRef::new(unsafe { Disk::from_raw((*(*self.as_raw()).q).disk) })
    }

    /// What [`FrozenQueue::publish`] put there last.
    ///
    /// It can't be replaced while a request is in flight, so this takes neither lock nor reference.
    ///
    /// [`FrozenQueue::publish`]: super::FrozenQueue::publish
    pub fn published(&self) -> Option<&T::Published> {
        // SAFETY: A request in flight keeps the queue from being frozen.
        unsafe { self.queue_data().published() }
    }

    fn queue_data(&self) -> &QueueData<T> {
        // SAFETY: A request in flight keeps its queue alive, and so the queue's data.
        unsafe { QueueData::from_queue((*self.as_raw()).q) }
    }
}

/// A request that the driver owns: started, and to be ended once.
///
/// Dropping it without ending it ends it with `BLK_STS_IOERR` and warns once: better than a device
/// that hangs.
pub struct Request<T: Operations> {
    rq: NonNull<bindings::request>,
    _p: PhantomData<T>,
}

// SAFETY: A request may be ended by another task than the one that got it, and its data is `Send`.
unsafe impl<T: Operations> Send for Request<T> {}

impl<T: Operations> Request<T> {
    /// # Safety
    ///
    /// `rq` must be started, of a tag set for `T`, and the caller must own it and give it up.
    pub(crate) unsafe fn from_raw(rq: *mut bindings::request) -> Self {
        Self {
            // SAFETY: The caller passes a request.
            rq: unsafe { NonNull::new_unchecked(rq) },
            _p: PhantomData,
        }
    }

    /// Gives up the ownership without ending the request: the caller takes it over.
    pub(crate) fn into_raw(self) -> *mut bindings::request {
        let rq = self.rq.as_ptr();
        mem::forget(self);
        rq
    }

    /// The driver's data for this request, to change.
    pub fn data_mut(&mut self) -> &mut T::RequestData {
        // SAFETY: We own the request, so nobody else has its data.
        unsafe { &mut (*Pdu::<T>::of(self.rq.as_ptr())).data }
    }

    /// Ends all of the request, as `blk_mq_end_request()`. Any context.
    ///
    /// EDQUOT, for which there is no `BLK_STS_*`, is told as no space: it is no I/O error.
    ///
    /// What lies above may be completed by it, on the same stack. Where that has no room, the request
    /// is ended in a softirq of its own.
    pub fn end(self, result: Result) {
        self.finish(0, status_of(result));
    }

    /// Ends the first `good` bytes well, if that is not all, and the rest with `status`.
    #[inline(always)]
    pub(super) fn finish(self, good: u32, status: bindings::blk_status_t) {
        let rq = self.into_raw();
        // SAFETY: We own the request and have just given it up: to the block layer, or to `defer`.
        unsafe {
            let heap = &mut (*Pdu::<T>::of(rq)).heap_bvecs;
            if heap.capacity() > 0 {
                *heap = KVec::new();
            }
            if good > 0 {
                helpers::kx_rq_end_part(rq, status, Self::defer, good)
            } else {
                helpers::kx_rq_end(rq, status, Self::defer)
            }
        };
    }

    /// # Safety
    ///
    /// For [`Self::finish`] only, which hands over the request.
    unsafe extern "C" fn defer(rq: *mut bindings::request, good: u32, status: u8) {
        // SAFETY: By the caller. A request keeps its queue's data.
        unsafe {
            QueueData::<T>::from_queue((*rq).q)
                .deferred()
                .push(Self::from_raw(rq), good, status)
        };
    }

    /// Ends all of the request well, by the CPU that it came from if that shares no cache with this
    /// one: wraps `blk_mq_complete_request()`. Any context.
    pub fn complete(self) {
        let rq = self.into_raw();
        // SAFETY: We own the request and have just given it up; `OperationsVTable::complete` ends it.
        unsafe { helpers::kx_rq_complete(rq) };
    }
}

impl<T: Operations> Request<T> {
    /// Ends the first `done` bytes of a read well and the rest with an error: the bios of a merged
    /// request that are complete are not punished. Any context.
    pub fn end_read_at(self, done: u32, error: Error) {
        let good = if self.op() == Op::Read { done } else { 0 };
        self.finish(good, status_of(Err(error)));
    }
}

#[inline(always)]
fn status_of(result: Result) -> bindings::blk_status_t {
    match result {
        Ok(()) => bindings::BLK_STS_OK as bindings::blk_status_t,
        Err(e) => status_of_error(e),
    }
}

#[cold]
fn status_of_error(e: Error) -> bindings::blk_status_t {
    let e = if e == errno::dquot() { ENOSPC } else { e };
    // SAFETY: A plain table look-up.
    unsafe { bindings::errno_to_blk_status(e.to_errno()) }
}

impl<T: Operations> Deref for Request<T> {
    type Target = InFlight<T>;

    fn deref(&self) -> &InFlight<T> {
        // SAFETY: We own the request, which is started and not ended, for as long as `self`.
        unsafe { InFlight::from_raw(self.rq.as_ptr()) }
    }
}

impl<T: Operations> Drop for Request<T> {
    fn drop(&mut self) {
        pr_warn_once!("a request was dropped without an end: it fails\n");
        // SAFETY: We own the request and nobody can use `self` after this.
        unsafe { Request::<T>::from_raw(self.rq.as_ptr()) }.end(Err(EIO));
    }
}
