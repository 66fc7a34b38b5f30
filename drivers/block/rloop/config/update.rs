// SPDX-License-Identifier: GPL-2.0

//! LOOP_SET_DIRECT_IO, LOOP_SET_BLOCK_SIZE and LOOP_SET_CAPACITY.

use crate::{
    config::pin,
    device::{
        LoopDevice,
        Status, //
    },
    geometry, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};
use kernel_ext::block::{
    bdev::{
        BlockDevice,
        OpenMode, //
    },
    gen_disk::Disk, //
};

/// Enables or disables direct I/O. Sleeps. Fails with EINVAL if the backing or the block size does
/// not permit it, EBUSY if the device is pinned, ENXIO if it is not bound, and EINTR if the task is
/// killed.
pub(crate) fn set_direct_io(dev: &LoopDevice, disk: &Disk<LoopDevice>, on: bool) -> Result {
    let mut bound = dev.lock_bound()?;
    let old = bound.status();
    if old.backing.mode.is_direct() == on {
        return Ok(());
    }
    if old.backing.pin.is_some() {
        return Err(EBUSY);
    }
    let backing = old.backing.with_direct(on, disk.logical_block_size())?;
    if backing.mode.is_direct() != on {
        return Err(EINVAL);
    }
    if on {
        backing.sync_and_invalidate();
    }
    let limits = backing.io_limits();
    let new = Status {
        backing: Arc::new(backing, GFP_KERNEL)?,
        ..old.clone()
    };
    bound.replace_backing(disk, new, limits)
}

/// Sets the logical block size in bytes, or the default for 0. Sleeps. Fails with EINVAL if the
/// block layer does not support the size, EBUSY if the device is claimed, ENXIO if it is not bound,
/// and EINTR if the task is killed.
pub(crate) fn set_block_size(
    dev: &LoopDevice,
    disk: &Disk<LoopDevice>,
    bdev: &BlockDevice,
    mode: OpenMode,
    size: usize,
) -> Result {
    let size = u32::try_from(size).map_err(|_| EINVAL)?;
    // If the device is open exclusively, only that opener may change it.
    let _claim = if mode.exclusive() {
        None
    } else {
        Some(bdev.prepare_to_claim()?)
    };
    let mut bound = dev.lock_bound()?;
    let old = bound.status();
    if disk.logical_block_size() == size {
        return Ok(());
    }
    let direct = old.backing.mode.is_direct();
    let size = geometry::block_size(size, direct, old.backing.align.offset);
    if old.backing.pin.is_some() && !geometry::aligned(0, size, old.backing.align.offset) {
        return Err(EINVAL);
    }
    let backing = old.backing.with_direct(direct, size)?;
    let limits = backing.limits(size);
    let new = Status {
        backing: Arc::new(backing, GFP_KERNEL)?,
        ..old.clone()
    };

    // The page cache of the disk consists of blocks of the old size.
    let _ = disk.part0().sync_and_invalidate();
    bound.replace_backing(disk, new, limits)
}

/// Sets the size of the disk to that of the backing file, which may have changed. Sleeps. Fails
/// with ENXIO if the device is not bound, and with EINTR if the task is killed.
pub(crate) fn set_capacity(dev: &LoopDevice, disk: &Disk<LoopDevice>) -> Result {
    let bound = dev.lock_bound()?;
    let status = bound.status();
    pin::report_unmapped(dev, &status.backing);
    disk.set_capacity_and_notify(status.backing.capacity(status.sizelimit));
    Ok(())
}
