// SPDX-License-Identifier: GPL-2.0

//! Polled requests: the block layer issues a `REQ_POLLED` request on a hardware queue of its own,
//! and the driver polls the lower device for it. A task that polls such a hardware queue polls all
//! I/O that its requests have submitted below.
//!
//! C header: [`include/linux/blk-mq.h`](srctree/include/linux/blk-mq.h)

use super::{
    device_data::DeviceData,
    pdu::{
        Pdu,
        PolledPart, //
    },
    request::InFlight, //
};
use crate::{
    block::bdev::BlockDevice,
    fs::BackingFile,
    helpers, //
};
use core::marker::PhantomData;
use kernel::{
    bindings,
    ffi::{
        c_int,
        c_uint, //
    }, //
};

/// The `poll` and `map_queues` callbacks of `struct blk_mq_ops`.
pub(super) struct PollVTable<T: DeviceData>(PhantomData<T>);

impl<T: DeviceData> PollVTable<T> {
    /// # Safety
    ///
    /// For the block layer only. The caller must pass a live `hctx` of a tag set for `T`.
    pub(super) unsafe extern "C" fn poll(
        hctx: *mut bindings::blk_mq_hw_ctx,
        _batch: *mut bindings::io_comp_batch,
    ) -> c_int {
        // SAFETY: The caller passes a live hctx, which keeps its tags and their requests.
        unsafe { helpers::kx_poll_hctx(hctx, Self::poll_one) }
    }

    /// # Safety
    ///
    /// The caller must pass a request of a live tag set for `T`. It may be in use or not.
    unsafe extern "C" fn poll_one(rq: *mut bindings::request) -> c_int {
        // SAFETY: The area behind a request is initialised for as long as its tag set is allocated.
        let pdu = unsafe { Pdu::<T>::of(rq) };
        // SAFETY: As above. The I/O that is polled is on a blk-mq queue (`kx_rq_polls_on()`), which
        // several tasks may poll at any time. I/O that ends meanwhile no longer names a device
        // (`bi_bdev` and `private` are null), and a device that was found there before is freed
        // after an RCU grace period. The fields of the clone that are read here are used for
        // nothing else (`Scratch::_polled`).
        unsafe {
            match (*pdu).polled.part() {
                PolledPart::Bio => helpers::kx_bio_poll(Pdu::clone(pdu)),
                PolledPart::Kiocb => helpers::kx_kiocb_poll((*pdu).kiocb.get()),
                PolledPart::None => 0,
            }
        }
    }

    /// # Safety
    ///
    /// For the block layer only. The caller must pass a valid tag set.
    pub(super) unsafe extern "C" fn map_queues(set: *mut bindings::blk_mq_tag_set) {
        // SAFETY: The caller passes a valid tag set.
        unsafe { helpers::kx_map_queues(set) };
    }
}

impl<T: DeviceData> InFlight<T> {
    /// Returns whether this request is polled and its I/O can be polled on the device below `file`.
    /// Any context.
    pub(crate) fn polls_on(&self, file: &BackingFile) -> bool {
        // SAFETY: By the type invariant the request is valid; the file is open while it is
        // borrowed.
        self.flags().polled() && unsafe { helpers::kx_rq_polls_on(self.as_raw(), file.as_raw()) }
    }

    /// As [`polls_on`](Self::polls_on), for bios to a device.
    pub(crate) fn polls_on_device(&self, device: &BlockDevice) -> bool {
        if !self.flags().polled() {
            return false;
        }
        // SAFETY: By the type invariant the request is valid, and the device is live while it is
        // borrowed.
        unsafe { helpers::kx_rq_polls_on_bdev(self.as_raw(), device.as_raw()) }
    }
}

/// Adds polled hardware queues to a tag set.
///
/// # Safety
///
/// The caller must pass a tag set that is valid for writes and not allocated yet.
pub(super) unsafe fn add_queues(set: *mut bindings::blk_mq_tag_set, polled: c_uint) {
    // SAFETY: By the requirements of this function.
    unsafe { helpers::kx_tag_set_add_poll_queues(set, polled) };
}
