// SPDX-License-Identifier: GPL-2.0

//! LOOP_SET_STATUS and LOOP_GET_STATUS, and the settings that they share with LOOP_CONFIGURE.

use crate::{
    config::pin,
    device::{
        LoopDevice,
        Status, //
    },
    not_pinned::NotPinned,
    uapi::{
        self,
        flag,
        Info, //
    }, //
};
use kernel::{
    pr_warn,
    pr_warn_once,
    prelude::*,
    sync::Arc, //
};
use kernel_ext::block::gen_disk::Disk;

/// The checked settings of a `struct loop_info64`.
///
/// # Invariants
///
/// `offset` and `sizelimit` are not negative. `name` ends with a null byte.
pub(crate) struct Settings {
    /// The byte of the backing file at which the disk begins.
    pub(crate) offset: i64,
    /// The largest part of the backing file to use, in bytes; 0 for all.
    pub(crate) sizelimit: i64,
    /// The name that the user has set.
    pub(crate) name: [u8; uapi::NAME_SIZE],
}

impl Settings {
    /// Checks `info`. Fails with EINVAL for encryption, which is not supported, and with EOVERFLOW
    /// if the offset or the limit is negative as a file offset.
    pub(crate) fn from_info(info: &Info) -> Result<Self> {
        if info.encrypt_key_size as usize > uapi::KEY_SIZE {
            return Err(EINVAL);
        }
        match info.encrypt_type {
            uapi::CRYPT_NONE => (),
            uapi::CRYPT_XOR => {
                pr_warn_once!("support for the xor transformation has been removed\n");
                return Err(EINVAL);
            }
            uapi::CRYPT_CRYPTOAPI => {
                pr_warn_once!("support for cryptoloop has been removed, use dm-crypt\n");
                return Err(EINVAL);
            }
            _ => return Err(EINVAL),
        }
        Ok(Self {
            offset: info.offset.try_into().map_err(|_| EOVERFLOW)?,
            sizelimit: info.sizelimit.try_into().map_err(|_| EOVERFLOW)?,
            name: info.file_name,
        })
    }
}

/// Changes offset, size limit, name, autoclear and partition scan of a bound device. Sleeps.
///
/// Fails with ENXIO if the device is not bound, EINTR if the task is killed, and as
/// [`Settings::from_info`].
pub(crate) fn set(dev: &LoopDevice, disk: &Disk<LoopDevice>, info: &Info) -> Result {
    let mut bound = dev.lock_bound()?;
    let old = bound.status().clone();
    if info.offset != old.backing.offset as u64 || info.sizelimit != old.sizelimit as u64 {
        // The page cache of the disk belongs to the old range of the file. As in the C driver, drop
        // it even if the new range is refused, so that the caller then reads the current content of
        // the file.
        let _ = disk.part0().sync_and_invalidate();
    }
    let settings = Settings::from_info(info)?;

    let moved = old.backing.offset != settings.offset;
    if moved && old.backing.pin.is_some() && !pin::fits(settings.offset, old.backing.align.offset) {
        pin::unpin(&mut bound, disk, NotPinned::Offset)?;
        pin::report(dev, NotPinned::Offset);
    }
    let old = bound.status().clone();
    let resized = moved || old.sizelimit != settings.sizelimit;
    let mut backing = old.backing.clone();
    if moved {
        let there = old
            .backing
            .with_offset(settings.offset, disk.logical_block_size())?;
        backing = Arc::new(there, GFP_KERNEL)?;
    }

    let scan = !old.partscan && info.flags & flag::PARTSCAN != 0;
    let new = Status {
        backing,
        sizelimit: settings.sizelimit,
        autoclear: info.flags & flag::AUTOCLEAR != 0,
        // Clearing LO_FLAGS_AUTOCLEAR cancels a lazy detach.
        detached_by: old
            .detached_by
            .filter(|_| info.flags & flag::AUTOCLEAR != 0),
        partscan: old.partscan || scan,
        name: settings.name,
        ..old
    };
    let sectors = new.backing.capacity(new.sizelimit);
    if moved {
        let limits = new.backing.io_limits();
        bound.replace_backing(disk, new, limits)?;
    } else {
        bound.set_status(new);
    }
    if scan {
        disk.set_partscan(true);
    }
    if resized {
        disk.set_capacity_and_notify(sectors);
    }
    drop(bound);
    if scan {
        scan_partitions(dev, disk);
    }
    Ok(())
}

/// Returns the status of a bound device, for LOOP_GET_STATUS. Sleeps. Fails with ENXIO if the
/// device is not bound, EINTR if the task is killed, and the errors of `vfs_getattr()`.
pub(crate) fn get(dev: &LoopDevice) -> Result<Info> {
    let status = dev.lock_bound()?.status().clone();
    // The file system may take long to answer, so the state is not held.
    let id = status.backing.file.identity()?;
    Ok(Info {
        device: id.device,
        inode: id.inode,
        rdevice: id.rdevice,
        offset: status.backing.offset as u64,
        sizelimit: status.sizelimit as u64,
        number: dev.number,
        flags: flags(&status),
        file_name: status.name,
        ..Info::default()
    })
}

/// Returns the `LO_FLAGS_*` in effect.
fn flags(status: &Status) -> u32 {
    let bit = |on: bool, flag: u32| if on { flag } else { 0 };
    bit(status.backing.read_only, flag::READ_ONLY)
        | bit(status.autoclear, flag::AUTOCLEAR)
        | bit(status.partscan, flag::PARTSCAN)
        | bit(status.backing.mode.is_direct(), flag::DIRECT_IO)
}

/// Scans for partitions. Sleeps. The caller must not hold the state, as opening the disk locks it.
pub(crate) fn scan_partitions(dev: &LoopDevice, disk: &Disk<LoopDevice>) {
    if let Err(e) = disk.scan_partitions() {
        pr_warn!(
            "{}{}: partition scan failed ({})\n",
            dev.shared.prefix,
            dev.number,
            e.to_errno()
        );
    }
}
