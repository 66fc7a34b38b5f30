// SPDX-License-Identifier: GPL-2.0

//! Requests: `struct request`, from its start to its end.

use super::{
    device_data::DeviceData,
    hctx::HwCtx,
    op::{
        Op,
        RequestFlags, //
    },
    pdu::Pdu,
    queue::{
        DeviceGuard,
        RequestQueue, //
    },
    trace, //
};
use crate::{
    bio::{
        Bio,
        Bios, //
    },
    errno,
    helpers, //
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
    types::Opaque, //
};

/// The outcome of [`Operations::queue_rq`](super::Operations::queue_rq). Only
/// [`NewRequest::start`] makes one.
pub struct Outcome(pub(super) bindings::blk_status_t);

impl Outcome {
    pub(super) fn into_status(self) -> bindings::blk_status_t {
        self.0
    }
}

/// A request that has arrived and is not started.
///
/// # Invariants
///
/// The driver owns `rq`, which is of a tag set for `T` and is not started.
pub struct NewRequest<T: DeviceData> {
    rq: NonNull<bindings::request>,
    _p: PhantomData<T>,
}

impl<T: DeviceData> NewRequest<T> {
    /// # Safety
    ///
    /// The block layer must have handed `rq` over, and the caller must pass a request of a tag set
    /// for `T`.
    pub(super) unsafe fn from_raw(rq: *mut bindings::request) -> Self {
        Self {
            // SAFETY: The caller passes a request.
            rq: unsafe { NonNull::new_unchecked(rq) },
            _p: PhantomData,
        }
    }

    /// Returns the hardware queue of the request. Any context.
    pub(super) fn hctx<'a>(&self) -> &'a HwCtx<T> {
        // SAFETY: By the type invariant the request is to be issued, so it has an hctx, which stays
        // as long as its queue.
        unsafe { HwCtx::from_raw((*self.rq.as_ptr()).mq_hctx) }
    }

    /// Starts the request: `blk_mq_start_request()`. Traces `rloop_submit`.
    pub fn start(self) -> (Request<T>, Outcome) {
        // SAFETY: By the type invariant the request is owned here and not started.
        unsafe {
            bindings::blk_mq_start_request(self.rq.as_ptr());
            trace::submit(self.rq.as_ptr());
        }
        // SAFETY: Started above. `self` hands over the request.
        let rq = unsafe { Request::from_raw(self.rq.as_ptr()) };
        (rq, Outcome(bindings::BLK_STS_OK as bindings::blk_status_t))
    }
}

/// A request in flight: wraps `struct request`, started and not ended. All methods: any context.
///
/// # Invariants
///
/// The request is of a tag set for `T`, started, and not ended while the reference lives. It holds
/// a reference to its queue, so the queue can't be frozen in that time, and its disk is not
/// released.
#[repr(transparent)]
pub struct InFlight<T: DeviceData>(Opaque<bindings::request>, PhantomData<T>);

