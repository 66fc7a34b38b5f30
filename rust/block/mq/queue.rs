// SPDX-License-Identifier: GPL-2.0

//! `struct request_queue`: the data that hangs on it, and freezing it.

use super::{
    deferred::DeferredEnds,
    Operations, //
};
use crate::{
    block::gen_disk::Disk,
    helpers, //
};
use kernel::{
    bindings,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full, //
        },
        Arc, //
    }, //
};

/// What `queuedata` and `private_data` of a disk point to.
///
/// # Invariants
///
/// `published` is null or came from [`Arc::into_raw`], and then holds that reference.
#[pin_data(PinnedDrop)]
pub(crate) struct QueueData<T: Operations> {
    pub(crate) device: Arc<T>,
    published: Atomic<*mut T::Published>,
    #[pin]
    deferred: DeferredEnds<T>,
}

impl<T: Operations> QueueData<T> {
    pub(crate) fn new(device: Arc<T>) -> impl PinInit<Self> {
        pin_init!(Self {
            device,
            published: Atomic::new(core::ptr::null_mut()),
            deferred <- DeferredEnds::new(),
        })
    }

    pub(super) fn deferred(&self) -> &DeferredEnds<T> {
        &self.deferred
    }

    /// Waits until no end of a request is deferred any more. For a disk without requests. Sleeps.
    pub(crate) fn flush_deferred(&self) {
        self.deferred.flush();
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
        // SAFETY: By the type invariant this is a live value. [`FrozenQueue::publish`] replaces it only
        // while no request is in flight, and what [`Self::unpublish`] takes away is kept until no
        // request that has seen it is.
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

#[pinned_drop]
impl<T: Operations> PinnedDrop for QueueData<T> {
    fn drop(self: Pin<&mut Self>) {
        drop(self.swap(core::ptr::null_mut()));
    }
}

impl<T: Operations> Disk<T> {
    /// Takes away what requests read through [`InFlight::published`](super::InFlight::published), and
    /// returns it when no request that has read it is in flight. Requests that come meanwhile find
    /// nothing. Sleeps, as [`FrozenQueue`].
    ///
    /// Where there are no requests this takes a grace period of the SRCU of the tag set, which is short:
    /// freezing a queue takes one of RCU.
    pub(crate) fn unpublish(&self) -> Option<Arc<T::Published>> {
        let old = self.queue_data().swap(core::ptr::null_mut());
        // A request has its tag before it is issued, in a section of that SRCU. So one that has read
        // the old value can be seen by its tag when the grace period is over.
        // SAFETY: A disk has a live queue, which has a tag set.
        let busy = unsafe {
            helpers::kx_queue_wait_issued(self.queue());
            helpers::kx_queue_is_busy(self.queue())
        };
        if busy {
            drop(FrozenQueue::new(self));
        }
        old
    }
}

/// A queue with no request in flight, until this is dropped.
///
/// Wraps `blk_mq_freeze_queue()` and `blk_mq_unfreeze_queue()`; memory allocated meanwhile is
/// implicitly `GFP_NOIO`.
pub struct FrozenQueue<'a, T: Operations> {
    disk: &'a Disk<T>,
    /// What unfreezing takes.
    memflags: u32,
}

impl<'a, T: Operations> FrozenQueue<'a, T> {
    /// Waits until all requests have ended. Sleeps; no request of this queue may depend on a lock
    /// that the caller holds.
    pub(crate) fn new(disk: &'a Disk<T>) -> Self {
        Self {
            disk,
            // SAFETY: A disk has a live queue.
            memflags: unsafe { helpers::kx_freeze_queue(disk.queue()) },
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
        // SAFETY: `new` froze this queue and returned these flags.
        unsafe { helpers::kx_unfreeze_queue(self.disk.queue(), self.memflags) };
    }
}
