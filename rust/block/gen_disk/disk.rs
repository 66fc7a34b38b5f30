// SPDX-License-Identifier: GPL-2.0

//! A live disk of a known driver.

use super::{
    fops::FopsVTable,
    Operations, //
};
use crate::{
    block::{
        bdev::BlockDevice,
        limits::Limits,
        mq::{
            self,
            FrozenQueue,
            QueueData, //
        }, //
    },
    helpers, //
};
use core::{
    marker::PhantomData,
    ops::Deref,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    error::to_result,
    prelude::*,
    sync::Arc,
    types::Opaque, //
};

/// A disk of the driver `T`: wraps `struct gendisk`.
///
/// # Invariants
///
/// The disk is live for as long as the reference, and its `private_data` and its queue's
/// `queuedata` point to the same [`QueueData<T>`].
#[repr(transparent)]
pub struct Disk<T: mq::Operations>(Opaque<bindings::gendisk>, PhantomData<T>);

impl<T: mq::Operations> Disk<T> {
    /// # Safety
    ///
    /// The type invariants must hold for `ptr` for all of `'a`.
    pub(crate) unsafe fn from_raw<'a>(ptr: *mut bindings::gendisk) -> &'a Self {
        // SAFETY: Transparent over `struct gendisk`; the caller keeps it alive.
        unsafe { &*ptr.cast() }
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::gendisk {
        self.0.get()
    }

    pub(crate) fn queue(&self) -> *mut bindings::request_queue {
        // SAFETY: A live disk has a live queue.
        unsafe { (*self.as_raw()).queue }
    }

    pub(crate) fn queue_data(&self) -> &QueueData<T> {
        // SAFETY: By the type invariant; it is freed after the disk.
        unsafe { QueueData::from_queue(self.queue()) }
    }

    /// The driver's data for the disk.
    pub fn device(&self) -> &Arc<T> {
        &self.queue_data().device
    }

    /// The whole disk as a block device: `part0`.
    pub fn part0(&self) -> &BlockDevice {
        // SAFETY: By the type invariant; it lives as long as the disk.
        unsafe { BlockDevice::from_raw((*self.as_raw()).part0) }
    }

    /// How often the disk and its partitions are open: `disk_openers()`.
    pub fn openers(&self) -> u32 {
        // SAFETY: By the type invariant.
        unsafe { helpers::kx_disk_openers(self.as_raw()) }
    }

    /// Its logical block size in bytes; while that is changed, the old or the new one.
    pub fn logical_block_size(&self) -> u32 {
        // SAFETY: By the type invariant. A word is read at once.
        unsafe { (*self.queue()).limits.logical_block_size }
    }

    /// Sets the size, in 512-byte sectors; a change uevent goes out in any case, with `RESIZE=1`
    /// where the block layer finds that the size of a disk in use has changed. Sleeps.
    pub fn set_capacity_and_notify(&self, sectors: u64) {
        // SAFETY: By the type invariant.
        if !unsafe { bindings::set_capacity_and_notify(self.as_raw(), sectors) } {
            self.uevent_change();
        }
    }

    /// Sends a change uevent, if they are not suppressed. Sleeps.
    pub fn uevent_change(&self) {
        // SAFETY: By the type invariant.
        unsafe { helpers::kx_disk_uevent_change(self.as_raw()) };
    }

    /// Sends an add uevent for each partition: for those that were found while uevents were
    /// suppressed. Sleeps.
    pub fn uevent_partitions_add(&self) {
        // SAFETY: By the type invariant.
        unsafe { helpers::kx_disk_uevent_partitions_add(self.as_raw()) };
    }

    /// Suppresses the uevents of the disk, and the add uevents of partitions found meanwhile, until
    /// the guard is dropped. It does not nest: the first guard to go ends it.
    pub fn suppress_uevents(&self) -> UeventsSuppressed<'_, T> {
        // SAFETY: By the type invariant.
        unsafe { helpers::kx_disk_suppress_uevents(self.as_raw(), true) };
        UeventsSuppressed(self)
    }

