// SPDX-License-Identifier: GPL-2.0

//! [`Operations`]: `struct block_device_operations`, which a driver implements for the openers of a
//! disk, and the table that is made of it.

use super::{
    data::DiskData,
    disk::Disk, //
};
use crate::{
    block::{
        bdev::{
            BlockDevice,
            OpenMode, //
        },
        mq, //
    },
    helpers,
    module::THIS_MODULE, //
};
use core::marker::PhantomData;
use kernel::{
    bindings,
    error::{
        from_result,
        to_result, //
    },
    ffi::{
        c_int,
        c_uint,
        c_ulong, //
    },
    prelude::*,
    sync::Arc,
    types::ForeignOwnable, //
};

/// The file operations of a disk. C struct: `block_device_operations`.
pub trait Operations: mq::Operations {
    /// Handles an open of the disk or a partition; an error fails the open. Sleeps; `open_mutex` of
    /// the disk is held.
    fn open(&self, disk: &Disk<Self>, mode: OpenMode) -> Result;

    /// Handles the last close of the disk and its partitions. Sleeps; `open_mutex` of the disk is
    /// held.
    fn last_close(&self, disk: &Disk<Self>, closed: &Closed<'_, Self>);

    /// Handles an ioctl that the block layer does not implement. Sleeps; no lock is held.
    fn ioctl(
        &self,
        disk: &Disk<Self>,
        bdev: &BlockDevice,
        mode: OpenMode,
        cmd: u32,
        arg: usize,
    ) -> Result;

    /// Handles such an ioctl of a 32-bit program on a 64-bit kernel. Fails with `ENOIOCTLCMD` if it
    /// is not known. Sleeps; no lock is held.
    fn compat_ioctl(
        &self,
        disk: &Disk<Self>,
        bdev: &BlockDevice,
        mode: OpenMode,
        cmd: u32,
        arg: usize,
    ) -> Result;
}

/// The last close of a disk and its partitions. A task that opens the disk meanwhile waits for
/// `open_mutex`.
///
/// A request may be in flight: one that was submitted before the last close may still be issued
/// after it.
///
/// # Invariants
///
/// `open_mutex` of the disk is held for as long as the value lives, and the disk has no openers.
pub struct Closed<'a, T: Operations>(&'a Disk<T>);

impl<T: Operations> Closed<'_, T> {
    /// Drops all partitions of a disk whose size is 0: `bdev_disk_changed()`. A task that has
    /// looked up a partition and waits to open it gets ENXIO. Sleeps.
    pub fn drop_partitions(&self) -> Result {
        // SAFETY: By the type invariant `open_mutex` is held; by that of `Disk` the disk is live.
        to_result(unsafe { helpers::kx_disk_drop_partitions(self.0.as_raw()) })
    }

    /// Takes away the value that requests read through
    /// [`InFlight::published`](mq::InFlight::published), and returns it when no request that has
    /// read it is in flight. Sleeps.
    pub fn unpublish(&self) -> Option<Arc<T::Published>> {
        self.0.queue().unpublish()
    }
}

/// The `struct block_device_operations` of the driver `T`.
pub(super) struct FopsVTable<T: Operations>(PhantomData<T>);

