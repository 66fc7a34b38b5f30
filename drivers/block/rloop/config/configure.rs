// SPDX-License-Identifier: GPL-2.0

//! LOOP_CONFIGURE, LOOP_SET_FD and LOOP_CHANGE_FD: binding a device to a file.

use crate::{
    backing::{
        self,
        idle_limits,
        Backing, //
    },
    config::{
        nesting,
        pin,
        status::{
            self,
            Settings, //
        },
        sysfs, //
    },
    device::{
        Bound,
        LoopDevice,
        State,
        Status, //
    },
    geometry,
    io_mode::IoMode,
    not_pinned::NotPinned,
    stats::Stats,
    uapi::{
        flag,
        Config, //
    }, //
};
use kernel::{
    pr_err,
    prelude::*,
    sync::Arc, //
};
use kernel_ext::{
    block::{
        bdev::{
            BlockDevice,
            OpenMode, //
        },
        gen_disk::Disk, //
    },
    fs::{
        BackingFile,
        PinMemory,
        RestrictedGfp, //
    },
    module::ModuleRef, //
};

/// Binds a device to a file. Sleeps. If it fails, the device is unchanged.
///
/// Fails with EBADF for a bad descriptor or a cycle of devices, EBUSY if the device is bound or
/// claimed, EINTR if the task is killed, EINVAL for a file, flags or a block size that are not
/// supported, EOVERFLOW for a negative offset or limit, and ENOMEM.
pub(crate) fn configure(
    disk: &Disk<LoopDevice>,
    bdev: &BlockDevice,
    mode: OpenMode,
    config: &Config,
) -> Result {
    let dev = disk.device();
    let file = BackingFile::from_fd(config.fd)?;
    backing::check_operations(&file)?;

    // If the device is open exclusively, only that opener may change it.
    let _claim = if mode.exclusive() {
        None
    } else {
        Some(bdev.prepare_to_claim()?)
    };
    let nesting = nesting::lock(dev, &file)?;
    let mut state = dev.state()?;
    if !matches!(*state, State::Unbound) {
        return Err(EBUSY);
    }
    nesting::check(dev, disk, &file)?;
    backing::check_kind(&file)?;
    if config.info.flags & !flag::CONFIGURABLE != 0 {
        return Err(EINVAL);
    }
    let settings = Settings::from_info(&config.info)?;

    let (backing, block_size) = new_backing(dev, file, mode, config, settings.offset)?;
    // Allocate before user space can see a change.
    let room = KBox::<Bound>::new_uninit(GFP_KERNEL)?;
    let module = ModuleRef::new()?;
    let gfp = RestrictedGfp::new(&dev.shared.gfp, &backing.file)?;
    let (backing, not_pinned) = pin_by_default(dev, backing, &gfp, block_size);
    let backing = Arc::new(backing, GFP_KERNEL)?;
    let new = Status {
        backing: backing.clone(),
        sizelimit: settings.sizelimit,
        autoclear: config.info.flags & flag::AUTOCLEAR != 0,
        partscan: config.info.flags & flag::PARTSCAN != 0 || dev.shared.scans_always(),
        rundown: false,
        detached_by: None,
        name: settings.name,
        not_pinned,
    };
    let partscan = new.partscan;
    disk.update_limits(backing.limits(block_size))
        .inspect_err(|_| refuse_block_size(dev, block_size))?;
    let group = sysfs::show_binding(disk).inspect_err(|_| {
        let _ = disk.update_limits(idle_limits);
    })?;

    // Nothing fails from here on.
    let quiet = disk.suppress_uevents();
    disk.force_media_change();
    disk.set_read_only(backing.read_only);
    let bound = KBox::write(room, Bound { group, gfp, module });
    backing.sync_and_invalidate();
    let sectors = backing.capacity(new.sizelimit);
    disk.set_nomerges(backing.mode == IoMode::Remap);
    dev.rearm_late_report();
    // Returns no old backing, as the device was not bound.
    let _ = disk.publish_first(backing);
    dev.set_status(&mut state, Some(new));
    disk.set_capacity_and_notify(sectors);
    *state = State::Bound(bound);
    disk.set_partscan(partscan);
    drop(state);
    drop(nesting);
    if partscan {
        // Scan before the uevent, so that programs that it wakes find the partitions.
        status::scan_partitions(dev, disk);
    }
    drop(quiet);
    disk.uevent_change();
    if partscan {
        disk.uevent_partitions_add();
    }
    Ok(())
}

