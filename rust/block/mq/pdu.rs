// SPDX-License-Identifier: GPL-2.0

//! [`Pdu`]: the area behind each request, with the driver's data, a kiocb and a bio.
//!
//! A device has one for each request that can be in flight, so it is small: with its
//! `struct request` it takes 512 bytes on Debian's kernels.

use super::device_data::DeviceData;
use crate::bio::Bvec;
use crate::sync::ReadOnce;
use core::mem::{
    offset_of,
    ManuallyDrop,
    MaybeUninit, //
};
use kernel::{
    alloc::KVec,
    bindings,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    },
    types::Opaque, //
};

/// The most bvecs of a merged request that need no allocated array.
pub(crate) const INLINE_BVECS: usize = 4;

/// The area behind a `struct request`, which the tag set allocates with it (`cmd_size`). The owner
/// of the request owns it.
///
/// # Invariants
///
/// - It is pinned, as the tag set never moves its requests.
/// - While the kiocb is in flight, only the file accesses the fields of the kiocb. A poller may
///   read `private` besides.
/// - A field of `overlay` is used only by the owner of the request, or by the party that it has
///   passed the request to, and only one at a time. A poller may read the first `POLLED` bytes
///   besides, which are of `clone` alone.
#[repr(C)]
pub(crate) struct Pdu<T: DeviceData> {
    // The fields that most requests need come first, in two cache lines.
    /// Owned by the file from its submission until both references are dropped.
    pub(crate) kiocb: Opaque<bindings::kiocb>,
    /// References to a kiocb in flight: one of the submitter and one of the completion.
    pub(crate) kiocb_refs: Atomic<i32>,
    /// Which of `kiocb` and `overlay.clone` is polled.
    pub(crate) polled: Polled,
    /// The result that `ki_complete` got: bytes, or a negative errno.
    pub(crate) kiocb_ret: i32,
    /// Whether the kiocb is a write, and so holds freeze protection.
    pub(crate) kiocb_write: bool,
    /// The end of a deferred request: the bytes that end with success, and the status of the rest.
    pub(super) end_status: bindings::blk_status_t,
    pub(super) end_good: u32,
    pub(super) data: T::RequestData,
    /// The bvecs of a merged request with more than [`INLINE_BVECS`], which the kiocb reads while
    /// in flight.
    pub(crate) heap_bvecs: KVec<Bvec<'static>>,
    /// Accessed through [`Self::clone`], [`Self::next`] and [`Self::inline_bvecs`].
    pub(super) overlay: Overlay,
}

/// The part of a request that is polled on the lower device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PolledPart {
    None,
    /// The clone of its bio.
    Bio,
    Kiocb,
}

/// The mark of the part that is polled: a [`PolledPart`] which a poller may read at any time.
pub(crate) struct Polled(Atomic<u32>);

impl Polled {
    const NONE: u32 = 0;
    const BIO: u32 = 1;
    const KIOCB: u32 = 2;

    fn new() -> Self {
        Self(Atomic::new(Self::NONE))
    }

    /// Marks the clone as polled, right before its submission. It must be initialised. Any context.
    pub(super) fn bio(&self) {
        self.0.store(Self::BIO, Release);
    }

    /// Marks the kiocb as polled, right before its submission. It must be initialised. Any context.
    pub(super) fn kiocb(&self) {
        self.0.store(Self::KIOCB, Release);
    }

    /// Returns the part that is marked. Any context.
    pub(super) fn part(&self) -> PolledPart {
        match self.0.load(Acquire) {
            Self::BIO => PolledPart::Bio,
            Self::KIOCB => PolledPart::Kiocb,
            _ => PolledPart::None,
        }
    }

    /// Clears the mark when the I/O has ended, and returns whether there was one. Any context.
    #[inline(always)]
    pub(super) fn end(&self) -> bool {
        // The owner of the request has set the mark.
        let polled = self.0.read_once() != Self::NONE;
        if polled {
            self.0.store(Self::NONE, Release);
        }
        polled
    }
}

