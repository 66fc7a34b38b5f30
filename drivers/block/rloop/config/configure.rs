// SPDX-License-Identifier: GPL-2.0

//! LOOP_CONFIGURE, LOOP_SET_FD and LOOP_CHANGE_FD: putting a file behind a device.

use crate::{
    backing::{
        self,
        idle_limits,
        Backing,
        Refused, //
    },
    config::{
        info::Wanted,
        nesting,
        status,
        sysfs, //
    },
    device::{
        Bound,
        LoopDevice,
        State,
        Status, //
    },
    geometry,
    nowait::Eagerness,
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
        gendisk::Disk, //
    },
    fs::{
        BackingFile,
        RestrictedGfp, //
    },
    module::ModuleRef, //
};

/// Binds a device. Whatever fails, nothing has changed.
pub(crate) fn configure(
    disk: &Disk<LoopDevice>,
    bdev: &BlockDevice,
    mode: OpenMode,
    config: &Config,
) -> Result {
    let dev = disk.device();
    let file = BackingFile::from_fd(config.fd)?;
    backing::check_operations(&file)?;

    // A device that is used exclusively changes only at the hands of its user.
    let _claim = if mode.exclusive() {
        None
    } else {
        Some(bdev.claim()?)
    };
    let nesting = nesting::hold(dev, &file)?;
    let mut state = dev.state()?;
    if !matches!(*state, State::Unbound) {
        return Err(EBUSY);
    }
    nesting::check(dev, disk, &file)?;
    backing::check_kind(&file)?;
    if config.info.flags & !flag::CONFIGURABLE != 0 {
        return Err(EINVAL);
    }
    let wanted = Wanted::from_info(&config.info)?;

    let (backing, block_size) = plan(dev, file, mode, config, wanted.offset)?;
    let backing = Arc::new(backing, GFP_KERNEL)?;
    let new = Status {
        backing: backing.clone(),
        sizelimit: wanted.sizelimit,
        autoclear: config.info.flags & flag::AUTOCLEAR != 0,
        partscan: config.info.flags & flag::PARTSCAN != 0 || dev.setup.scans_always(),
        rundown: false,
        detaching: false,
        name: wanted.name,
    };
    let partscan = new.partscan;
    // Room for what is bound comes before anything can be seen from outside.
    let room = KBox::<Bound>::new_uninit(GFP_KERNEL)?;
    let gfp = RestrictedGfp::new(&dev.setup.gfp, &backing.file)?;
    disk.update_limits(backing.limits(block_size))
        .inspect_err(|_| refuse_block_size(dev, block_size))?;
    let group = sysfs::show_binding(disk).inspect_err(|_| {
        let _ = disk.update_limits(idle_limits);
    })?;

    // Nothing fails from here on.
    let quiet = disk.suppress_uevents();
    disk.media_changed();
    disk.set_read_only(backing.read_only);
    let bound = KBox::write(
        room,
        Bound {
            group,
            gfp,
            module: ModuleRef::new(),
        },
    );
    backing.settle();
    let sectors = backing.capacity(new.sizelimit);
    disk.set_pass_on(backing.passes_on);
    dev.expect_no_late();
    // The cell is empty, as the device is not bound.
    let _ = disk.publish_first(backing);
    dev.set_status(&mut state, Some(new));
    disk.set_capacity_and_notify(sectors);
    *state = State::Bound(bound);
    disk.set_partscan(partscan);
    drop(state);
    drop(nesting);
    if partscan {
        // Before anybody hears of the device: who opens it then finds its partitions.
        status::scan_partitions(dev, disk);
    }
    drop(quiet);
    disk.uevent_change();
    if partscan {
        disk.uevent_partitions_add();
    }
    Ok(())
}

/// How a device with this configuration works, and its logical block size.
fn plan(
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
    let backing = learn(file, offset, read_only, stats)?;
    // Only who asks for direct I/O gets another block size for it: images have theirs.
    let block_size = geometry::block_size(config.block_size, asked, backing.align.offset);
    let backing = backing.with_direct(asked || dev.setup.dio, block_size)?;
    Ok((backing, block_size))
}

/// What a file can do, as the backing of a device that is not direct yet. Fails with ENOMEM.
fn learn(file: BackingFile, offset: i64, read_only: bool, stats: Arc<Stats>) -> Result<Backing> {
    Ok(Backing {
        offset,
        align: file.dio_align(),
        direct: false,
        at_once: 0,
        mixed: false,
        passes_on: false,
        read_only,
        stats,
        refused: Arc::new(Refused::default(), GFP_KERNEL)?,
        nowait: file.can_nowait() && !nesting::is_over_loop(&file),
        regular: file.is_regular(),
        nowait_cached_writes: file.is_regular() && file.can_nowait_cached_writes(),
        writes_sync: file.writes_sync(),
        reads: Arc::new(Eagerness::new(), GFP_KERNEL)?,
        writes: Arc::new(Eagerness::new(), GFP_KERNEL)?,
        file,
    })
}

fn refuse_block_size(dev: &LoopDevice, size: u32) {
    pr_err!(
        "{}{}: block size {size} is not a power of two that this kernel supports\n",
        dev.setup.prefix,
        dev.number
    );
}

/// Puts another file of the same size behind a read-only device.
pub(crate) fn change_fd(disk: &Disk<LoopDevice>, fd: u32) -> Result {
    let dev = disk.device();
    let file = BackingFile::from_fd(fd)?;
    backing::check_operations(&file)?;
    let nesting = nesting::hold(dev, &file)?;
    let mut state = dev.state()?;
    let State::Bound(bound) = &mut *state else {
        return Err(ENXIO);
    };
    let old = dev.status().ok_or(ENXIO)?;
    if !old.backing.read_only {
        return Err(EINVAL);
    }
    nesting::check(dev, disk, &file)?;
    backing::check_kind(&file)?;

    let direct = old.backing.direct || file.opened_direct();
    let from = &old.backing;
    let new = learn(file, from.offset, from.read_only, from.stats.clone())?;
    if new.capacity(old.sizelimit) != old.backing.capacity(old.sizelimit) {
        return Err(EINVAL);
    }
    let new = new.with_direct(direct, disk.logical_block_size())?;
    let new = Arc::new(new, GFP_KERNEL)?;
    let gfp = RestrictedGfp::new(&dev.setup.gfp, &new.file)?;
    new.settle();

    let partscan = old.partscan;
    let quiet = disk.suppress_uevents();
    disk.media_changed();
    let memory = new.memory_alignment();
    let atomic = new.atomic_units();
    disk.update_limits_frozen(
        |limits| {
            limits.set_memory_alignment(memory).set_atomic_units(atomic);
        },
        |frozen| drop(frozen.publish(Some(new.clone()))),
    )?;
    disk.set_pass_on(new.passes_on);
    bound.gfp = gfp;
    dev.set_status(
        &mut state,
        Some(Status {
            backing: new,
            ..old
        }),
    );
    drop(state);
    drop(nesting);
    drop(quiet);
    if partscan {
        status::scan_partitions(dev, disk);
    }
    disk.uevent_change();
    Ok(())
}