/// Returns the backing of a device with this configuration, and the logical block size of the disk.
fn new_backing(
    dev: &LoopDevice,
    file: BackingFile,
    mode: OpenMode,
    config: &Config,
    offset: i64,
) -> Result<(Backing, u32)> {
    let flags = config.info.flags;
    let asked = flags & flag::DIRECT_IO != 0 || file.opened_direct();
    let read_only =
        flags & flag::READ_ONLY != 0 || !file.writable() || !mode.write() || !file.has_write_iter();
    let stats = Arc::new(Stats::new()?, GFP_KERNEL)?;
    let over_loop = nesting::is_over_loop(&file);
    let backing = Backing::new(file, offset, read_only, over_loop, stats)?;
    // The `dio` parameter does not change the default block size, as the content of images depends
    // on it.
    let block_size = geometry::block_size(config.block_size, asked, backing.align.offset);
    let backing = backing.with_direct(asked || dev.shared.dio, block_size)?;
    Ok((backing, block_size))
}

/// Pins the file if the parameter `pin` asks for it, and if possible. Returns why not.
fn pin_by_default(
    dev: &LoopDevice,
    backing: Backing,
    gfp: &RestrictedGfp,
    block_size: u32,
) -> (Backing, NotPinned) {
    if !dev.shared.pin {
        return (backing, NotPinned::NotRequested);
    }
    match pin::pin(&backing, gfp.is_shared(), block_size, &PinMemory::new()) {
        Ok(pinned) => (pinned, NotPinned::NotRequested),
        Err(why) => {
            // A block device is as fast without.
            if why != NotPinned::BlockDevice {
                pin::report(dev, why);
            }
            (backing, why)
        }
    }
}

fn refuse_block_size(dev: &LoopDevice, size: u32) {
    pr_err!(
        "{}{}: block size {size} is not a power of two that this kernel supports\n",
        dev.shared.prefix,
        dev.number
    );
}

/// Replaces the backing of a read-only device by another file of the same size. Sleeps.
///
/// Fails with ENXIO if the device is not bound, EINVAL if it is writable or the file is of another
/// size or kind, EBADF for a bad descriptor or a cycle of devices, and EINTR if the task is killed.
pub(crate) fn change_fd(disk: &Disk<LoopDevice>, fd: u32) -> Result {
    let dev = disk.device();
    let file = BackingFile::from_fd(fd)?;
    backing::check_operations(&file)?;
    let nesting = nesting::lock(dev, &file)?;
    let mut bound = dev.lock_bound()?;
    let old = bound.status().clone();
    if !old.backing.read_only {
        return Err(EINVAL);
    }
    nesting::check(dev, disk, &file)?;
    backing::check_kind(&file)?;

    let direct = old.backing.mode.is_direct() || file.opened_direct();
    let over_loop = nesting::is_over_loop(&file);
    let from = &old.backing;
    let stats = from.stats.clone();
    let new = Backing::new(file, from.offset, from.read_only, over_loop, stats)?;
    if new.capacity(old.sizelimit) != old.backing.capacity(old.sizelimit) {
        return Err(EINVAL);
    }
    let block_size = disk.logical_block_size();
    let new = new.with_direct(direct, block_size)?;
    let new = Arc::new(new, GFP_KERNEL)?;
    let gfp = RestrictedGfp::new(&dev.shared.gfp, &new.file)?;
    new.sync_and_invalidate();

    let partscan = old.partscan;
    let quiet = disk.suppress_uevents();
    let limits = new.io_limits();
    let status = Status {
        backing: new,
        not_pinned: NotPinned::NotRequested,
        ..old
    };
    bound.replace_backing(disk, status, limits)?;
    // Nothing fails from here on. Drop the page cache of the disk when requests find the new file,
    // so that a concurrent reader does not fill it from the old one.
    disk.force_media_change();
    bound.set_gfp(gfp);
    drop(bound);
    drop(nesting);
    drop(quiet);
    if partscan {
        status::scan_partitions(dev, disk);
    }
    disk.uevent_change();
    Ok(())
}