impl<T: DeviceData> InFlight<T> {
    /// # Safety
    ///
    /// The caller must uphold the type invariants for `rq` for all of `'a`.
    pub(crate) unsafe fn from_raw<'a>(rq: *mut bindings::request) -> &'a Self {
        // SAFETY: Transparent over `struct request`, which the caller keeps in flight.
        unsafe { &*rq.cast() }
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::request {
        self.0.get()
    }

    /// Returns the operation.
    pub fn op(&self) -> Op {
        // SAFETY: By the type invariant the request is valid and its flags do not change.
        Op::from_raw(unsafe { (*self.as_raw()).cmd_flags })
    }

    /// Returns the flags.
    pub fn flags(&self) -> RequestFlags {
        // SAFETY: As in `op`.
        RequestFlags(unsafe { (*self.as_raw()).cmd_flags })
    }

    /// Returns the first 512-byte sector: `blk_rq_pos()`.
    pub fn sector(&self) -> u64 {
        // SAFETY: By the type invariant the request is valid.
        unsafe { (*self.as_raw()).__sector }
    }

    /// Returns the length in bytes: `blk_rq_bytes()`.
    pub fn bytes(&self) -> u32 {
        // SAFETY: By the type invariant the request is valid.
        unsafe { (*self.as_raw()).__data_len }
    }

    /// Returns the bio of a request with data, if there is exactly one.
    pub(crate) fn only_bio(&self) -> Option<&Bio> {
        // SAFETY: By the type invariant the request is valid.
        let (first, last) = unsafe { ((*self.as_raw()).bio, (*self.as_raw()).biotail) };
        // SAFETY: The bios of a request are owned with it.
        (first == last && !first.is_null()).then(|| unsafe { Bio::from_raw(first) })
    }

    /// Returns whether the request has one bio, or as a flush none.
    pub(crate) fn is_one_bio(&self) -> bool {
        // SAFETY: By the type invariant the request is valid.
        unsafe { (*self.as_raw()).bio == (*self.as_raw()).biotail }
    }

    /// Returns the bios of a request with data; a merged one has several.
    pub fn bios(&self) -> Bios<'_> {
        if self.op().direction().is_none() {
            return Bios(None);
        }
        // SAFETY: By the type invariant the request is valid.
        let bio = unsafe { (*self.as_raw()).bio };
        // SAFETY: The bios of a request are owned with it.
        Bios((!bio.is_null()).then(|| unsafe { Bio::from_raw(bio) }))
    }

    /// Returns the driver's data for this request.
    pub fn data(&self) -> &T::RequestData {
        // SAFETY: The driver owns the request and changes its data only through `&mut Request`,
        // which can't exist while `self` is borrowed from it.
        unsafe { &(*Pdu::<T>::of(self.as_raw())).data }
    }

    /// Returns the driver's data for the disk.
    pub fn device(&self) -> &T {
        self.queue().device()
    }

    /// Returns the driver's data for the disk, in a guard that may outlive the request.
    pub fn device_guard(&self) -> DeviceGuard<T> {
        // SAFETY: By the type invariant the request is in flight for as long as `self`.
        unsafe { DeviceGuard::new(self.queue()) }
    }

    /// Returns the published value, see [`FrozenQueue::publish`]. It stays while the request is in
    /// flight, so this takes neither lock nor reference.
    ///
    /// [`FrozenQueue::publish`]: super::FrozenQueue::publish
    pub fn published(&self) -> Option<&T::Published> {
        // SAFETY: By the type invariant the request is in flight for as long as `self`.
        unsafe { self.queue().published() }
    }

    /// Traces `rloop_fallback`: the request goes to a worker, for this reason.
    pub fn trace_fallback(&self, reason: &CStr) {
        // SAFETY: By the type invariant the request is in flight.
        unsafe { trace::fallback(self.as_raw(), reason) };
    }

    /// Returns the queue.
    pub(crate) fn queue(&self) -> &RequestQueue<T> {
        // SAFETY: By the type invariant the queue and its disk are live.
        unsafe { RequestQueue::from_raw((*self.as_raw()).q) }
    }
}

/// A started request that the driver owns, and must end once.
///
/// Dropping it without ending it warns once and ends it with `BLK_STS_IOERR`, so that the device
/// does not hang.
///
/// # Invariants
///
/// The driver owns `rq`: started, not ended, and of a tag set for `T`.
pub struct Request<T: DeviceData> {
    rq: NonNull<bindings::request>,
    _p: PhantomData<T>,
}

// SAFETY: Any task may end a request, and its data is `Send`.
unsafe impl<T: DeviceData> Send for Request<T> {}

impl<T: DeviceData> Request<T> {
    /// # Safety
    ///
    /// The caller must own `rq`, which must be started and of a tag set for `T`, and hand it over.
    pub(crate) unsafe fn from_raw(rq: *mut bindings::request) -> Self {
        Self {
            // SAFETY: The caller passes a request.
            rq: unsafe { NonNull::new_unchecked(rq) },
            _p: PhantomData,
        }
    }

