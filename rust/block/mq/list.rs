// SPDX-License-Identifier: GPL-2.0

//! [`RequestList`]: a queue of requests that wait, linked through their per-request areas.

use super::{
    device_data::DeviceData,
    pdu::Pdu,
    request::{
        InFlight,
        Request, //
    }, //
};
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::bindings;

/// A first-in, first-out queue of requests that the driver owns. Each is linked through its own
/// per-request area, so the list allocates nothing.
///
/// Dropping the list drops its requests, which fails them.
///
/// # Invariants
///
/// The list owns the requests from `first` to `last`. Each is linked to the next one by the `next`
/// of its `Pdu`, which is null for `last`. Both are null if the list is empty.
pub struct RequestList<T: DeviceData> {
    first: *mut bindings::request,
    last: *mut bindings::request,
    _p: PhantomData<fn() -> T>,
}

// SAFETY: By the type invariant the list owns its requests, which are `Send`.
unsafe impl<T: DeviceData> Send for RequestList<T> {}

impl<T: DeviceData> Default for RequestList<T> {
    fn default() -> Self {
        Self {
            first: ptr::null_mut(),
            last: ptr::null_mut(),
            _p: PhantomData,
        }
    }
}

impl<T: DeviceData> RequestList<T> {
    /// Returns whether the list is empty. Any context.
    pub fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// Appends a request. Any context.
    pub fn push(&mut self, rq: Request<T>) {
        let rq = rq.into_raw();
        // SAFETY: `into_raw` handed over `rq`. By the type invariant the list owns `last` if it is
        // not empty.
        unsafe {
            *Pdu::next(Pdu::<T>::of(rq)) = ptr::null_mut();
            if self.first.is_null() {
                self.first = rq;
            } else {
                *Pdu::next(Pdu::<T>::of(self.last)) = rq;
            }
        }
        self.last = rq;
    }

    /// Returns the first request. Any context.
    pub fn front(&self) -> Option<&InFlight<T>> {
        // SAFETY: By the type invariant the list owns `first`, and keeps it while it is borrowed.
        (!self.first.is_null()).then(|| unsafe { InFlight::from_raw(self.first) })
    }

    /// Takes the first request. Any context.
    pub fn pop(&mut self) -> Option<Request<T>> {
        let rq = self.first;
        if rq.is_null() {
            return None;
        }
        // SAFETY: By the type invariant the list owns `rq`, and its link is valid.
        self.first = unsafe { *Pdu::next(Pdu::<T>::of(rq)) };
        if self.first.is_null() {
            self.last = ptr::null_mut();
        }
        // SAFETY: By the type invariant the list owned `rq`, which is no longer in it.
        Some(unsafe { Request::from_raw(rq) })
    }
}

impl<T: DeviceData> Drop for RequestList<T> {
    fn drop(&mut self) {
        while let Some(rq) = self.pop() {
            drop(rq);
        }
    }
}