/// The parts that a request never needs at the same time.
#[repr(C)]
pub(super) union Overlay {
    /// Owned by the block layer from [`remap`](super::remap) until it ends.
    clone: ManuallyDrop<Opaque<bindings::bio>>,
    scratch: Scratch,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Scratch {
    /// A poller may still read the clone here after it has ended, so nothing else is stored here.
    _polled: [MaybeUninit<u8>; POLLED],
    /// Owned by the [`RequestList`](super::RequestList) or `DeferredEnds` that the request is on.
    next: *mut bindings::request,
    /// The bvecs of a merged request with at most [`INLINE_BVECS`], which the kiocb reads while in
    /// flight.
    inline_bvecs: [bindings::bio_vec; INLINE_BVECS],
}

/// The offset of the first field of a bio that `bio_poll()` does not read. It reads `bi_bdev` and
/// `bi_cookie`.
const POLLED: usize = offset_of!(bindings::bio, bi_end_io);
const _: () = assert!(offset_of!(bindings::bio, bi_bdev) < POLLED);
const _: () = assert!(offset_of!(bindings::bio, __bindgen_anon_1) < POLLED);

impl<T: DeviceData> Pdu<T> {
    /// The area is aligned behind a request, as the next element of an array would be.
    const ALIGNED: () = assert!(align_of::<Self>() <= align_of::<bindings::request>());

    /// The size of the area in bytes. `blk_mq_alloc_rqs()` counts it in 32 bits, and never ends if
    /// a request with its area is larger than 16 pages.
    pub(super) const SIZE: u32 = {
        let bytes = size_of::<Self>();
        assert!(bytes + size_of::<bindings::request>() <= bindings::PAGE_SIZE);
        bytes as u32
    };

    /// Initialises the area.
    ///
    /// # Safety
    ///
    /// The caller must have allocated at least `size_of::<Self>()` bytes behind `rq`, which are not
    /// in use.
    pub(super) unsafe fn init(rq: *mut bindings::request) {
        // SAFETY: The caller has allocated the area behind `rq`.
        let pdu = unsafe { Self::of(rq) };
        let () = Self::ALIGNED;
        // SAFETY: The caller has allocated the area, which is not in use. `ALIGNED` has checked its
        // alignment.
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

    /// Returns the area of a request. Any context.
    ///
    /// # Safety
    ///
    /// The caller must pass a request of a tag set for `T`.
    pub(crate) unsafe fn of(rq: *mut bindings::request) -> *mut Self {
        // As `blk_mq_rq_to_pdu()`, which Rust can't inline.
        rq.wrapping_add(1).cast()
    }

    /// Returns the clone of the bio, for passing the request on. Any context.
    ///
    /// # Safety
    ///
    /// The caller must pass what [`Self::of`] returned.
    pub(super) unsafe fn clone(this: *mut Self) -> *mut bindings::bio {
        // SAFETY: `this` points to the area of a request. `Opaque` is transparent.
        unsafe { (&raw mut (*this).overlay.clone).cast() }
    }

    /// Returns the area that `clone` is in. Any context.
    ///
    /// # Safety
    ///
    /// The caller must pass what [`Self::clone`] returned.
    pub(super) unsafe fn of_clone(clone: *mut bindings::bio) -> *mut Self {
        let overlay = clone.cast::<Overlay>();
        // SAFETY: `clone` is in a `Pdu`, and the fields of a union begin where the union does.
        unsafe { kernel::container_of!(overlay, Self, overlay) }
    }

    /// Returns the link to the next request of a list. Any context.
    ///
    /// # Safety
    ///
    /// The caller must pass what [`Self::of`] returned.
    pub(super) unsafe fn next(this: *mut Self) -> *mut *mut bindings::request {
        // SAFETY: `this` points to the area of a request.
        unsafe { &raw mut (*this).overlay.scratch.next }
    }

    /// Returns the array of bvecs for a merged request with few. Any context.
    ///
    /// # Safety
    ///
    /// The caller must pass what [`Self::of`] returned.
    pub(crate) unsafe fn inline_bvecs(this: *mut Self) -> *mut [bindings::bio_vec; INLINE_BVECS] {
        // SAFETY: `this` points to the area of a request.
        unsafe { &raw mut (*this).overlay.scratch.inline_bvecs }
    }

    /// Returns the request of the area. Any context.
    ///
    /// # Safety
    ///
    /// The caller must pass what [`Self::of`] returned.
    pub(crate) unsafe fn request(this: *mut Self) -> *mut bindings::request {
        // As `blk_mq_rq_from_pdu()`.
        this.cast::<bindings::request>().wrapping_sub(1)
    }
}
