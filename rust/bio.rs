// SPDX-License-Identifier: GPL-2.0

//! Bios and their bvecs.
//!
//! [`Bio`] wraps `struct bio`, [`Bvec`] wraps `struct bio_vec`, and [`Bvecs`] and [`Bios`] are the
//! iterators over them. All borrow from a request that the driver owns: none takes a reference, and
//! the block layer frees the bios when the request ends.
//!
//! # Examples
//!
//! ```
//! use kernel_ext::block::mq::{
//!     DeviceData,
//!     InFlight, //
//! };
//!
//! /// Returns the number of segments of a request, and the length of the longest one in bytes.
//! fn segments<T: DeviceData>(rq: &InFlight<T>) -> (usize, u32) {
//!     let (mut count, mut longest) = (0, 0);
//!     // A merged request has several bios; one without data has none.
//!     for bio in rq.bios() {
//!         for bvec in bio.bvecs() {
//!             count += 1;
//!             longest = longest.max(bvec.len());
//!         }
//!     }
//!     (count, longest)
//! }
//! ```
//!
//! C headers: [`include/linux/bio.h`](srctree/include/linux/bio.h),
//! [`include/linux/bvec.h`](srctree/include/linux/bvec.h)

use crate::helpers;
use core::marker::PhantomData;
use kernel::{
    bindings,
    types::Opaque, //
};

/// A bio of a request: wraps `struct bio`.
///
/// # Invariants
///
/// The bio belongs to a request that the driver owns, and so do the bios that follow it. While the
/// reference lives, the bio is valid, and neither its iterator nor its bvec table changes.
#[repr(transparent)]
pub struct Bio(Opaque<bindings::bio>);

impl Bio {
    /// Borrows a bio.
    ///
    /// # Safety
    ///
    /// - `ptr` must point to a bio of a request.
    /// - The driver must own that request for all of `'a`.
    pub(crate) unsafe fn from_raw<'a>(ptr: *const bindings::bio) -> &'a Self {
        // SAFETY: `Bio` is transparent over `struct bio`, and the caller keeps the bio valid for
        // `'a`.
        unsafe { &*ptr.cast() }
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::bio {
        self.0.get()
    }

    /// Returns the bytes left in this bio. Any context.
    pub fn bytes(&self) -> u32 {
        // SAFETY: By the type invariant the bio is valid and its iterator does not change.
        unsafe { (*self.as_raw()).bi_iter.bi_size }
    }

    /// Returns the next bio of the same request. Any context.
    pub fn next(&self) -> Option<&Bio> {
        // SAFETY: By the type invariant the bio is valid.
        let next = unsafe { (*self.as_raw()).bi_next };
        // SAFETY: By the type invariant the driver owns the bios of one request together.
        (!next.is_null()).then(|| unsafe { Bio::from_raw(next) })
    }

    /// Iterates over the multi-page bvecs of this bio, as `bio_for_each_bvec()`. Any context.
    pub fn bvecs(&self) -> Bvecs<'_> {
        Bvecs {
            bio: self,
            // SAFETY: By the type invariant the bio is valid and its iterator does not change.
            iter: unsafe { (*self.as_raw()).bi_iter },
        }
    }
}

/// Iterator over the bios of a request.
pub struct Bios<'a>(pub(crate) Option<&'a Bio>);

impl<'a> Iterator for Bios<'a> {
    type Item = &'a Bio;

    fn next(&mut self) -> Option<&'a Bio> {
        let bio = self.0.take()?;
        self.0 = bio.next();
        Some(bio)
    }
}

/// A segment of memory in a bio: wraps `struct bio_vec`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Bvec<'a>(pub(crate) bindings::bio_vec, PhantomData<&'a Bio>);

impl Bvec<'_> {
    /// Returns the length of the segment in bytes.
    #[expect(clippy::len_without_is_empty)]
    pub fn len(&self) -> u32 {
        self.0.bv_len
    }

    /// Returns the offset of the segment in its first page, in bytes.
    pub fn offset(&self) -> u32 {
        self.0.bv_offset
    }
}

/// Iterator over the bvecs of a bio; see [`Bio::bvecs`].
///
/// # Invariants
///
/// `iter` is the iterator of `bio`, advanced by the bvecs returned so far.
pub struct Bvecs<'a> {
    bio: &'a Bio,
    iter: bindings::bvec_iter,
}

impl<'a> Iterator for Bvecs<'a> {
    type Item = Bvec<'a>;

    fn next(&mut self) -> Option<Bvec<'a>> {
        if self.iter.bi_size == 0 {
            return None;
        }
        let mut bvec = bindings::bio_vec::default();
        // SAFETY: By the type invariant `iter` belongs to this bio. It has bytes left, so it points
        // into the bvec table.
        unsafe { helpers::kx_bio_iter_bvec(self.bio.as_raw(), &self.iter, &mut bvec) };
        // SAFETY: As above. The bvec is not longer than the bytes left.
        unsafe { helpers::kx_bio_advance_iter(self.bio.as_raw(), &mut self.iter, bvec.bv_len) };
        Some(Bvec(bvec, PhantomData))
    }
}
