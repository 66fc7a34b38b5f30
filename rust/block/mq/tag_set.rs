// SPDX-License-Identifier: GPL-2.0

//! [`TagSet`]: the tags and requests of a disk, `struct blk_mq_tag_set`.

use super::{
    flush_class::ClassedTagSet,
    operations::{
        Operations,
        OperationsVTable, //
    },
    poll, //
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

/// The configuration of a new [`TagSet`].
pub struct TagSetConfig {
    /// The most requests in flight at once, over all hardware queues.
    pub depth: u32,
    /// The number of polled hardware queues (`HCTX_TYPE_POLL`), beside the one that is not polled.
    pub poll_queues: u32,
}

/// The tags and requests of one disk: wraps `struct blk_mq_tag_set`.
///
/// All CPUs share one hardware queue: submitters issue their requests without taking its lock, and
/// each queue takes 15 KiB, most of it for debugfs. Polled hardware queues come on top. All of them
/// share the tags (`BLK_MQ_F_TAG_HCTX_SHARED`). There is no I/O scheduler by default, as the lower
/// device has one.
///
/// # Invariants
///
/// - `inner` is allocated (`blk_mq_alloc_tag_set()`), with the operations of `T` and room for a
///   `Pdu<T>` behind each request, and does not move.
/// - A disk that uses it is deleted before it is dropped; `DiskRegistration` upholds this.
#[pin_data(PinnedDrop)]
pub struct TagSet<T: Operations> {
    #[pin]
    inner: ClassedTagSet,
    _p: PhantomData<T>,
}

impl<T: Operations> TagSet<T> {
    /// Allocates the tags and requests. Sleeps. Fails with ENOMEM, and with EINVAL for a depth of 0
    /// or more than 65,535 polled queues.
    pub fn new(config: TagSetConfig) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            inner <- ClassedTagSet::new(Opaque::try_ffi_init(move |slot: *mut bindings::blk_mq_tag_set| {
                let mut set: bindings::blk_mq_tag_set = pin_init::zeroed();
                set.ops = OperationsVTable::<T>::build();
                set.nr_hw_queues = 1;
                set.nr_maps = 1;
                set.queue_depth = config.depth;
                set.numa_node = bindings::NUMA_NO_NODE;
                set.cmd_size = OperationsVTable::<T>::CMD_SIZE;
                // SAFETY: No requirements.
                set.flags = unsafe { helpers::kx_tag_set_flags() };
                if config.poll_queues > u16::MAX.into() {
                    return Err(EINVAL);
                }
                if config.poll_queues > 0 {
                    // SAFETY: `set` is a local variable, which is valid for writes, and not
                    // allocated yet.
                    unsafe { poll::add_queues(&mut set, config.poll_queues) };
                }
                // SAFETY: `slot` is valid for writes, and pinned.
                unsafe { slot.write(set) };
                // SAFETY: `slot` is initialised, with operations and a size of the requests that
                // fit `T`.
                to_result(unsafe { bindings::blk_mq_alloc_tag_set(slot) })
            })),
            _p: PhantomData,
        })
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::blk_mq_tag_set {
        self.inner.get()
    }
}

// SAFETY: Any task may use and free a tag set, and `T::RequestData` is `Send`.
unsafe impl<T: Operations> Send for TagSet<T> {}
// SAFETY: `&TagSet` only gives out the pointer, and the block layer synchronises its uses.
unsafe impl<T: Operations> Sync for TagSet<T> {}

#[pinned_drop]
impl<T: Operations> PinnedDrop for TagSet<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariants the set is allocated, and no disk uses it any more.
        unsafe { bindings::blk_mq_free_tag_set(self.inner.get()) };
    }
}
