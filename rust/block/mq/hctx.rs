// SPDX-License-Identifier: GPL-2.0

//! [`HwCtx`]: a hardware queue, `struct blk_mq_hw_ctx`.

use super::{
    device_data::DeviceData,
    queue::RequestQueue, //
};
use core::marker::PhantomData;
use kernel::{
    bindings,
    types::Opaque, //
};

/// A hardware queue: wraps `struct blk_mq_hw_ctx`.
///
/// # Invariants
///
/// The hctx is live, and of a disk of the driver `T`, for as long as the reference.
#[repr(transparent)]
pub struct HwCtx<T>(Opaque<bindings::blk_mq_hw_ctx>, PhantomData<T>);

impl<T: DeviceData> HwCtx<T> {
    /// # Safety
    ///
    /// The caller must uphold the type invariant for `ptr` for all of `'a`.
    pub(super) unsafe fn from_raw<'a>(ptr: *mut bindings::blk_mq_hw_ctx) -> &'a Self {
        // SAFETY: `Self` is transparent over `struct blk_mq_hw_ctx`, which the caller keeps alive.
        unsafe { &*ptr.cast() }
    }

    /// Returns the index of this hardware queue. Any context.
    pub fn index(&self) -> u32 {
        // SAFETY: By the type invariant the hctx is live. Its number does not change.
        unsafe { (*self.0.get()).queue_num }
    }

    /// Returns the driver's data for the disk. Any context.
    pub fn device(&self) -> &T {
        // SAFETY: By the type invariant the hctx is live, and with it the queue of the disk.
        unsafe { RequestQueue::<T>::from_raw((*self.0.get()).queue) }.device()
    }
}
