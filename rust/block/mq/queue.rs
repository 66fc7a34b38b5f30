// SPDX-License-Identifier: GPL-2.0

//! [`RequestQueue`]: the queue of a disk, its [`QueueData`], and [`FrozenQueue`].

use super::{
    deferred::{
        DeferredEnds,
        EndFn, //
    },
    device_data::DeviceData, //
};
use crate::{
    helpers,
    sync::ReadOnce, //
};
use core::{
    marker::PhantomData,
    ops::Deref, //
};
use kernel::{
    bindings,
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full, //
        },
        rcu,
        Arc,
        Mutex,
        MutexGuard, //
    },
    types::Opaque, //
};

/// The data of a queue: `queuedata` points to it. The disk owns it, and `free_disk` frees it.
///
/// # Invariants
///
/// - `published` is null or came from [`Arc::into_raw`], and then owns that reference.
/// - A value is taken out of `published` while the queue is frozen, when the disk is released, or
///   by [`RequestQueue::unpublish`], which keeps it until no request that has read it is in flight.
/// - The tag set of the queue is allocated while `has_tags` is true. When it is false the disk has
///   been deleted, so the queue stays frozen.
#[pin_data(PinnedDrop)]
pub(crate) struct QueueData<T: DeviceData> {
    device: Arc<T>,
    published: Atomic<*mut T::Published>,
    /// Whether the queue has its tag set. Held while that is used without a request in flight.
    #[pin]
    has_tags: Mutex<bool>,
    #[pin]
    deferred: DeferredEnds<T>,
}

impl<T: DeviceData> QueueData<T> {
    /// Returns an initialiser. `end` ends a request of the queue.
    pub(crate) fn new(device: Arc<T>, end: EndFn) -> impl PinInit<Self> {
        pin_init!(Self {
            device,
            published: Atomic::new(core::ptr::null_mut()),
            has_tags <- new_mutex!(true, "disk_tags"),
            deferred <- DeferredEnds::new(end),
        })
    }

    /// Returns the requests whose end is deferred.
    pub(crate) fn deferred(&self) -> &DeferredEnds<T> {
        &self.deferred
    }

    /// Waits for the uses of the tag set, and prevents further ones. For a disk that has been
    /// deleted, before its tag set is freed. Sleeps.
    pub(crate) fn forget_tags(&self) {
        *self.has_tags.lock() = false;
    }

    fn swap(&self, new: *mut T::Published) -> Option<Arc<T::Published>> {
        let old = self.published.xchg(new, Full);
        // SAFETY: By the type invariant `old` came from `into_raw`. The exchange took over its
        // reference.
        (!old.is_null()).then(|| unsafe { Arc::from_raw(old) })
    }
}

#[pinned_drop]
impl<T: DeviceData> PinnedDrop for QueueData<T> {
    fn drop(self: Pin<&mut Self>) {
        drop(self.swap(core::ptr::null_mut()));
    }
}

/// The queue of a disk: wraps `struct request_queue`.
///
/// # Invariants
///
/// For as long as the reference, the queue and its disk are not released, and `queuedata` points to
/// a [`QueueData<T>`].
#[repr(transparent)]
pub(crate) struct RequestQueue<T: DeviceData>(Opaque<bindings::request_queue>, PhantomData<T>);

