// SPDX-License-Identifier: GPL-2.0

//! The lock class of the flush queues of a tag set.
//!
//! When a flush of a lower device ends, it may end a flush of the disk above, under the lock of the
//! lower flush queue (`mq_flush_lock`), and both may be disks of this module.

use core::ffi::c_void;
use kernel::{
    bindings,
    ffi::{
        c_int,
        c_uint, //
    },
    prelude::*,
    sync::LockClassKey,
    types::Opaque, //
};

/// A tag set, with the lock class of its flush queues.
///
/// # Invariants
///
/// Both fields are initialised, and do not move.
#[pin_data]
pub(super) struct ClassedTagSet {
    #[pin]
    set: Opaque<bindings::blk_mq_tag_set>,
    #[pin]
    class: LockClassKey,
}

impl ClassedTagSet {
    /// `init` initialises the tag set, whose operations have [`init_hctx`](Self::init_hctx).
    pub(super) fn new(
        init: impl PinInit<Opaque<bindings::blk_mq_tag_set>, Error>,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            class <- LockClassKey::new_dynamic(),
            set <- init,
        })
    }

    pub(super) fn get(&self) -> *mut bindings::blk_mq_tag_set {
        self.set.get()
    }

    /// Gives the lock of the flush queue of `hctx` its class: `init_hctx`.
    ///
    /// # Safety
    ///
    /// For the block layer only. The caller must pass an hctx that is being made, of a queue whose
    /// tag set is in a `ClassedTagSet`.
    pub(super) unsafe extern "C" fn init_hctx(
        hctx: *mut bindings::blk_mq_hw_ctx,
        _data: *mut c_void,
        _index: c_uint,
    ) -> c_int {
        // SAFETY: The caller passes an hctx, whose queue has its tag set already.
        let set = unsafe { (*(*hctx).queue).tag_set }.cast::<Opaque<bindings::blk_mq_tag_set>>();
        // SAFETY: The tag set is in a `ClassedTagSet`, which is dropped after the disk is deleted.
        let this = unsafe { &*kernel::container_of!(set, Self, set) };
        // SAFETY: The hctx has its flush queue. By the type invariant the class is registered.
        unsafe { bindings::blk_mq_hctx_set_fq_lock_class(hctx, this.class.as_ptr()) };
        0
    }
}
