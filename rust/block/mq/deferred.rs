// SPDX-License-Identifier: GPL-2.0

//! Requests whose end is deferred: the stack had no room for what their end completes.
//!
//! The end of a request completes the bio of a file system or of a dm target above, and that may be
//! the completion of another request, on the same stack. A request that ends where there is no room
//! for this is put on a list of its device, and a work item of `system_bh_wq` ends it, in a softirq
//! of its own.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use super::{
    Operations,
    Pdu,
    Request, //
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

/// The requests of a device whose end is deferred.
///
/// # Invariants
///
/// `first` heads a list of requests that are linked by `next` of their [`Pdu`] and that the list owns;
/// the work item is queued while the list is not empty.
#[pin_data]
pub(super) struct DeferredEnds<T: Operations> {
    first: Atomic<*mut bindings::request>,
    #[pin]
    work: Opaque<bindings::work_struct>,
    _p: PhantomData<T>,
}

impl<T: Operations> DeferredEnds<T> {
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            first: Atomic::new(ptr::null_mut()),
            work <- Opaque::ffi_init(|slot| {
                // SAFETY: `slot` is valid for writes and pinned.
                unsafe { helpers::kx_init_bh_work(slot, Self::callback) }
            }),
            _p: PhantomData,
        })
    }

    /// Ends a request later: its first `good` bytes well and the rest with `status`. Any context.
    pub(super) fn push(&self, rq: Request<T>, good: u32, status: bindings::blk_status_t) {
        // When the request is on the list, it may end and its disk be deleted, but `self` is freed after a
        // grace period (`DiskRegistration`).
        let _rcu = rcu::read_lock();
        let rq = rq.into_raw();
        // SAFETY: The ownership is ours until the request is on the list. It is in no other list, and
        // its kiocb has ended.
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
            // SAFETY: Initialised by `new`. A disk waits for the work before it goes, see `flush`.
            unsafe { helpers::kx_queue_bh_work(self.work.get()) };
        }
    }

    /// Waits until the work item does not run. For a device without requests. Sleeps.
    pub(crate) fn flush(&self) {
        // SAFETY: Initialised by `new`.
        unsafe { bindings::flush_work(self.work.get()) };
    }

    /// # Safety
    ///
    /// For the workqueue only: `work` is that of a `DeferredEnds<T>`.
    unsafe extern "C" fn callback(work: *mut bindings::work_struct) {
        let work = work.cast::<Opaque<bindings::work_struct>>();
        // SAFETY: By the caller; it is there until `flush` returns.
        let this: &Self = unsafe { &*container_of!(work, Self, work) };
        let mut stack = this.first.xchg(ptr::null_mut(), Full);
        let mut queue = ptr::null_mut();
        // The request that came first is the last one of the list.
        while !stack.is_null() {
            // SAFETY: By the invariant, and the list has been taken over.
            unsafe {
                let next = Pdu::next(Pdu::<T>::of(stack));
                let rest = *next;
                *next = queue;
                queue = stack;
                stack = rest;
            }
        }
        while !queue.is_null() {
            // SAFETY: As above; each is passed on once, and not looked at after that.
            unsafe {
                let rq = queue;
                let pdu = Pdu::<T>::of(rq);
                queue = *Pdu::next(pdu);
                let (good, status) = ((*pdu).end_good, (*pdu).end_status);
                Request::<T>::from_raw(rq).finish(good, status);
            }
        }
    }
}
