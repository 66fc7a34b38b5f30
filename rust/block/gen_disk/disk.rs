// SPDX-License-Identifier: GPL-2.0

//! [`Disk`] and [`DiskRef`]: a borrowed and a counted reference to a `struct gendisk`.

use super::data::DiskData;
use crate::{
    block::{
        bdev::BlockDevice,
        limits::Limits,
        mq::{
            DeviceData,
            FrozenQueue,
            InFlight,
            RequestQueue, //
        }, //
    },
    helpers,
    workqueue::Workqueue, //
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
/// For as long as the reference:
///
/// - The disk is not released, and with it neither its queue nor its `part0`. It may have been
///   deleted (`del_gendisk()`).
/// - `private_data` points to a [`DiskData<T>`] and `queuedata` of the queue to its `queue`.
///   `free_disk` frees it when the disk is released.
#[repr(transparent)]
pub struct Disk<T: DeviceData>(Opaque<bindings::gendisk>, PhantomData<T>);

impl<T: DeviceData> Disk<T> {
    /// # Safety
    ///
    /// The caller must uphold the type invariants for `ptr` for all of `'a`.
    pub(crate) unsafe fn from_raw<'a>(ptr: *mut bindings::gendisk) -> &'a Self {
        // SAFETY: `Self` is transparent over `struct gendisk`, which the caller keeps alive.
        unsafe { &*ptr.cast() }
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::gendisk {
        self.0.get()
    }

    pub(super) fn queue(&self) -> &RequestQueue<T> {
        // SAFETY: By the type invariants the queue is live, with a `QueueData<T>`.
        unsafe { RequestQueue::from_raw((*self.as_raw()).queue) }
    }

    pub(super) fn data(&self) -> &DiskData<T> {
        // SAFETY: By the type invariants `private_data` is a `DiskData<T>`, which lives as long as
        // the disk.
        unsafe { &*(*self.as_raw()).private_data.cast() }
    }

    /// Returns the driver's data for the disk. Any context.
    pub fn device(&self) -> &Arc<T> {
        self.queue().device()
    }

    /// Returns the whole disk as a block device, `part0`. Any context.
    pub fn part0(&self) -> &BlockDevice {
        // SAFETY: By the type invariant the disk is live, and `part0` with it.
        unsafe { BlockDevice::from_raw((*self.as_raw()).part0) }
    }

    /// Returns how many opens of the disk and its partitions there are: `disk_openers()`. Any
    /// context.
    pub fn openers(&self) -> u32 {
        // SAFETY: By the type invariant the disk is live.
        unsafe { helpers::kx_disk_openers(self.as_raw()) }
    }

    /// Returns the logical block size in bytes; during an update of the limits, the old or the new
    /// one. Any context.
    pub fn logical_block_size(&self) -> u32 {
        // SAFETY: By the type invariant the queue is live. As READ_ONCE(), as an update may write
        // the field.
        unsafe { (&raw const (*self.queue().as_raw()).limits.logical_block_size).read_volatile() }
    }

    /// Sets the size in 512-byte sectors: `set_capacity_and_notify()`. Sends a change uevent in any
    /// case, with `RESIZE=1` if the size changes from one to another that are both not 0. Sleeps.
    pub fn set_capacity_and_notify(&self, sectors: u64) {
        // SAFETY: By the type invariant the disk is live.
        if !unsafe { bindings::set_capacity_and_notify(self.as_raw(), sectors) } {
            self.uevent_change();
        }
    }

    /// Sends a change uevent, unless uevents are suppressed. Sleeps.
    pub fn uevent_change(&self) {
        // SAFETY: By the type invariant the disk is live.
        unsafe { helpers::kx_disk_uevent_change(self.as_raw()) };
    }

    /// Sends an add uevent for each partition, to make up for those that were suppressed. Sleeps.
    pub fn uevent_partitions_add(&self) {
        // SAFETY: By the type invariant the disk is live.
        unsafe { helpers::kx_disk_uevent_partitions_add(self.as_raw()) };
    }

    /// Suppresses the uevents of the disk, and the add uevents of partitions that are added
    /// meanwhile, until the guard is dropped. Does not nest: the first guard that is dropped ends
    /// it. Has no effect on a deleted disk. Sleeps.
    pub fn suppress_uevents(&self) -> UeventsSuppressed<'_, T> {
        self.set_uevents_suppressed(true);
        UeventsSuppressed(self)
    }

    fn set_uevents_suppressed(&self, suppress: bool) {
        // The flag shares a word with those that deleting the disk changes.
        self.data().group.unless_closed(|| {
            // SAFETY: By the type invariant the disk is live.
            unsafe { helpers::kx_disk_suppress_uevents(self.as_raw(), suppress) };
        });
    }

    /// Reports a change of the medium, `disk_force_media_change()`: sends a media-change uevent,
    /// increments the diskseq, marks the old medium dead and drops its page cache. Sleeps.
    pub fn force_media_change(&self) {
        // SAFETY: By the type invariant the disk is live.
        unsafe { bindings::disk_force_media_change(self.as_raw()) };
    }

    /// Drops the page cache and sets the size to 0: `invalidate_disk()`. Sleeps.
    pub fn invalidate(&self) {
        // SAFETY: By the type invariant the disk is live.
        unsafe { bindings::invalidate_disk(self.as_raw()) };
    }

    /// Sets or clears read-only, and sends a uevent on a change: `set_disk_ro()`. Sleeps.
    pub fn set_read_only(&self, read_only: bool) {
        // SAFETY: By the type invariant the disk is live.
        unsafe { bindings::set_disk_ro(self.as_raw(), read_only) };
    }

    /// Enables or disables partition scans by the kernel: `GD_SUPPRESS_PART_SCAN`. Any context.
    pub fn set_partscan(&self, enable: bool) {
        // SAFETY: By the type invariant the disk is live.
        unsafe { helpers::kx_disk_set_partscan(self.as_raw(), enable) };
    }

    /// Scans for partitions: `bdev_disk_changed()`. Sleeps; takes `open_mutex`. Fails with EBUSY if
    /// a partition is open, ENXIO if the disk is deleted, and EIO if the table can't be read.
    pub fn scan_partitions(&self) -> Result {
        // SAFETY: By the type invariant the disk is live.
        to_result(unsafe { helpers::kx_disk_scan_partitions(self.as_raw()) })
    }

    /// Sets or clears `QUEUE_FLAG_NOMERGES`: set, merging is left to the lower device, to which the
    /// driver passes all bios. Any context.
    pub fn set_nomerges(&self, on: bool) {
        // SAFETY: By the type invariant the queue is live.
        unsafe { helpers::kx_disk_pass_on(self.as_raw(), on) };
    }

    /// Publishes the first value for [`InFlight::published`]; needs no
    /// [`FrozenQueue`], as there is none to replace. Any context.
    ///
    /// Fails with EBUSY if there is a value.
    pub fn publish_first(&self, value: Arc<T::Published>) -> Result {
        self.queue().publish_first(value)
    }

    /// Changes the limits in one step, without freezing the queue: for a queue that is not in use
    /// yet. Sleeps.
    ///
    /// A request that arrives nevertheless may be split by a mix of the old and the new limits.
    ///
    /// Fails with EINVAL if the block layer refuses the limits; then nothing has changed.
    pub fn update_limits(&self, f: impl FnOnce(&mut Limits)) -> Result {
        let mut limits = self.start_limits(f);
        // SAFETY: By the type invariant the queue is live. `start_limits` took the `limits_lock`
        // that this releases.
        to_result(unsafe {
            bindings::queue_limits_commit_update(self.queue().as_raw(), &mut limits.0)
        })
    }

    /// Changes the limits while no request is in flight. `f` is called with the queue frozen, and
    /// `commit` with what it returned if the block layer accepts the limits, before the queue is
    /// unfrozen. Sleeps, as [`FrozenQueue`].
    ///
    /// Fails with the error of `f`, and with EINVAL if the block layer refuses the limits; then
    /// nothing has changed.
    pub fn update_limits_frozen<R, E: From<Error>>(
        &self,
        f: impl FnOnce(&FrozenQueue<'_, T>, &mut Limits) -> Result<R, E>,
        commit: impl FnOnce(&FrozenQueue<'_, T>, R),
    ) -> Result<(), E> {
        // The block layer takes `limits_lock` before it freezes a queue, everywhere.
        let mut limits = self.start_limits(|_| ());
        let frozen = FrozenQueue::new(self.queue());
        let value = f(&frozen, &mut limits).inspect_err(|_| {
            // SAFETY: By the type invariant the queue is live. `start_limits` took the
            // `limits_lock` that this releases.
            unsafe { helpers::kx_limits_cancel_update(self.queue().as_raw()) };
        })?;
        // SAFETY: By the type invariant the queue is live. `start_limits` took the `limits_lock`
        // that this releases.
        to_result(unsafe {
            bindings::queue_limits_commit_update(self.queue().as_raw(), &mut limits.0)
        })?;
        commit(&frozen, value);
        Ok(())
    }

    /// Calls `f` with a copy of the limits and leaves `limits_lock` held: the caller must commit
    /// them. Sleeps.
    fn start_limits(&self, f: impl FnOnce(&mut Limits)) -> Limits {
        let mut limits = Limits::new();
        // SAFETY: By the type invariant the queue is live. Both callers end the update.
        unsafe { helpers::kx_limits_start_update(self.queue().as_raw(), &mut limits.0) };
        f(&mut limits);
        limits
    }
}

impl<T: DeviceData> InFlight<T> {
    /// Calls `f` with the disk of the request in a worker of `wq`, perhaps after the request has
    /// ended. The disk is kept in memory until `f` has run; it may have been deleted by then.
    /// Sleeps. Fails with ENOMEM.
    pub fn spawn_with_disk(
        &self,
        wq: &Workqueue,
        f: impl FnOnce(&Disk<T>) + Send + 'static,
    ) -> Result {
        // SAFETY: By the invariant of `InFlight` the queue and its disk, a `Disk<T>`, are live.
        let disk = DiskRef::new(unsafe { Disk::from_raw((*self.queue().as_raw()).disk) });
        // The last reference can be dropped in the worker only, which may sleep: on failure `self`
        // still keeps the disk.
        wq.spawn(move || f(&disk))
    }
}

/// A counted reference to a disk: wraps `get_device()` and `put_device()`.
///
/// It keeps the disk, its queue and the driver's data in memory, but not in use: the disk may be
/// deleted. Dropping the last reference releases the disk, which frees the driver's data and
/// sleeps.
///
/// # Invariants
///
/// The `DiskRef` owns a reference to the device of the disk, and the disk satisfies the invariants
/// of [`Disk<T>`].
pub(super) struct DiskRef<T: DeviceData>(NonNull<bindings::gendisk>, PhantomData<T>);

// SAFETY: The reference count is atomic, and any task may drop a reference.
unsafe impl<T: DeviceData> Send for DiskRef<T> {}

impl<T: DeviceData> DiskRef<T> {
    pub(super) fn new(disk: &Disk<T>) -> Self {
        // SAFETY: By the invariant of `Disk` the disk is live.
        unsafe { helpers::kx_disk_get(disk.as_raw()) };
        Self(NonNull::from(disk).cast(), PhantomData)
    }
}

impl<T: DeviceData> Deref for DiskRef<T> {
    type Target = Disk<T>;

    fn deref(&self) -> &Disk<T> {
        // SAFETY: By the type invariant. The reference keeps the disk from being released while
        // `self` lives.
        unsafe { Disk::from_raw(self.0.as_ptr()) }
    }
}

impl<T: DeviceData> Drop for DiskRef<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the reference is owned by `self`, which is gone after this.
        unsafe { helpers::kx_disk_put(self.0.as_ptr()) };
    }
}

/// Suppresses uevents of a disk until it is dropped; see [`Disk::suppress_uevents`].
#[must_use]
pub struct UeventsSuppressed<'a, T: DeviceData>(&'a Disk<T>);

impl<T: DeviceData> Drop for UeventsSuppressed<'_, T> {
    fn drop(&mut self) {
        self.0.set_uevents_suppressed(false);
    }
}