impl<T: Operations> FopsVTable<T> {
    /// # Safety
    ///
    /// For the block layer only. The caller must pass a live disk with these operations, and hold
    /// its `open_mutex`.
    unsafe extern "C" fn open(disk: *mut bindings::gendisk, mode: bindings::blk_mode_t) -> c_int {
        // SAFETY: The caller passes a live disk with this table, so one that `DiskRegistration<T>`
        // made.
        let disk = unsafe { Disk::<T>::from_raw(disk) };
        from_result(|| {
            disk.device().open(disk, OpenMode::from_raw(mode))?;
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// For the block layer only. The caller must pass a live disk with these operations, and hold
    /// its `open_mutex`.
    unsafe extern "C" fn release(disk: *mut bindings::gendisk) {
        // SAFETY: The caller passes a live disk with this table, so one that `DiskRegistration<T>`
        // made.
        let disk = unsafe { Disk::<T>::from_raw(disk) };
        if disk.openers() == 0 {
            disk.device().last_close(disk, &Closed(disk));
        }
    }

    /// Returns an open device and its disk.
    ///
    /// # Safety
    ///
    /// `bdev` must be a device of a disk with these operations, and stay open for all of `'a`.
    unsafe fn opened<'a>(bdev: *mut bindings::block_device) -> (&'a Disk<T>, &'a BlockDevice) {
        // SAFETY: The caller keeps the device open, so it is live with its disk. The disk has this
        // table, so `DiskRegistration<T>` made it.
        unsafe {
            (
                Disk::<T>::from_raw((*bdev).bd_disk),
                BlockDevice::from_raw(bdev),
            )
        }
    }

    /// # Safety
    ///
    /// For the block layer only. The caller must pass an open device of a disk with these
    /// operations.
    unsafe extern "C" fn ioctl(
        bdev: *mut bindings::block_device,
        mode: bindings::blk_mode_t,
        cmd: c_uint,
        arg: c_ulong,
    ) -> c_int {
        // SAFETY: By the caller.
        let (disk, bdev) = unsafe { Self::opened(bdev) };
        from_result(|| {
            disk.device()
                .ioctl(disk, bdev, OpenMode::from_raw(mode), cmd, arg)?;
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// As [`Self::ioctl`].
    unsafe extern "C" fn compat_ioctl(
        bdev: *mut bindings::block_device,
        mode: bindings::blk_mode_t,
        cmd: c_uint,
        arg: c_ulong,
    ) -> c_int {
        // SAFETY: By the caller.
        let (disk, bdev) = unsafe { Self::opened(bdev) };
        from_result(|| {
            disk.device()
                .compat_ioctl(disk, bdev, OpenMode::from_raw(mode), cmd, arg)?;
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// For the block layer only. The caller must release `disk`, which has these operations: no
    /// other reference to it is left.
    unsafe extern "C" fn free_disk(disk: *mut bindings::gendisk) {
        // SAFETY: `DiskRegistration::new` set `private_data` to what `into_foreign` returned. No
        // reference to the disk is left, so by the invariant of `Disk` no user of the data.
        drop(unsafe { <Pin<KBox<DiskData<T>>>>::from_foreign((*disk).private_data) });
    }

    pub(super) const VTABLE: bindings::block_device_operations = {
        let mut ops: bindings::block_device_operations = pin_init::zeroed();
        ops.owner = THIS_MODULE.as_ptr();
        ops.open = Some(Self::open);
        ops.release = Some(Self::release);
        ops.ioctl = Some(Self::ioctl);
        ops.compat_ioctl = Some(Self::compat_ioctl);
        ops.free_disk = Some(Self::free_disk);
        ops
    };

    pub(super) const fn build() -> &'static bindings::block_device_operations {
        &Self::VTABLE
    }
}

impl<T: Operations> Disk<T> {
    /// Returns the disk of `ptr` if it is one of the driver `T` in this module. Any context.
    ///
    /// # Safety
    ///
    /// The caller must keep the disk of `ptr` alive for all of `'a`.
    unsafe fn try_from_raw<'a>(ptr: *mut bindings::gendisk) -> Option<&'a Self> {
        // SAFETY: The caller keeps the disk alive, and its operations do not change.
        let fops = unsafe { (*ptr).fops };
        if !core::ptr::eq(fops, FopsVTable::<T>::build()) {
            return None;
        }
        // Only `DiskRegistration` uses this table, but the compiler may use one table for two
        // drivers, if their callbacks are the same code.
        // SAFETY: By the table `DiskRegistration` made the disk and its data. If that is of `T`, it
        // upholds the type invariants of `Disk<T>`, and the caller keeps the disk alive.
        unsafe { DiskData::<T>::is_of_driver((*ptr).private_data).then(|| Self::from_raw(ptr)) }
    }
}

impl BlockDevice {
    /// Returns the driver's data if this is a disk of the driver `T` in this module, or a partition
    /// of one. Any context.
    pub fn driver_data<T: Operations>(&self) -> Option<&T> {
        // SAFETY: By the type invariant the device is live, and `bd_disk` does not change.
        let disk = unsafe { (*self.as_raw()).bd_disk };
        // SAFETY: By the type invariant the disk is live for as long as `self`.
        unsafe { Disk::<T>::try_from_raw(disk) }.map(|disk| &**disk.device())
    }
}
