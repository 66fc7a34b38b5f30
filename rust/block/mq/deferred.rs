// SPDX-License-Identifier: GPL-2.0

//! [`DeferredEnds`]: ending requests in a softirq, for lack of room on the stack.
//!
//! Ending a request completes a bio of a file system or of a dm target above, which may end another
//! request on the same stack. A request that ends without room for this is put on a list of its
//! device, and a work item on `system_bh_wq` ends it, in a softirq of its own.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use super::{
    device_data::DeviceData,
    pdu::Pdu, //
};
use crate::helpers;
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::{
    bindings,
    container_of,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        rcu, //
    },
    types::Opaque, //
};

/// Ends a request: its first `good` bytes with success and the rest with `status`.
///
/// # Safety
///
/// The caller must own `rq`, which is of the queue that the function was given to, and hand it
/// over.
pub(crate) type EndFn =
    unsafe fn(rq: *mut bindings::request, good: u32, status: bindings::blk_status_t);

/// The requests of a device whose end is deferred. `QueueData` owns it.
///
/// # Invariants
///
/// - `first` heads a list of requests, linked by `next` of their [`Pdu`], which the list owns.
/// - While the list is not empty, `work` is queued, or about to be queued by the `push` that found
///   the list empty.
/// - It is freed after `flush`, which `DiskRegistration` calls an RCU grace period after the last
///   request has ended.
#[pin_data]
pub(crate) struct DeferredEnds<T: DeviceData> {
    first: Atomic<*mut bindings::request>,
    end: EndFn,
    #[pin]
    work: Opaque<bindings::work_struct>,
    _p: PhantomData<T>,
}

impl<T: DeviceData> DeferredEnds<T> {
    /// Returns an initialiser. `end` ends a request of the device.
    pub(super) fn new(end: EndFn) -> impl PinInit<Self> {
        pin_init!(Self {
            first: Atomic::new(ptr::null_mut()),
            end,
            work <- Opaque::ffi_init(|slot| {
                // SAFETY: `slot` is valid for writes and pinned.
                unsafe { helpers::kx_init_bh_work(slot, Self::callback) }
            }),
            _p: PhantomData,
        })
    }

    /// Ends a request later: its first `good` bytes with success and the rest with `status`. Any
    /// context.
    ///
    /// # Safety
    ///
    /// The caller must own `rq`, a request of this device in flight, and hand it over.
    pub(super) unsafe fn push(
        &self,
        rq: *mut bindings::request,
        good: u32,
        status: bindings::blk_status_t,
    ) {
        // As soon as the request is on the list it may end, and its disk be deleted. This read
        // section keeps `self` until the work item is queued, by the type invariant.
        let _rcu = rcu::read_lock();
        // SAFETY: The caller hands over the request, which is owned here until it is on the list.
        // It is on no other list, and its kiocb or clone has ended, so the area is free.
        let next = unsafe {
            let pdu = Pdu::<T>::of(rq);
            (*pdu).end_good = good;
            (*pdu).end_status = status;
            Pdu::next(pdu)
        };
        let mut first = self.first.load(Relaxed);
        loop {
            // SAFETY: As above.
            unsafe { *next = first };
            match self.first.cmpxchg(first, rq, Full) {
                Ok(_) => break,
                Err(now) => first = now,
            }
        }
        if first.is_null() {
            // SAFETY: `new` initialised the work item, and by the type invariant `self` stays until
            // `flush` has waited for it.
            unsafe { helpers::kx_queue_bh_work(self.work.get()) };
        }
    }

    /// Waits for the work item. The device must have no requests. Sleeps.
    pub(crate) fn flush(&self) {
        // SAFETY: `new` initialised the work item.
        unsafe { bindings::flush_work(self.work.get()) };
    }

    /// # Safety
    ///
    /// For the workqueue only. The caller must pass the `work` of a `DeferredEnds<T>`.
    unsafe extern "C" fn callback(work: *mut bindings::work_struct) {
        let work = work.cast::<Opaque<bindings::work_struct>>();
        // SAFETY: The workqueue passes the work item of a `DeferredEnds<T>`, which by the type
        // invariant stays until `flush` has waited for this call.
        let this: &Self = unsafe { &*container_of!(work, Self, work) };
        let mut stack = this.first.xchg(ptr::null_mut(), Full);
        let mut queue = ptr::null_mut();
        // The list is in reverse order: the request that came first is the last one.
        while !stack.is_null() {
            // SAFETY: By the type invariant the list owned these requests, and the exchange took it
            // over.
            unsafe {
                let next = Pdu::next(Pdu::<T>::of(stack));
                let rest = *next;
                *next = queue;
                queue = stack;
                stack = rest;
            }
        }
        while !queue.is_null() {
            // SAFETY: As above. Each request is passed on once, and not accessed after that.
            unsafe {
                let rq = queue;
                let pdu = Pdu::<T>::of(rq);
                queue = *Pdu::next(pdu);
                let (good, status) = ((*pdu).end_good, (*pdu).end_status);
                (this.end)(rq, good, status);
            }
        }
    }
}
