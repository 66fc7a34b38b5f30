// SPDX-License-Identifier: GPL-2.0

//! Pinned mode: `rloop/pin` and the parameter `pin`. The file is held still, and its requests go to
//! its extents.

use crate::{
    backing::Backing,
    device::{
        BoundGuard,
        LoopDevice,
        Status, //
    },
    geometry,
    not_pinned::NotPinned, //
};
use kernel::{
    page::PAGE_SIZE,
    pr_warn,
    prelude::*,
    sync::Arc, //
};
use kernel_ext::{
    block::{
        gen_disk::Disk,
        SECTOR_SHIFT, //
    },
    fs::{
        PinMemory,
        PinnedFile, //
    }, //
};

/// Pins or unpins a bound device. Sleeps until all requests have ended.
///
/// Fails with ENXIO if the device is not bound, EINTR if the task is killed, and as `NotPinned`
/// says; then the device is as before.
pub(crate) fn set(dev: &LoopDevice, disk: &Disk<LoopDevice>, on: bool) -> Result {
    let mut bound = dev.lock_bound()?;
    if !on {
        return unpin(&mut bound, disk, NotPinned::NotRequested);
    }
    if bound.status().backing.pin.is_some() {
        return Ok(());
    }
    let shared = bound.gfp_is_shared();
    let old = bound.status().clone();
    let block_size = disk.logical_block_size();
    // What takes long, before the queue is frozen.
    let _ = old.backing.file.write_back();
    // Dropped when the queue is no longer frozen.
    let memory = PinMemory::new();
    let done = bound.replace_backing_with(disk, |_| {
        let backing = pin(&old.backing, shared, block_size, &memory)?;
        let limits = backing.limits(block_size);
        let status = Status {
            backing: Arc::new(backing, GFP_KERNEL).map_err(Error::from)?,
            not_pinned: NotPinned::NotRequested,
            ..old.clone()
        };
        Ok((status, limits))
    });
    if let Err(why) = done {
        report(dev, why);
        bound.set_status(Status {
            not_pinned: why,
            ..old
        });
        return Err(why.to_error());
    }
    Ok(())
}

/// Makes a pinned device an ordinary one. Sleeps. Fails only without memory.
pub(crate) fn unpin(bound: &mut BoundGuard<'_>, disk: &Disk<LoopDevice>, why: NotPinned) -> Result {
    let old = bound.status().clone();
    let backing = match old.backing.pin {
        Some(_) => Arc::new(old.backing.unpinned(disk.logical_block_size())?, GFP_KERNEL)?,
        None => old.backing.clone(),
    };
    let new = Status {
        backing,
        not_pinned: why,
        ..old.clone()
    };
    if old.backing.pin.is_none() {
        bound.set_status(new);
        return Ok(());
    }
    let limits = new.backing.limits(disk.logical_block_size());
    bound.replace_backing(disk, new, limits)
}

/// Pins the file of a backing that no request uses. Sleeps. `shared`: another device has the file,
/// too. `memory`: [`PinMemory::new`], called before a queue was frozen.
pub(crate) fn pin(
    backing: &Backing,
    shared: bool,
    block_size: u32,
    memory: &Result<PinMemory>,
) -> Result<Backing, NotPinned> {
    if backing.file.is_block() {
        return Err(NotPinned::BlockDevice);
    }
    if !fits(backing.offset, geometry::SECTOR) {
        return Err(NotPinned::Offset);
    }
    if shared {
        return Err(NotPinned::Shared);
    }
    let memory = memory.as_ref().map_err(|e| NotPinned::from(*e))?;
    let file = PinnedFile::new(&backing.file, memory).map_err(NotPinned::File)?;
    let (unit, _) = file.device().dio_limits();
    if !geometry::aligned(backing.offset, block_size, unit) {
        return Err(NotPinned::BlockSize);
    }
    Ok(backing.pinned(file))
}

/// Whether the file of a disk that begins at this byte of it can be pinned. `unit`: the logical
/// block size of the disk below.
pub(crate) fn fits(offset: i64, unit: u32) -> bool {
    geometry::direct_fits(offset, unit.max(PAGE_SIZE as u32))
}

/// Logs why a device is not pinned.
pub(crate) fn report(dev: &LoopDevice, why: NotPinned) {
    pr_warn!("{}{}: not pinned: {why}\n", dev.shared.prefix, dev.number);
}

/// Logs that a pinned file has grown: only what is mapped is used. Sleeps.
pub(crate) fn report_unmapped(dev: &LoopDevice, backing: &Backing) {
    let Some(pin) = &backing.pin else {
        return;
    };
    let size = backing.file.size().unwrap_or(0);
    let more = size - (pin.file.sectors() << SECTOR_SHIFT) as i64;
    if more > 0 {
        pr_warn!(
            "{}{}: pinned: {more} bytes of the file are not used\n",
            dev.shared.prefix,
            dev.number
        );
    }
}