    /// Hands the request over to the caller without ending it. Any context.
    pub(crate) fn into_raw(self) -> *mut bindings::request {
        let rq = self.rq.as_ptr();
        mem::forget(self);
        rq
    }

    /// Returns the driver's data for this request, to change it. Any context.
    pub fn data_mut(&mut self) -> &mut T::RequestData {
        // SAFETY: By the type invariant the request is owned by `self`, so its data is only used
        // here.
        unsafe { &mut (*Pdu::<T>::of(self.rq.as_ptr())).data }
    }

    /// Ends the whole request: `blk_mq_end_request()`. Traces `rloop_complete`. Any context.
    ///
    /// EDQUOT, which has no `BLK_STS_*`, is reported as no space: it is no I/O error.
    ///
    /// This may complete requests above, on the same stack. Without room for that, the request is
    /// ended in a softirq of its own.
    pub fn end(self, result: Result) {
        let status = status_of(result);
        // SAFETY: By the type invariant the request is owned here.
        unsafe { trace::complete(self.rq.as_ptr(), status) };
        self.finish(0, status);
    }

    /// Ends the first `good` bytes with success, if fewer than all, and the rest with `status`.
    #[inline(always)]
    pub(super) fn finish(self, good: u32, status: bindings::blk_status_t) {
        let rq = self.into_raw();
        // SAFETY: `into_raw` handed over the request, which goes to the block layer or to `defer`.
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
    /// For [`Self::finish`] only. The caller must hand over `rq`.
    unsafe extern "C" fn defer(rq: *mut bindings::request, good: u32, status: u8) {
        // SAFETY: The caller hands over the request, which is in flight and keeps its queue's data.
        unsafe {
            RequestQueue::<T>::from_raw((*rq).q)
                .data()
                .deferred()
                .push(rq, good, status)
        };
    }

    /// Ends a deferred request: the [`EndFn`](super::deferred::EndFn) of [`QueueData`].
    ///
    /// # Safety
    ///
    /// The caller must own `rq`, which must be started and of a tag set for `T`, and hand it over.
    ///
    /// [`QueueData`]: super::queue::QueueData
    pub(crate) unsafe fn end_deferred(
        rq: *mut bindings::request,
        good: u32,
        status: bindings::blk_status_t,
    ) {
        // SAFETY: The caller hands over the request.
        unsafe { Self::from_raw(rq) }.finish(good, status);
    }

    /// Ends the whole request with success: `blk_mq_complete_request()`. On the CPU that submitted
    /// it, if that shares no cache with this one. Any context.
    pub fn complete(self) {
        let rq = self.into_raw();
        // SAFETY: `into_raw` handed over the request, which `OperationsVTable::complete` ends.
        unsafe { helpers::kx_rq_complete(rq) };
    }
}

impl<T: DeviceData> Request<T> {
    /// Ends the first `done` bytes of a read with success and the rest with `error`, so that the
    /// complete bios of a merged request do not fail. Traces `rloop_complete`. Any context.
    pub fn end_read_at(self, done: u32, error: Error) {
        let good = if self.op() == Op::Read { done } else { 0 };
        let status = status_of(Err(error));
        // SAFETY: By the type invariant the request is owned here.
        unsafe { trace::complete(self.rq.as_ptr(), status) };
        self.finish(good, status);
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
    // SAFETY: No requirements.
    unsafe { bindings::errno_to_blk_status(e.to_errno()) }
}

impl<T: DeviceData> Deref for Request<T> {
    type Target = InFlight<T>;

    fn deref(&self) -> &InFlight<T> {
        // SAFETY: By the type invariant the request is in flight while `self` lives.
        unsafe { InFlight::from_raw(self.rq.as_ptr()) }
    }
}

impl<T: DeviceData> Drop for Request<T> {
    fn drop(&mut self) {
        pr_warn_once!("a request was dropped without an end: it fails\n");
        // SAFETY: By the type invariant the request is owned by `self`, which is gone after this.
        unsafe { Request::<T>::from_raw(self.rq.as_ptr()) }.end(Err(EIO));
    }
}
