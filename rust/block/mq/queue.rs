// SPDX-License-Identifier: GPL-2.0

//! [`QueueData`], the driver's data of a `struct request_queue`, and [`FrozenQueue`].

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

/// The data of a disk: `queuedata` and `private_data` point to it. The disk owns it, and
/// `free_disk` frees it.
///
/// # Invariants
///
/// - `published` is null or came from [`Arc::into_raw`], and then owns that reference.
/// - A value is taken out of `published` while the queue is frozen, when the disk is released, or
///   by [`Disk::unpublish`], which keeps it until no request that has read it is in flight.
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

    /// Waits for the deferred ends of requests. The disk must have no requests. Sleeps.
    pub(crate) fn flush_deferred(&self) {
        self.deferred.flush();
    }

    /// # Safety
    ///
    /// The caller must pass the queue of a [`Disk<T>`] and keep it, with its disk, alive for `'a`.
    pub(crate) unsafe fn from_queue<'a>(q: *mut bindings::request_queue) -> &'a Self {
        // SAFETY: `queuedata` is set before the queue can be used, and freed when the disk is
        // released. The caller keeps the disk alive.
        unsafe { &*(*q).queuedata.cast::<Self>() }
    }

    /// Returns the published value. Any context.
    ///
    /// # Safety
    ///
    /// The caller must keep a request of this queue in flight for as long as the reference.
    pub(super) unsafe fn published(&self) -> Option<&T::Published> {
        // As READ_ONCE(): all that follows depends on the pointer, so no stronger order is needed.
        // SAFETY: The field is valid for reads, and only written as a whole.
        let p = unsafe { self.published.as_ptr().read_volatile() };
        // SAFETY: By the type invariants a pointer that is not null is to a live value, and the
        // value stays while a request that has read it is in flight. The caller keeps that request
        // in flight.
        unsafe { p.as_ref() }
    }

    /// Publishes `value` if there is none; fails with EBUSY otherwise. No reader has a value that
    /// this replaces, so the queue need not be frozen. Any context.
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
        // SAFETY: By the type invariant `old` came from `into_raw`. The exchange took over its
        // reference.
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
    /// Takes away the value that requests read through
    /// [`InFlight::published`](super::InFlight::published), and returns it when no request that has
    /// read it is in flight. Requests that arrive meanwhile find no value. Sleeps, as
    /// [`FrozenQueue`].
    ///
    /// Without requests this waits for a grace period of the SRCU of the tag set. That is shorter
    /// than the RCU grace period of freezing a queue.
    pub(crate) fn unpublish(&self) -> Option<Arc<T::Published>> {
        let old = self.queue_data().swap(core::ptr::null_mut());
        // A request is issued in a read section of that SRCU and has its tag before. So a request
        // that has read the old value and is in flight after the grace period has its tag set in
        // the bitmap.
        // SAFETY: By the invariant of `Disk` the queue is live. `DiskRegistration` has given it a
        // tag set.
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

/// A queue that is frozen until this is dropped: no request is in flight.
///
/// Wraps `blk_mq_freeze_queue()` and `blk_mq_unfreeze_queue()`. Memory that the task allocates
/// meanwhile is implicitly `GFP_NOIO`.
///
/// # Invariants
///
/// The queue of `disk` is frozen by `blk_mq_freeze_queue()`, which returned `memflags`.
pub struct FrozenQueue<'a, T: Operations> {
    disk: &'a Disk<T>,
    /// The state of the allocation scope, which `blk_mq_unfreeze_queue()` restores.
    memflags: u32,
}

impl<'a, T: Operations> FrozenQueue<'a, T> {
    /// Freezes the queue. Sleeps until all requests have ended; none of them may depend on a lock
    /// that the caller holds.
    pub(crate) fn new(disk: &'a Disk<T>) -> Self {
        Self {
            disk,
            // SAFETY: By the invariant of `Disk` the queue is live.
            memflags: unsafe { helpers::kx_freeze_queue(disk.queue()) },
        }
    }

    /// Replaces the value that requests read through
    /// [`InFlight::published`](super::InFlight::published), and returns the old one. Any context.
    pub fn publish(&self, value: Option<Arc<T::Published>>) -> Option<Arc<T::Published>> {
        let new = value.map_or(core::ptr::null_mut(), |v| Arc::into_raw(v).cast_mut());
        // By the type invariant no request is in flight, so there is no reference into the old
        // value.
        self.disk.queue_data().swap(new)
    }
}

impl<T: Operations> Drop for FrozenQueue<'_, T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the queue is frozen and these are its flags.
        unsafe { helpers::kx_unfreeze_queue(self.disk.queue(), self.memflags) };
    }
}
