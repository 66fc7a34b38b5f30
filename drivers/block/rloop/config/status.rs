// SPDX-License-Identifier: GPL-2.0

//! LOOP_SET_STATUS and LOOP_GET_STATUS.

use crate::{
    backing::Backing,
    config::info::Wanted,
    device::{
        LoopDevice,
        Status, //
    },
    uapi::{
        flag,
        Info, //
    }, //
};
use kernel::{
    pr_warn,
    prelude::*,
    sync::Arc, //
};
use kernel_ext::block::gendisk::Disk;

/// Changes offset, size limit, name, autoclear and partition scan of a bound device.
pub(crate) fn set(dev: &LoopDevice, disk: &Disk<LoopDevice>, info: &Info) -> Result {
    let mut state = dev.state()?;
    state.check_bound()?;
    let old = dev.status().ok_or(ENXIO)?;
    if info.offset != old.backing.offset as u64 || info.sizelimit != old.sizelimit as u64 {
        // What the page cache of the disk holds belongs to the old place. (As in the C driver, also
        // if the new one is refused: who asks for it sees what the file holds now.)
        let _ = disk.whole().sync_and_invalidate();
    }
    let wanted = Wanted::from_info(info)?;

    let moved = old.backing.offset != wanted.offset;
    let resized = moved || old.sizelimit != wanted.sizelimit;
    let mut backing = old.backing.clone();
    if moved {
        let there = Backing {
            offset: wanted.offset,
            ..(*backing).clone()
        };
        // Direct I/O is given up where the new offset doesn't allow it.
        let there = there.with_direct(there.direct, disk.logical_block_size())?;
        backing = Arc::new(there, GFP_KERNEL)?;
        let atomic = backing.atomic_units();
        disk.update_limits_frozen(
            |limits| {
                limits.set_atomic_units(atomic);
            },
            |frozen| drop(frozen.publish(Some(backing.clone()))),
        )?;
        disk.set_pass_on(backing.passes_on);
    }

    let scan = !old.partscan && info.flags & flag::PARTSCAN != 0;
    let new = Status {
        backing,
        sizelimit: wanted.sizelimit,
        autoclear: info.flags & flag::AUTOCLEAR != 0,
        // Without the flag a detach is taken back.
        detaching: old.detaching && info.flags & flag::AUTOCLEAR != 0,
        partscan: old.partscan || scan,
        name: wanted.name,
        ..old
    };
    let sectors = new.backing.capacity(new.sizelimit);
    dev.set_status(&mut state, Some(new));
    if scan {
        disk.set_partscan(true);
    }
    if resized {
        disk.set_capacity_and_notify(sectors);
    }
    drop(state);
    if scan {
        scan_partitions(dev, disk);
    }
    Ok(())
}

/// Tells what a bound device is.
pub(crate) fn get(dev: &LoopDevice) -> Result<Info> {
    let status = {
        let state = dev.state()?;
        state.check_bound()?;
        dev.status().ok_or(ENXIO)?
    };
    // Asks the file system, which may take its time: not with the state held.
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

/// `LO_FLAGS_*` in effect.
fn flags(status: &Status) -> u32 {
    let bit = |on: bool, flag: u32| if on { flag } else { 0 };
    bit(status.backing.read_only, flag::READ_ONLY)
        | bit(status.autoclear, flag::AUTOCLEAR)
        | bit(status.partscan, flag::PARTSCAN)
        | bit(status.backing.direct, flag::DIRECT_IO)
}

/// Scans for partitions, without the state held: opening the disk takes it.
pub(crate) fn scan_partitions(dev: &LoopDevice, disk: &Disk<LoopDevice>) {
    if let Err(e) = disk.scan_partitions() {
        pr_warn!(
            "{}{}: partition scan failed ({})\n",
            dev.setup.prefix,
            dev.number,
            e.to_errno()
        );
    }
}
