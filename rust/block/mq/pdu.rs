// SPDX-License-Identifier: GPL-2.0

//! What stands behind each request: the driver's data, a work item and a kiocb.

use super::{Operations, Request};
use crate::{bio::Bvec, helpers};
use kernel::{
    alloc::KVec,
    bindings,
    container_of,
    sync::atomic::Atomic,
    types::Opaque, //
};

/// Bvecs that a merged request can have before an array must be allocated for it.
pub(crate) const INLINE_BVECS: usize = 8;

/// The per-request area, which begins right behind `struct request`.
///
/// # Invariants
///
/// It is pinned, as the tag set never moves its requests. While the request is on a workqueue or
/// its kiocb is under way, nobody else touches `work` or the kiocb's fields.
#[repr(C)]
pub(crate) struct Pdu<T: Operations> {
    /// Owned by the workqueue from [`Request::queue_work`] until the worker runs.
    pub(super) work: Opaque<bindings::work_struct>,
    /// Owned by the file from submission until both references are gone.
    pub(crate) kiocb: Opaque<bindings::kiocb>,
    /// References to a kiocb that is under way: the submitter's and the completion's.
    pub(crate) kiocb_refs: Atomic<i32>,
    /// Whether the kiocb writes, and so holds freeze protection.
    pub(crate) kiocb_write: bool,
    /// What `ki_complete` was given: bytes, or a negative errno.
    pub(crate) kiocb_ret: isize,
    /// The bvecs of a merged request, which the kiocb reads while it is under way.
    pub(crate) bvecs: BvecTable,
    /// Owned by the [`RequestList`](super::RequestList) that the request is in.
    pub(super) next: *mut bindings::request,
    pub(super) data: T::RequestData,
}

/// Room for the bvecs of a merged request.
pub(crate) struct BvecTable {
    pub(crate) inline: [bindings::bio_vec; INLINE_BVECS],
    pub(crate) heap: KVec<Bvec<'static>>,
}

impl<T: Operations> Pdu<T> {
    /// # Safety
    ///
    /// The room behind `rq` must be at least `size_of::<Self>()` and not in use.
    pub(super) unsafe fn init(rq: *mut bindings::request) {
        // SAFETY: The caller says that there is room behind `rq`.
        let pdu = unsafe { Self::of(rq) };
        // SAFETY: The room is ours, and large and aligned enough.
        unsafe {
            pdu.write(Pdu {
                work: Opaque::uninit(),
                kiocb: Opaque::uninit(),
                kiocb_refs: Atomic::new(0),
                kiocb_write: false,
                kiocb_ret: 0,
                bvecs: BvecTable {
                    inline: [bindings::bio_vec::default(); INLINE_BVECS],
                    heap: KVec::new(),
                },
                next: core::ptr::null_mut(),
                data: T::RequestData::default(),
            })
        };
        // SAFETY: `work` is at its final address, and `work_callback` fits what we queue.
        unsafe { helpers::kx_init_work((*pdu).work.get(), Self::work_callback) };
    }

    /// # Safety
    ///
    /// `rq` must be a request of a tag set for `T`.
    pub(crate) unsafe fn of(rq: *mut bindings::request) -> *mut Self {
        // SAFETY: The caller says that `rq` is a request with room behind it.
        unsafe { bindings::blk_mq_rq_to_pdu(rq) }.cast()
    }

    /// # Safety
    ///
    /// `this` must have come from [`Self::of`].
    pub(crate) unsafe fn request(this: *mut Self) -> *mut bindings::request {
        // SAFETY: The caller says that a `struct request` stands right before it.
        unsafe { bindings::blk_mq_rq_from_pdu(this.cast()) }
    }

    /// # Safety
    ///
    /// For the workqueue only: `work` is that of a request that [`Request::queue_work`] gave away.
    unsafe extern "C" fn work_callback(work: *mut bindings::work_struct) {
        let work = work.cast::<Opaque<bindings::work_struct>>();
        // SAFETY: Every work item that has this callback stands in a `Pdu<T>`.
        let pdu: *mut Self = unsafe { container_of!(work, Self, work) };
        // SAFETY: `queue_work` gave up the ownership, which we take here once.
        T::work(unsafe { Request::from_raw(Self::request(pdu)) });
    }
}
