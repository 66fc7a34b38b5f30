// SPDX-License-Identifier: GPL-2.0

//! What stands behind each request: the driver's data, a kiocb and a bio.

use super::{poll::Polled, Operations};
use crate::bio::Bvec;
use kernel::{
    alloc::KVec,
    bindings,
    sync::atomic::Atomic,
    types::Opaque, //
};

/// Bvecs that a merged request can have before an array must be allocated for it.
pub(crate) const INLINE_BVECS: usize = 8;

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
    /// Whether the kiocb writes, and so holds freeze protection.
    pub(crate) kiocb_write: bool,
    /// Which of `kiocb` and `clone` is polled.
    pub(crate) polled: Polled,
    /// What `ki_complete` was given: bytes, or a negative errno.
    pub(crate) kiocb_ret: isize,
    pub(super) data: T::RequestData,
    /// Owned by the [`RequestList`](super::RequestList) that the request is in.
    pub(super) next: *mut bindings::request,
    /// Owned by the block layer from [`remap`](super::remap) until it ends.
    pub(super) clone: Opaque<bindings::bio>,
    /// The bvecs of a merged request, which the kiocb reads while it is under way.
    pub(crate) bvecs: BvecTable,
}

/// Room for the bvecs of a merged request.
pub(crate) struct BvecTable {
    pub(crate) inline: [bindings::bio_vec; INLINE_BVECS],
    pub(crate) heap: KVec<Bvec<'static>>,
}

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
                kiocb_write: false,
                polled: Polled::new(),
                kiocb_ret: 0,
                clone: Opaque::uninit(),
                bvecs: BvecTable {
                    inline: [bindings::bio_vec::default(); INLINE_BVECS],
                    heap: KVec::new(),
                },
                next: core::ptr::null_mut(),
                data: T::RequestData::default(),
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

    /// # Safety
    ///
    /// `this` must have come from [`Self::of`].
    pub(crate) unsafe fn request(this: *mut Self) -> *mut bindings::request {
        // As `blk_mq_rq_from_pdu()`.
        this.cast::<bindings::request>().wrapping_sub(1)
    }
}
