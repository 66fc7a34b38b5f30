// SPDX-License-Identifier: GPL-2.0

//! What stands behind each request: the driver's data, a kiocb and a bio.
//!
//! Every device has them for each request that it can have in flight, so they are small: with its
//! `struct request` one takes 512 bytes on Debian's kernels.

use super::{
    poll::Polled,
    Operations, //
};
use crate::bio::Bvec;
use core::mem::{
    offset_of,
    ManuallyDrop,
    MaybeUninit, //
};
use kernel::{
    alloc::KVec,
    bindings,
    sync::atomic::Atomic,
    types::Opaque, //
};

/// Bvecs that a merged request can have before an array must be allocated for it.
pub(crate) const INLINE_BVECS: usize = 4;

/// The per-request area, which begins right behind `struct request`.
///
/// # Invariants
///
/// It is pinned, as the tag set never moves its requests. While its kiocb is under way, nobody else
/// touches the kiocb's fields.
#[repr(C)]
pub(crate) struct Pdu<T: Operations> {
    // What most requests need comes first, in two cache lines.
    /// Owned by the file from submission until both references are gone.
    pub(crate) kiocb: Opaque<bindings::kiocb>,
    /// References to a kiocb that is under way: the submitter's and the completion's.
    pub(crate) kiocb_refs: Atomic<i32>,
    /// Which of `kiocb` and `overlay.clone` is polled.
    pub(crate) polled: Polled,
    /// What `ki_complete` was given: bytes, or a negative errno.
    pub(crate) kiocb_ret: i32,
    /// Whether the kiocb writes, and so holds freeze protection.
    pub(crate) kiocb_write: bool,
    /// How the request ends, if that is deferred: the bytes that end well, and the status of the rest.
    pub(super) end_status: bindings::blk_status_t,
    pub(super) end_good: u32,
    pub(super) data: T::RequestData,
    /// The bvecs of a merged request that has many, which the kiocb reads while it is under way.
    pub(crate) heap_bvecs: KVec<Bvec<'static>>,
    /// Reached through [`Self::clone`], [`Self::next`] and [`Self::inline_bvecs`].
    pub(super) overlay: Overlay,
}

/// What a request never needs at once.
#[repr(C)]
pub(super) union Overlay {
    /// Owned by the block layer from [`remap`](super::remap) until it ends.
    clone: ManuallyDrop<Opaque<bindings::bio>>,
    scratch: Scratch,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Scratch {
    /// Who polls the clone may still look at these when it has ended.
    _polled: [MaybeUninit<u8>; POLLED],
    /// Owned by the [`RequestList`](super::RequestList) or the deferred ends that the request is in.
    next: *mut bindings::request,
    /// The bvecs of a merged request that has few, which the kiocb reads while it is under way.
    inline_bvecs: [bindings::bio_vec; INLINE_BVECS],
}

/// What `bio_poll()` reads of a bio stands before this field: `bi_bdev` and `bi_cookie`.
const POLLED: usize = offset_of!(bindings::bio, bi_end_io);
const _: () = assert!(offset_of!(bindings::bio, bi_bdev) < POLLED);
const _: () = assert!(offset_of!(bindings::bio, __bindgen_anon_1) < POLLED);

impl<T: Operations> Pdu<T> {
    /// It stands behind a request, as the next of an array would.
    const ALIGNED: () = assert!(align_of::<Self>() <= align_of::<bindings::request>());

    /// # Safety
    ///
    /// The room behind `rq` must be at least `size_of::<Self>()` and not in use.
    pub(super) unsafe fn init(rq: *mut bindings::request) {
        // SAFETY: The caller says that there is room behind `rq`.
        let pdu = unsafe { Self::of(rq) };
        let () = Self::ALIGNED;
        // SAFETY: The room is ours and large enough, and aligned, see above.
        unsafe {
            pdu.write(Pdu {
                kiocb: Opaque::uninit(),
                kiocb_refs: Atomic::new(0),
                polled: Polled::new(),
                kiocb_ret: 0,
                kiocb_write: false,
                end_status: 0,
                end_good: 0,
                data: T::RequestData::default(),
                heap_bvecs: KVec::new(),
                overlay: Overlay {
                    clone: ManuallyDrop::new(Opaque::uninit()),
                },
            })
        };
    }

    /// # Safety
    ///
    /// `rq` must be a request of a tag set for `T`.
    pub(crate) unsafe fn of(rq: *mut bindings::request) -> *mut Self {
        // As `blk_mq_rq_to_pdu()`, which Rust can't inline.
        rq.wrapping_add(1).cast()
    }

    /// The bio for passing the request on.
    ///
    /// # Safety
    ///
    /// `this` must have come from [`Self::of`].
    pub(super) unsafe fn clone(this: *mut Self) -> *mut bindings::bio {
        // SAFETY: By the caller it points into a request. `Opaque` is transparent.
        unsafe { (&raw mut (*this).overlay.clone).cast() }
    }

    /// The area that `clone` is the bio of.
    ///
    /// # Safety
    ///
    /// `clone` must have come from [`Self::clone`].
    pub(super) unsafe fn of_clone(clone: *mut bindings::bio) -> *mut Self {
        let overlay = clone.cast::<Overlay>();
        // SAFETY: By the caller; a union begins where its fields do.
        unsafe { kernel::container_of!(overlay, Self, overlay) }
    }

    /// The link to the next request of a list.
    ///
    /// # Safety
    ///
    /// `this` must have come from [`Self::of`].
    pub(super) unsafe fn next(this: *mut Self) -> *mut *mut bindings::request {
        // SAFETY: By the caller it points into a request.
        unsafe { &raw mut (*this).overlay.scratch.next }
    }

    /// Room for a few bvecs.
    ///
    /// # Safety
    ///
    /// `this` must have come from [`Self::of`].
    pub(crate) unsafe fn inline_bvecs(this: *mut Self) -> *mut [bindings::bio_vec; INLINE_BVECS] {
        // SAFETY: By the caller it points into a request.
        unsafe { &raw mut (*this).overlay.scratch.inline_bvecs }
    }

    /// # Safety
    ///
    /// `this` must have come from [`Self::of`].
    pub(crate) unsafe fn request(this: *mut Self) -> *mut bindings::request {
        // As `blk_mq_rq_from_pdu()`.
        this.cast::<bindings::request>().wrapping_sub(1)
    }
}
