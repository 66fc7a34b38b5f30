// SPDX-License-Identifier: GPL-2.0

//! `struct iov_iter` over the bvecs of a request.
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

/// Which way the data of a bvec-backed [`IovIter`] goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `ITER_DEST`: the memory is filled, as by a read.
    Dest,
    /// `ITER_SOURCE`: the memory is read, as by a write.
    Source,
}

impl Direction {
    fn as_raw(self) -> u32 {
        // `ITER_DEST` is 0 and `ITER_SOURCE` is 1 (READ and WRITE of old).
        match self {
            Direction::Dest => 0,
            Direction::Source => 1,
        }
    }
}

/// A bvec-backed `struct iov_iter`, source or destination, whose bvecs live as long as `'a`.
#[repr(transparent)]
pub struct IovIter<'a>(Opaque<bindings::iov_iter>, PhantomData<&'a Bio>);

impl<'a> IovIter<'a> {
    /// All of one bio, over its own bvec table: nothing is copied or allocated.
    pub(crate) fn from_bio(direction: Direction, bio: &'a Bio) -> Self {
        let iter = Opaque::uninit();
        // SAFETY: `iter` is valid for writes and the bio is alive for `'a`. That of a read or write
        // has a bvec: nobody submits one without bytes.
        unsafe { helpers::kx_iov_iter_bio(iter.get(), direction.as_raw(), bio.as_raw()) };
        Self(iter, PhantomData)
    }

    /// `bytes` bytes in a table of bvecs, as `iov_iter_bvec()`. `bytes` is cut to what they hold.
    pub(crate) fn from_bvecs(direction: Direction, bvecs: &'a [Bvec<'a>], bytes: usize) -> Self {
        let held: usize = bvecs.iter().map(|b| b.len() as usize).sum();
        let iter = Opaque::uninit();
        // SAFETY: `iter` is valid for writes, `Bvec` is transparent over `struct bio_vec`, and the
        // table and the memory it names are alive for `'a`.
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

    /// The bytes left.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        // SAFETY: Both constructors initialise the iterator.
        unsafe { helpers::kx_iov_iter_count(self.0.get()) }
    }

    /// Skips `bytes` bytes (at most all that are left).
    pub fn advance(&mut self, bytes: usize) {
        let bytes = bytes.min(self.len());
        // SAFETY: The iterator is valid and has that many bytes left.
        unsafe { bindings::iov_iter_advance(self.as_raw(), bytes) };
    }

    /// Fills the bytes left with zeroes. Any context. For [`Direction::Dest`] only.
    pub(crate) fn zero(&mut self) {
        let bytes = self.len();
        // SAFETY: The iterator is valid and its memory belongs to a request that we own.
        unsafe { bindings::iov_iter_zero(bytes, self.as_raw()) };
    }
}
