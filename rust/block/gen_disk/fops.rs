// SPDX-License-Identifier: GPL-2.0

//! What a driver implements for the openers of a disk: `struct block_device_operations`.

use super::Disk;
use crate::{
    block::{
        bdev::{
            BlockDevice,
            OpenMode, //
        },
        mq::{
            self,
            QueueData, //
        }, //
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

/// The disk side of a block driver. C struct: `block_device_operations`.
pub trait Operations: mq::Operations {
    /// The disk is opened. Sleeps; `open_mutex` of the disk is held.
    fn open(&self, disk: &Disk<Self>, mode: OpenMode) -> Result;

    /// The last opener has gone. Sleeps; `open_mutex` of the disk is held.
    fn last_close(&self, disk: &Disk<Self>, closed: &Closed<'_, Self>);

    /// An ioctl that the block layer doesn't know. Sleeps; no lock is held.
    fn ioctl(
        &self,
        disk: &Disk<Self>,
        bdev: &BlockDevice,
        mode: OpenMode,
        cmd: u32,
        arg: usize,
    ) -> Result;

    /// The same from a 32-bit program on a 64-bit kernel; `ENOIOCTLCMD` if not known. Sleeps.
    fn compat_ioctl(
        &self,
        disk: &Disk<Self>,
        bdev: &BlockDevice,
        mode: OpenMode,
        cmd: u32,
        arg: usize,
    ) -> Result;
}

/// The last close of a disk and its partitions, with `open_mutex` held: a task that opens it meanwhile
/// waits.
///
/// I/O may cross the last close: a request that was submitted before may still be issued after it.
pub struct Closed<'a, T: Operations>(&'a Disk<T>);

impl<T: Operations> Closed<'_, T> {
    /// Drops all partitions, of a disk that has no size any more: `bdev_disk_changed()`. A task that is
    /// on the way to open one gets ENXIO. Sleeps.
    pub fn drop_partitions(&self) -> Result {
        // SAFETY: The disk is live and its `open_mutex` held.
        to_result(unsafe { helpers::kx_disk_drop_partitions(self.0.as_raw()) })
    }

    /// Takes away what requests read through [`InFlight::published`](mq::InFlight::published), and
    /// returns it when no request that has read it is in flight. Sleeps.
    pub fn unpublish(&self) -> Option<Arc<T::Published>> {
        self.0.unpublish()
    }
}

pub(super) struct FopsVTable<T: Operations>(PhantomData<T>);

impl<T: Operations> FopsVTable<T> {
    /// # Safety
    ///
    /// For the block layer only: `disk` is a live disk with these operations.
    unsafe extern "C" fn open(disk: *mut bindings::gendisk, mode: bindings::blk_mode_t) -> c_int {
        // SAFETY: The caller passes a live disk of ours.
        let disk = unsafe { Disk::<T>::from_raw(disk) };
        from_result(|| {
            disk.device().open(disk, OpenMode::from_raw(mode))?;
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// For the block layer only: `disk` is a live disk with these operations, `open_mutex` held.
    unsafe extern "C" fn release(disk: *mut bindings::gendisk) {
        // SAFETY: The caller passes a live disk of ours.
        let disk = unsafe { Disk::<T>::from_raw(disk) };
        if disk.openers() == 0 {
            disk.device().last_close(disk, &Closed(disk));
        }
    }

    /// # Safety
    ///
    /// For the block layer only: `bdev` is open, and of a disk with these operations.
    unsafe extern "C" fn ioctl(
        bdev: *mut bindings::block_device,
        mode: bindings::blk_mode_t,
        cmd: c_uint,
        arg: c_ulong,
    ) -> c_int {
        // SAFETY: An open device is live, and its disk is ours.
        let (disk, bdev) = unsafe {
            (
                Disk::<T>::from_raw((*bdev).bd_disk),
                BlockDevice::from_raw(bdev),
            )
        };
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
        // SAFETY: An open device is live, and its disk is ours.
        let (disk, bdev) = unsafe {
            (
                Disk::<T>::from_raw((*bdev).bd_disk),
                BlockDevice::from_raw(bdev),
            )
        };
        from_result(|| {
            disk.device()
                .compat_ioctl(disk, bdev, OpenMode::from_raw(mode), cmd, arg)?;
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// For the block layer only: the last reference to `disk` is gone.
    unsafe extern "C" fn free_disk(disk: *mut bindings::gendisk) {
        // SAFETY: Set at allocation by `into_foreign` and not used after this.
        drop(unsafe { <Pin<KBox<QueueData<T>>>>::from_foreign((*disk).private_data) });
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