    /// Says that the medium is another one: a media-change uevent, a new diskseq, and the page
    /// cache of the old one is gone: `disk_force_media_change()`. Sleeps.
    pub fn force_media_change(&self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::disk_force_media_change(self.as_raw()) };
    }

    /// Size 0 and no page cache: `invalidate_disk()`. Sleeps.
    pub fn invalidate(&self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::invalidate_disk(self.as_raw()) };
    }

    /// `set_disk_ro()`; a uevent goes out when it changes. Sleeps.
    pub fn set_read_only(&self, read_only: bool) {
        // SAFETY: By the type invariant.
        unsafe { bindings::set_disk_ro(self.as_raw(), read_only) };
    }

    /// Whether the kernel looks for partitions: `GD_SUPPRESS_PART_SCAN`. Any context.
    pub fn set_partscan(&self, enable: bool) {
        // SAFETY: By the type invariant.
        unsafe { helpers::kx_disk_set_partscan(self.as_raw(), enable) };
    }

    /// Scans for partitions. Sleeps; takes `open_mutex`. Fails with EBUSY if a partition is open.
    pub fn scan_partitions(&self) -> Result {
        // SAFETY: By the type invariant.
        to_result(unsafe { helpers::kx_disk_scan_partitions(self.as_raw()) })
    }

    /// Whether merging requests is left to a device below, to which all bios are passed on:
    /// `QUEUE_FLAG_NOMERGES`. Any context.
    pub fn set_nomerges(&self, on: bool) {
        // SAFETY: By the type invariant.
        unsafe { helpers::kx_disk_pass_on(self.as_raw(), on) };
    }

    /// Publishes a value where there is none; see [`FrozenQueue::publish`]. Any context.
    ///
    /// Fails with EBUSY where there is one.
    pub fn publish_first(&self, value: Arc<T::Published>) -> Result {
        self.queue_data().publish_first(value)
    }

    /// Changes the limits of a queue that nobody uses yet as one step. Sleeps.
    ///
    /// Requests that come nevertheless may be split by limits that are half the old ones.
    ///
    /// Fails with EINVAL if the block layer refuses them, and then nothing has changed.
    pub fn update_limits(&self, f: impl FnOnce(&mut Limits)) -> Result {
        let mut limits = self.start_limits(f);
        // SAFETY: `start_limits` took the lock that this releases.
        to_result(unsafe { bindings::queue_limits_commit_update(self.queue(), &mut limits.0) })
    }

    /// Changes the limits while no request is in flight, and if the block layer takes them, calls
    /// `commit` before requests flow again. Sleeps, as [`FrozenQueue`].
    ///
    /// Fails with EINVAL if the block layer refuses them, and then nothing has changed.
    pub fn update_limits_frozen(
        &self,
        f: impl FnOnce(&mut Limits),
        commit: impl FnOnce(&FrozenQueue<'_, T>),
    ) -> Result {
        // The limits lock comes before freezing, everywhere in the block layer.
        let mut limits = self.start_limits(f);
        let frozen = FrozenQueue::new(self);
        // SAFETY: `start_limits` took the lock that this releases.
        to_result(unsafe { bindings::queue_limits_commit_update(self.queue(), &mut limits.0) })?;
        commit(&frozen);
        Ok(())
    }

    fn start_limits(&self, f: impl FnOnce(&mut Limits)) -> Limits {
        let mut limits = Limits::new();
        // SAFETY: A live disk has a live queue; both callers end the update.
        unsafe { helpers::kx_limits_start_update(self.queue(), &mut limits.0) };
        f(&mut limits);
        limits
    }
}

impl<T: Operations> Disk<T> {
    /// The disk behind `ptr`, if it is one of the driver `T` in this module.
    ///
    /// # Safety
    ///
    /// `ptr` must be a live disk for all of `'a`.
    pub(crate) unsafe fn try_from_raw<'a>(ptr: *mut bindings::gendisk) -> Option<&'a Self> {
        // SAFETY: The caller says that the disk is live, and its operations do not change.
        let fops = unsafe { (*ptr).fops };
        // Only `DiskRegistration` uses this table. It stands once in the driver's crate, which is
        // one codegen unit as all of the kernel's crates are.
        let ours = core::ptr::eq(fops, FopsVTable::<T>::build());
        // SAFETY: A disk with our table satisfies the invariants.
        ours.then(|| unsafe { Self::from_raw(ptr) })
    }
}

/// Keeps a disk and its queue in memory, though not in use: wraps `get_device()`.
///
/// The last reference frees the driver's data, which sleeps.
pub struct DiskRef<T: mq::Operations>(NonNull<bindings::gendisk>, PhantomData<T>);

// SAFETY: The count of references is atomic.
unsafe impl<T: mq::Operations> Send for DiskRef<T> {}

impl<T: mq::Operations> DiskRef<T> {
    pub(crate) fn new(disk: &Disk<T>) -> Self {
        // SAFETY: The disk is live.
        unsafe { helpers::kx_disk_get(disk.as_raw()) };
        Self(NonNull::from(disk).cast(), PhantomData)
    }
}

impl<T: mq::Operations> Deref for DiskRef<T> {
    type Target = Disk<T>;

    fn deref(&self) -> &Disk<T> {
        // SAFETY: The reference keeps the disk, its queue and the driver's data.
        unsafe { Disk::from_raw(self.0.as_ptr()) }
    }
}

impl<T: mq::Operations> Drop for DiskRef<T> {
    fn drop(&mut self) {
        // SAFETY: The reference is ours.
        unsafe { helpers::kx_disk_put(self.0.as_ptr()) };
    }
}

/// See [`Disk::suppress_uevents`].
#[must_use]
pub struct UeventsSuppressed<'a, T: mq::Operations>(&'a Disk<T>);

impl<T: mq::Operations> Drop for UeventsSuppressed<'_, T> {
    fn drop(&mut self) {
        // SAFETY: The disk is live for as long as `self`.
        unsafe { helpers::kx_disk_suppress_uevents(self.0.as_raw(), false) };
    }
}
