// SPDX-License-Identifier: GPL-2.0

//! LOOP_SET_DIRECT_IO, LOOP_SET_BLOCK_SIZE and LOOP_SET_CAPACITY.

use crate::{
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
    gendisk::Disk, //
};

/// Turns direct I/O on or off. EINVAL where the backing or the block size doesn't allow it.
pub(crate) fn set_direct_io(dev: &LoopDevice, disk: &Disk<LoopDevice>, on: bool) -> Result {
    let mut state = dev.state()?;
    state.check_bound()?;
    let old = dev.status().ok_or(ENXIO)?;
    if old.backing.direct == on {
        return Ok(());
    }
    let backing = old.backing.with_direct(on, disk.logical_block_size())?;
    if backing.direct != on {
        return Err(EINVAL);
    }
    if on {
        backing.settle();
    }
    let backing = Arc::new(backing, GFP_KERNEL)?;
    let memory = backing.memory_alignment();
    let atomic = backing.atomic_units();
    disk.update_limits_frozen(
        |limits| {
            limits.set_memory_alignment(memory).set_atomic_units(atomic);
        },
        |frozen| drop(frozen.publish(Some(backing.clone()))),
    )?;
    disk.set_pass_on(backing.passes_on);
    dev.set_status(&mut state, Some(Status { backing, ..old }));
    Ok(())
}

/// Sets the logical block size in bytes, or the default for 0. EINVAL for one that the block layer
/// doesn't take.
pub(crate) fn set_block_size(
    dev: &LoopDevice,
    disk: &Disk<LoopDevice>,
    bdev: &BlockDevice,
    mode: OpenMode,
    size: usize,
) -> Result {
    let size = u32::try_from(size).map_err(|_| EINVAL)?;
    // A device that is used exclusively changes only at the hands of its user.
    let _claim = if mode.exclusive() {
        None
    } else {
        Some(bdev.claim()?)
    };
    let mut state = dev.state()?;
    state.check_bound()?;
    let old = dev.status().ok_or(ENXIO)?;
    if disk.logical_block_size() == size {
        return Ok(());
    }
    let size = geometry::block_size(size, old.backing.direct, old.backing.align.offset);
    let backing = old.backing.with_direct(old.backing.direct, size)?;
    let backing = Arc::new(backing, GFP_KERNEL)?;

    // The page cache of the disk is in blocks of the old size.
    let _ = disk.whole().sync_and_invalidate();
    disk.update_limits_frozen(backing.limits(size), |frozen| {
        drop(frozen.publish(Some(backing.clone())))
    })?;
    disk.set_pass_on(backing.passes_on);
    dev.set_status(&mut state, Some(Status { backing, ..old }));
    Ok(())
}

/// Takes over the size of the backing, which may have changed.
pub(crate) fn set_capacity(dev: &LoopDevice, disk: &Disk<LoopDevice>) -> Result {
    let state = dev.state()?;
    state.check_bound()?;
    let status = dev.status().ok_or(ENXIO)?;
    disk.set_capacity_and_notify(status.backing.capacity(status.sizelimit));
    Ok(())
}
