// SPDX-License-Identifier: GPL-2.0

//! `struct blk_mq_tag_set`.

use super::{
    operations::OperationsVTable,
    poll,
    Operations, //
};
use crate::helpers;
use core::{
    marker::PhantomData,
    pin::Pin, //
};
use kernel::{
    bindings,
    error::{
        to_result,
        Error, //
    },
    prelude::*,
    types::Opaque, //
};

/// How a [`TagSet`] is made.
pub struct TagSetConfig {
    /// Requests that can be in flight at once, over all hardware queues.
    pub depth: u32,
    /// Hardware queues that are polled, beside the one that is not: `HCTX_TYPE_POLL`.
    pub poll_queues: u32,
}

/// The tags and requests of one disk: wraps `struct blk_mq_tag_set`.
///
/// One hardware queue for all CPUs: requests are issued by who brings them, without its lock, and each
/// queue takes 15 KiB, most of it for debugfs. Those that are polled are queues of their own, and all
/// share the tags (`BLK_MQ_F_TAG_HCTX_SHARED`). No I/O scheduler by default, as the backing has one.
#[pin_data(PinnedDrop)]
pub struct TagSet<T: Operations> {
    #[pin]
    inner: Opaque<bindings::blk_mq_tag_set>,
    _p: PhantomData<T>,
}

impl<T: Operations> TagSet<T> {
    /// Allocates tags and requests. Sleeps. Fails with ENOMEM, or EINVAL for a depth of 0 or more
    /// than 65,535 queues that are polled.
    pub fn new(config: TagSetConfig) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            inner <- Opaque::try_ffi_init(move |slot: *mut bindings::blk_mq_tag_set| {
                let mut set: bindings::blk_mq_tag_set = pin_init::zeroed();
                set.ops = OperationsVTable::<T>::build();
                set.nr_hw_queues = 1;
                set.nr_maps = 1;
                set.queue_depth = config.depth;
                set.numa_node = bindings::NUMA_NO_NODE;
                set.cmd_size = OperationsVTable::<T>::CMD_SIZE as u32;
                // SAFETY: No requirements.
                set.flags = unsafe { helpers::kx_tag_set_flags() };
                if config.poll_queues > u16::MAX.into() {
                    return Err(EINVAL);
                }
                if config.poll_queues > 0 {
                    // SAFETY: `set` is ours.
                    unsafe { poll::add_queues(&mut set, config.poll_queues) };
                }
                // SAFETY: `slot` is valid for writes and stays where it is.
                unsafe { slot.write(set) };
                // SAFETY: `slot` is initialised; its operations fit `T`.
                to_result(unsafe { bindings::blk_mq_alloc_tag_set(slot) })
            }),
            _p: PhantomData,
        })
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::blk_mq_tag_set {
        self.inner.get()
    }
}

// SAFETY: A tag set may be used and freed by any task; its request data is `Send`.
unsafe impl<T: Operations> Send for TagSet<T> {}
// SAFETY: `&TagSet` only gives out the pointer, whose users are synchronised by the block layer.
unsafe impl<T: Operations> Sync for TagSet<T> {}

#[pinned_drop]
impl<T: Operations> PinnedDrop for TagSet<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Allocated by `new`. A disk that has it is deleted before: `DiskRegistration`.
        unsafe { bindings::blk_mq_free_tag_set(self.inner.get()) };
    }
}
