// SPDX-License-Identifier: GPL-2.0

//! Requests whose end is asked for: `REQ_POLLED` comes down on a hardware queue of its own, and goes on
//! to what lies below. Who polls our queue polls there.
//!
//! C header: [`include/linux/blk-mq.h`](srctree/include/linux/blk-mq.h)

use super::{
    InFlight,
    Operations,
    Pdu, //
};
use crate::{
    fs::BackingFile,
    helpers, //
};
use core::marker::PhantomData;
use kernel::{
    bindings,
    ffi::{
        c_int,
        c_uint, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    }, //
};

/// What of a request is polled below: nothing, its bio or its kiocb.
pub(crate) struct Polled(Atomic<u32>);

const NOTHING: u32 = 0;
const BIO: u32 = 1;
const KIOCB: u32 = 2;

impl Polled {
    pub(super) fn new() -> Self {
        Self(Atomic::new(NOTHING))
    }

    /// The clone is being submitted. It must have been initialised.
    pub(super) fn bio(&self) {
        self.0.store(BIO, Release);
    }

    /// The kiocb is being submitted. It must have been initialised.
    pub(crate) fn kiocb(&self) {
        self.0.store(KIOCB, Release);
    }

    #[inline(always)]
    /// It has ended. Whether there was something to poll.
    pub(crate) fn end(&self) -> bool {
        let polled = self.0.load(Acquire) != NOTHING;
        if polled {
            self.0.store(NOTHING, Release);
        }
        polled
    }
}

pub(super) struct PollVTable<T: Operations>(PhantomData<T>);

impl<T: Operations> PollVTable<T> {
    /// # Safety
    ///
    /// For the block layer only: `hctx` is live and of a tag set for `T`.
    pub(super) unsafe extern "C" fn poll(
        hctx: *mut bindings::blk_mq_hw_ctx,
        _batch: *mut bindings::io_comp_batch,
    ) -> c_int {
        // SAFETY: The hctx is live, and keeps its tags and their requests.
        unsafe { helpers::kx_poll_hctx(hctx, Self::poll_one) }
    }

    /// # Safety
    ///
    /// `rq` must be one of the requests of a tag set for `T`. It may be in use or not.
    unsafe extern "C" fn poll_one(rq: *mut bindings::request) -> c_int {
        // SAFETY: What stands behind a request is initialised as long as its tag set is there.
        let pdu = unsafe { Pdu::<T>::of(rq) };
        // SAFETY: As above. What is polled for is with a blk-mq queue (`kx_rq_polls_on`), which may be
        // polled by many and at any time. If it ends meanwhile, it has no device any more
        // (`bi_bdev`, `private`), and one that somebody has found there stays for a grace period.
        // What else is looked at is not used for anything else: `Own`.
        unsafe {
            match (*pdu).polled.0.load(Acquire) {
                BIO => helpers::kx_bio_poll(Pdu::clone(pdu)),
                KIOCB => helpers::kx_kiocb_poll((*pdu).kiocb.get()),
                _ => 0,
            }
        }
    }

    /// # Safety
    ///
    /// For the block layer only: `set` is a valid tag set.
    pub(super) unsafe extern "C" fn map_queues(set: *mut bindings::blk_mq_tag_set) {
        // SAFETY: By the caller.
        unsafe { helpers::kx_map_queues(set) };
    }
}

impl<T: Operations> InFlight<T> {
    /// Whether somebody polls for this request, and can do so on the device below `file`.
    pub(crate) fn polls_on(&self, file: &BackingFile) -> bool {
        // SAFETY: By the type invariant the request is valid, and the file is open.
        self.flags().polled() && unsafe { helpers::kx_rq_polls_on(self.as_raw(), file.as_raw()) }
    }
}

/// Adds hardware queues that are polled to a tag set that is not yet allocated.
///
/// # Safety
///
/// `set` must be valid for writes.
pub(super) unsafe fn add_queues(set: *mut bindings::blk_mq_tag_set, polled: c_uint) {
    // SAFETY: By the caller.
    unsafe { helpers::kx_tag_set_add_poll_queues(set, polled) };
}