impl<T: DeviceData> RequestQueue<T> {
    /// # Safety
    ///
    /// The caller must uphold the type invariants for `ptr` for all of `'a`.
    pub(crate) unsafe fn from_raw<'a>(ptr: *mut bindings::request_queue) -> &'a Self {
        // SAFETY: `Self` is transparent over `struct request_queue`, which the caller keeps alive.
        unsafe { &*ptr.cast() }
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::request_queue {
        self.0.get()
    }

    /// Returns the data of the queue. Any context.
    pub(crate) fn data(&self) -> &QueueData<T> {
        // SAFETY: By the type invariants `queuedata` points to a live `QueueData<T>`.
        unsafe { &*(*self.as_raw()).queuedata.cast() }
    }

    /// Returns the driver's data for the disk. Any context.
    pub(crate) fn device(&self) -> &Arc<T> {
        &self.data().device
    }

    /// Returns the published value. Any context.
    ///
    /// # Safety
    ///
    /// The caller must keep a request of this queue in flight for as long as the reference.
    pub(super) unsafe fn published(&self) -> Option<&T::Published> {
        // All that follows depends on the pointer, so no stronger order is needed.
        let p = self.data().published.read_once();
        // SAFETY: By the invariants of `QueueData` a pointer that is not null is to a live value,
        // and the value stays while a request that has read it is in flight. The caller keeps that
        // request in flight.
        unsafe { p.as_ref() }
    }

    /// Publishes `value` if there is none; fails with EBUSY otherwise. No reader has a value that
    /// this replaces, so the queue need not be frozen. Any context.
    pub(crate) fn publish_first(&self, value: Arc<T::Published>) -> Result {
        let new = Arc::into_raw(value).cast_mut();
        match self
            .data()
            .published
            .cmpxchg(core::ptr::null_mut(), new, Full)
        {
            Ok(_) => Ok(()),
            Err(_) => {
                // SAFETY: `new` came from `into_raw` above and was not stored.
                drop(unsafe { Arc::from_raw(new) });
                Err(EBUSY)
            }
        }
    }

    /// Takes away the value that requests read through
    /// [`InFlight::published`](super::InFlight::published), and returns it when no request that has
    /// read it is in flight. Requests that arrive meanwhile find no value. Sleeps, as
    /// [`FrozenQueue`].
    ///
    /// Without requests this waits for a grace period of the SRCU of the tag set, but not on x86.
    /// That is shorter than the RCU grace period of freezing a queue.
    pub(crate) fn unpublish(&self) -> Option<Arc<T::Published>> {
        let old = self.data().swap(core::ptr::null_mut());
        let has_tags = self.data().has_tags.lock();
        // A request is issued in a read section of that SRCU and has its tag before. So a request
        // that has read the old value and is in flight after the grace period has its tag set in
        // the bitmap. On x86 the exchange and taking a tag are full barriers, which do the same. A
        // deleted disk has neither requests nor tags.
        let busy = *has_tags && {
            // SAFETY: By the type invariant the queue is live, and by that of `QueueData` it has a
            // tag set.
            unsafe {
                helpers::kx_queue_wait_issued(self.as_raw());
                helpers::kx_queue_is_busy(self.as_raw())
            }
        };
        if busy {
            drop(FrozenQueue::freeze(self, &has_tags));
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
/// `queue` is frozen by `blk_mq_freeze_queue()`, which returned `memflags`.
pub struct FrozenQueue<'a, T: DeviceData> {
    queue: &'a RequestQueue<T>,
    /// The state of the allocation scope, which `blk_mq_unfreeze_queue()` restores.
    memflags: u32,
}

impl<'a, T: DeviceData> FrozenQueue<'a, T> {
    /// Freezes the queue. Sleeps until all requests have ended; none of them may depend on a lock
    /// that the caller holds.
    pub(crate) fn new(queue: &'a RequestQueue<T>) -> Self {
        Self::freeze(queue, &queue.data().has_tags.lock())
    }

    /// `blk_mq_freeze_queue()` runs the hardware queues, which use the tag set, unless the queue is
    /// frozen already: `_has_tags` is that of the queue.
    fn freeze(queue: &'a RequestQueue<T>, _has_tags: &MutexGuard<'_, bool>) -> Self {
        Self {
            queue,
            // SAFETY: By the invariant of `RequestQueue` the queue is live. By that of `QueueData`
            // it has a tag set, which it keeps while `_has_tags` is held, or stays frozen.
            memflags: unsafe { helpers::kx_freeze_queue(queue.as_raw()) },
        }
    }

    /// Replaces the value that requests read through
    /// [`InFlight::published`](super::InFlight::published), and returns the old one. Any context.
    pub fn publish(&self, value: Option<Arc<T::Published>>) -> Option<Arc<T::Published>> {
        let new = value.map_or(core::ptr::null_mut(), |v| Arc::into_raw(v).cast_mut());
        // By the type invariant no request is in flight, so there is no reference into the old
        // value.
        self.queue.data().swap(new)
    }
}

impl<T: DeviceData> Drop for FrozenQueue<'_, T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the queue is frozen and these are its flags.
        unsafe { helpers::kx_unfreeze_queue(self.queue.as_raw(), self.memflags) };
    }
}

/// The driver's data for a disk, borrowed in an RCU read section, which ends when this is dropped.
/// It may outlive the request that it came from, and holds no reference that could be the last one.
///
/// # Invariants
///
/// `device` stays until the read section of `_rcu` ends: `DiskRegistration` waits for an RCU grace
/// period after the last request has ended and before it drops its reference to the disk, which
/// owns the data.
pub struct DeviceGuard<T: DeviceData> {
    device: *const Arc<T>,
    _rcu: rcu::Guard,
}

impl<T: DeviceData> DeviceGuard<T> {
    /// Begins a read section and borrows the data of `queue`. Any context.
    ///
    /// # Safety
    ///
    /// The caller must keep a request of the queue in flight during the call.
    pub(super) unsafe fn new(queue: &RequestQueue<T>) -> Self {
        // INVARIANT: The read section begins while a request is in flight, so the grace period that
        // `DiskRegistration` waits for begins later.
        Self {
            _rcu: rcu::read_lock(),
            device: queue.device(),
        }
    }
}

impl<T: DeviceData> Deref for DeviceGuard<T> {
    type Target = Arc<T>;

    fn deref(&self) -> &Arc<T> {
        // SAFETY: By the type invariant, as `self` holds the guard of the read section.
        unsafe { &*self.device }
    }
}
