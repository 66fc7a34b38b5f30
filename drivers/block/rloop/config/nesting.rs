// SPDX-License-Identifier: GPL-2.0

//! Loop devices on top of loop devices.
//!
//! `Shared::nesting` is held while a device is bound to another loop device, so that the chain of
//! devices does not change during the check for a cycle.

use crate::device::LoopDevice;
use kernel::{
    prelude::*,
    sync::Arc, //
};
use kernel_ext::{
    block::{
        bdev::BlockDevice,
        gen_disk::Disk, //
    },
    fs::BackingFile,
    sync::KillableGuard, //
};

/// Returns whether a file is a loop device of this module, or a partition of one.
pub(crate) fn is_loop(file: &BackingFile) -> bool {
    below(file).is_some()
}

/// Returns whether the lower device of a file is a loop device of this module.
pub(crate) fn is_over_loop(file: &BackingFile) -> bool {
    file.lower_device()
        .and_then(BlockDevice::driver_data::<LoopDevice>)
        .is_some()
}

fn below(file: &BackingFile) -> Option<&LoopDevice> {
    file.block_device().and_then(BlockDevice::driver_data)
}

/// Takes the lock of all chains of loop devices if `file` is part of one. Sleeps. Fails with EINTR
/// if the task is killed.
pub(crate) fn lock<'a>(
    dev: &'a LoopDevice,
    file: &BackingFile,
) -> Result<Option<KillableGuard<'a, ()>>> {
    is_loop(file)
        .then(|| dev.shared.nesting.lock_killable())
        .transpose()
}

/// Walks the chain of loop devices below `file`. Fails with EBADF if it leads to `dev`, and with
/// EINVAL if a device in it has no backing.
pub(crate) fn check(dev: &Arc<LoopDevice>, disk: &Disk<LoopDevice>, file: &BackingFile) -> Result {
    let mut file = file.clone();
    while let Some(lower) = below(&file) {
        if file.block_device().map(BlockDevice::dev) == Some(disk.part0().dev()) {
            return Err(EBADF);
        }
        let status = lower.status().filter(|s| !s.rundown).ok_or(EINVAL)?;
        if core::ptr::eq(lower, &**dev) {
            // `file` is a partition of the device itself.
            return Err(EBADF);
        }
        file = status.backing.file.clone();
    }
    Ok(())
}
