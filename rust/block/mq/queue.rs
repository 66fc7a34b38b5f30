// SPDX-License-Identifier: GPL-2.0

//! `struct request_queue`: the data that hangs on it, and freezing it.

use super::Operations;
use crate::{block::gendisk::Disk, helpers};
use kernel::{
    bindings,
    prelude::*,
    sync::{
        atomic::{Atomic, Full},
        Arc,
    },
};

/// What `queuedata` and `private_data` of a disk point to.
///
/// # Invariants
///
/// `published` is null or came from [`Arc::into_raw`], and then holds that reference.
pub(crate) struct QueueData<T: Operations> {
    pub(crate) device: Arc<T>,
    published: Atomic<*mut T::Published>,
}

impl<T: Operations> QueueData<T> {
    pub(crate) fn new(device: Arc<T>) -> Self {
        Self {
            device,
            published: Atomic::new(core::ptr::null_mut()),
        }
    }

    /// # Safety
    ///
    /// `q` must be the queue of a [`Disk<T>`] and stay alive for `'a`.
    pub(crate) unsafe fn from_queue<'a>(q: *mut bindings::request_queue) -> &'a Self {
        // SAFETY: A disk sets `queuedata` before its queue can be seen, and frees it after.
        unsafe { &*(*q).queuedata.cast::<Self>() }
    }

    /// # Safety
    ///
    /// A request of this queue must be in flight for as long as the reference.
    pub(super) unsafe fn published(&self) -> Option<&T::Published> {
        // As READ_ONCE(): what follows depends on the pointer, and needs no more order than that.
        // SAFETY: The field is valid for reads, and is written whole.
        let p = unsafe { self.published.as_ptr().read_volatile() };
        // SAFETY: By the type invariant this is a live value; [`FrozenQueue::publish`] replaces it
        // only while no request is in flight.
        unsafe { p.as_ref() }
    }

    /// Puts `value` there if nothing is. Nothing can be read that is replaced, so no freezing.
    pub(crate) fn publish_first(&self, value: Arc<T::Published>) -> Result {
        let new = Arc::into_raw(value).cast_mut();
        match self.published.cmpxchg(core::ptr::null_mut(), new, Full) {
            Ok(_) => Ok(()),
            Err(_) => {
                // SAFETY: `new` came from `into_raw` above and was not stored.
                drop(unsafe { Arc::from_raw(new) });
                Err(EBUSY)
            }
        }
    }

    fn swap(&self, new: *mut T::Published) -> Option<Arc<T::Published>> {
        let old = self.published.xchg(new, Full);
        // SAFETY: By the type invariant a reference that is ours now.
        (!old.is_null()).then(|| unsafe { Arc::from_raw(old) })
    }
}

impl<T: Operations> Drop for QueueData<T> {
    fn drop(&mut self) {
        drop(self.swap(core::ptr::null_mut()));
    }
}

/// A queue with no request in flight, until this is dropped.
///
/// Wraps `blk_mq_freeze_queue()` and `blk_mq_unfreeze_queue()`; memory allocated meanwhile is
/// implicitly `GFP_NOIO`.
pub struct FrozenQueue<'a, T: Operations> {
    disk: &'a Disk<T>,
    /// What unfreezing takes, if it was frozen.
    memflags: Option<u32>,
}

impl<'a, T: Operations> FrozenQueue<'a, T> {
    /// Waits until all requests have ended. Sleeps; no request of this queue may depend on a lock
    /// that the caller holds.
    pub(crate) fn new(disk: &'a Disk<T>) -> Self {
        Self {
            disk,
            // SAFETY: A disk has a live queue.
            memflags: Some(unsafe { helpers::kx_freeze_queue(disk.queue()) }),
        }
    }

    /// As [`Self::new`], but freezes only if a request is just being freed: freezing takes a grace
    /// period of RCU.
    ///
    /// # Safety
    ///
    /// Nobody may have the disk open, or open it before this is dropped: who submits a bio has it open.
    pub(crate) unsafe fn of_closed(disk: &'a Disk<T>) -> Self {
        // SAFETY: A disk has a live queue, which has a tag set. By the caller no request begins.
        if unsafe { helpers::kx_queue_is_busy(disk.queue()) } {
            return Self::new(disk);
        }
        Self {
            disk,
            memflags: None,
        }
    }

    /// Replaces what requests read through [`InFlight::published`](super::InFlight::published) and returns what was there.
    pub fn publish(&self, value: Option<Arc<T::Published>>) -> Option<Arc<T::Published>> {
        let new = value.map_or(core::ptr::null_mut(), |v| Arc::into_raw(v).cast_mut());
        // No request is in flight, so nobody holds a reference into the old value.
        self.disk.queue_data().swap(new)
    }
}

impl<T: Operations> Drop for FrozenQueue<'_, T> {
    fn drop(&mut self) {
        if let Some(memflags) = self.memflags {
            // SAFETY: `new` froze this queue and returned these flags.
            unsafe { helpers::kx_unfreeze_queue(self.disk.queue(), memflags) };
        }
    }
}
