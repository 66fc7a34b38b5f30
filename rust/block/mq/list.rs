// SPDX-License-Identifier: GPL-2.0

//! Requests that wait, without memory of their own.

use super::{
    InFlight,
    Operations,
    Pdu,
    Request, //
};
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::bindings;

/// A queue of requests that the driver owns, first in, first out. Each is linked through its own
/// per-request area, so nothing is allocated.
///
/// Dropping it ends the requests as [`Request`]'s drop does.
///
/// # Invariants
///
/// The list owns the requests from `first` on, each linked to the next by its `next`, `last` being
/// the last; both are null if there is none.
pub struct RequestList<T: Operations> {
    first: *mut bindings::request,
    last: *mut bindings::request,
    _p: PhantomData<fn() -> T>,
}

// SAFETY: The list owns its requests, which are `Send`.
unsafe impl<T: Operations> Send for RequestList<T> {}

impl<T: Operations> Default for RequestList<T> {
    fn default() -> Self {
        Self {
            first: ptr::null_mut(),
            last: ptr::null_mut(),
            _p: PhantomData,
        }
    }
}

impl<T: Operations> RequestList<T> {
    /// Whether there is none. Any context.
    pub fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// Adds a request at the end. Any context.
    pub fn push(&mut self, rq: Request<T>) {
        let rq = rq.into_raw();
        // SAFETY: We own `rq`, and by the invariant `last`, if there is one.
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

    /// The first request. Any context.
    pub fn front(&self) -> Option<&InFlight<T>> {
        // SAFETY: By the invariant, and it stays in the list while that is borrowed.
        (!self.first.is_null()).then(|| unsafe { InFlight::from_raw(self.first) })
    }

    /// Takes the first request. Any context.
    pub fn pop(&mut self) -> Option<Request<T>> {
        let rq = self.first;
        if rq.is_null() {
            return None;
        }
        // SAFETY: By the invariant.
        self.first = unsafe { *Pdu::next(Pdu::<T>::of(rq)) };
        if self.first.is_null() {
            self.last = ptr::null_mut();
        }
        // SAFETY: Its ownership goes from the list to the caller.
        Some(unsafe { Request::from_raw(rq) })
    }
}

impl<T: Operations> Drop for RequestList<T> {
    fn drop(&mut self) {
        while let Some(rq) = self.pop() {
            drop(rq);
        }
    }
}
