// SPDX-License-Identifier: GPL-2.0

//! `struct iov_iter` over the bvecs of a request.
//!
//! [`IovIter`] owns the iterator and borrows the bvecs and their memory from the request. Unlike
//! `kernel::iov`, it has one type for both directions, given by [`Direction`].
//!
//! # Examples
//!
//! [`kiocb`](crate::block::mq::kiocb) makes the iterators. A driver uses the directions.
//!
//! ```
//! use kernel_ext::{
//!     block::mq::{
//!         DeviceData,
//!         InFlight, //
//!     },
//!     iov::Direction, //
//! };
//!
//! /// Returns whether the memory of a request is filled.
//! fn fills_memory<T: DeviceData>(rq: &InFlight<T>) -> bool {
//!     match rq.op().direction() {
//!         Some(Direction::Dest) => true,
//!         Some(Direction::Source) => false,
//!         // A flush or discard has no data.
//!         None => false,
//!     }
//! }
//! ```
//!
//! C header: [`include/linux/uio.h`](srctree/include/linux/uio.h)

use crate::{
    bio::{
        Bio,
        Bvec, //
    },
    helpers, //
};
use core::marker::PhantomData;
use kernel::{
    bindings,
    types::Opaque, //
};

/// The direction of a bvec-backed [`IovIter`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `ITER_DEST`: I/O writes to the memory, as a read does.
    Dest,
    /// `ITER_SOURCE`: I/O reads from the memory, as a write does.
    Source,
}

impl Direction {
    fn as_raw(self) -> u32 {
        let raw = match self {
            Direction::Dest => shim_layout::ITER_DEST_,
            Direction::Source => shim_layout::ITER_SOURCE_,
        };
        raw as u32
    }
}

/// A bvec-backed `struct iov_iter`, source or destination.
///
/// # Invariants
///
/// The iterator is initialised. Its bvecs and their memory belong to a request that the driver
/// owns, and stay valid for `'a`.
#[repr(transparent)]
pub(crate) struct IovIter<'a>(Opaque<bindings::iov_iter>, PhantomData<&'a Bio>);

impl<'a> IovIter<'a> {
    /// Covers all of one bio with the bio's own bvec table: copies and allocates nothing.
    pub(crate) fn from_bio(direction: Direction, bio: &'a Bio) -> Self {
        let iter = Opaque::uninit();
        // SAFETY: `iter` is valid for writes and the bio for `'a`. It has at least one bvec: reads
        // and writes without bytes do not reach a driver.
        unsafe { helpers::kx_iov_iter_bio(iter.get(), direction.as_raw(), bio.as_raw()) };
        Self(iter, PhantomData)
    }

    /// Covers `bytes` bytes of a table of bvecs, as `iov_iter_bvec()`, or all if they have fewer.
    pub(crate) fn from_bvecs(direction: Direction, bvecs: &'a [Bvec<'a>], bytes: usize) -> Self {
        let held: usize = bvecs.iter().map(|b| b.len() as usize).sum();
        let iter = Opaque::uninit();
        // SAFETY: `iter` is valid for writes, `Bvec` is transparent over `struct bio_vec`, and the
        // table and the memory of its bvecs are valid for `'a`.
        unsafe {
            bindings::iov_iter_bvec(
                iter.get(),
                direction.as_raw(),
                bvecs.as_ptr().cast(),
                bvecs.len(),
                bytes.min(held),
            )
        };
        Self(iter, PhantomData)
    }

    pub(crate) fn as_raw(&mut self) -> *mut bindings::iov_iter {
        self.0.get()
    }

    /// Returns the bytes left. Any context.
    pub(crate) fn len(&self) -> usize {
        // SAFETY: By the type invariant the iterator is initialised.
        unsafe { helpers::kx_iov_iter_count(self.0.get()) }
    }

    /// Skips `bytes` bytes, or all that are left if they are fewer. Any context.
    pub(crate) fn advance(&mut self, bytes: usize) {
        let bytes = bytes.min(self.len());
        // SAFETY: By the type invariant the iterator is initialised, and it has that many bytes
        // left.
        unsafe { bindings::iov_iter_advance(self.as_raw(), bytes) };
    }

    /// Fills the bytes left with zeroes, if the direction is [`Direction::Dest`]. Any context.
    pub(crate) fn zero(&mut self) {
        let bytes = self.len();
        // SAFETY: By the type invariant the iterator is initialised, and its memory belongs to a
        // request that the driver owns. The kernel writes to that of a destination only.
        unsafe {
            if !(*self.as_raw()).data_source {
                bindings::iov_iter_zero(bytes, self.as_raw());
            }
        }
    }
}
