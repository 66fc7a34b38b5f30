// SPDX-License-Identifier: GPL-2.0

//! sysfs: the group `loop` with what a bound device is, the group `rloop` with the state and counters
//! of any.

use crate::{
    config::update,
    device::{
        LoopDevice,
        Status, //
    },
    stats::Counter, //
};
use kernel::{
    fmt,
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc, //
};
use kernel_ext::{
    block::gendisk::Disk,
    sysfs::{
        Attribute,
        Directory,
        Group,
        Page, //
    }, //
};

/// The directories of all devices.
pub(crate) struct Directories {
    binding: Arc<Directory<LoopDevice>>,
    /// State and counters. Devices have them from the start: to show so many takes longer than much of
    /// what binding does.
    pub(crate) state: Arc<Directory<LoopDevice>>,
}

impl Directories {
    /// Sleeps. Fails with ENOMEM.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            binding: Arc::new(Directory::new(c"loop", LOOP)?, GFP_KERNEL)?,
            state: Arc::new(Directory::new(c"rloop", RLOOP)?, GFP_KERNEL)?,
        })
    }
}

/// Shows what a device is bound to, until it is dropped. Sleeps. The store of `dio` takes the state, so
/// once it is there nothing may fail and wait for it while the state is held.
pub(crate) fn show_binding(disk: &Disk<LoopDevice>) -> Result<Group<LoopDevice>> {
    Group::new(disk, disk.device().setup.directories.binding.clone())
}

type Show = fn(&Disk<LoopDevice>, &mut Page<'_>) -> Result;

const fn read_only(name: &'static CStr, show: Show) -> Attribute<LoopDevice> {
    Attribute {
        name,
        show,
        store: None,
    }
}

static LOOP: &[Attribute<LoopDevice>] = &[
    read_only(c"backing_file", backing_file),
    read_only(c"offset", |disk, out| {
        line(out, fmt!("{}", status(disk)?.backing.offset))
    }),
    read_only(c"sizelimit", |disk, out| {
        line(out, fmt!("{}", status(disk)?.sizelimit))
    }),
    read_only(c"autoclear", |disk, out| bit(out, status(disk)?.autoclear)),
    read_only(c"partscan", |disk, out| bit(out, status(disk)?.partscan)),
    Attribute {
        name: c"dio",
        show: |disk, out| bit(out, status(disk)?.backing.direct),
        store: Some(|disk, text| match text {
            "0" => update::set_direct_io(disk.device(), disk, false),
            "1" => update::set_direct_io(disk.device(), disk, true),
            _ => Err(EINVAL),
        }),
    },
];

static RLOOP: &[Attribute<LoopDevice>] = &[
    read_only(c"state", |disk, out| {
        let state = match disk.device().status() {
            None => "unbound",
            Some(status) if status.detaching => "detaching",
            Some(_) => "bound",
        };
        line(out, fmt!("{state}"))
    }),
    read_only(c"read_direct", |d, o| count(d, o, Counter::ReadDirect)),
    read_only(c"write_direct", |d, o| count(d, o, Counter::WriteDirect)),
    read_only(c"read_buffered", |d, o| count(d, o, Counter::ReadBuffered)),
    read_only(c"write_buffered", |d, o| {
        count(d, o, Counter::WriteBuffered)
    }),
    read_only(c"flush", |d, o| count(d, o, Counter::Flush)),
    read_only(c"discard", |d, o| count(d, o, Counter::Discard)),
    read_only(c"write_zeroes", |d, o| count(d, o, Counter::WriteZeroes)),
    read_only(c"inline", |d, o| count(d, o, Counter::Inline)),
    read_only(c"passed_on", |d, o| count(d, o, Counter::PassedOn)),
    read_only(c"inline_refused", |d, o| {
        count(d, o, Counter::InlineRefused)
    }),
    read_only(c"continued", |d, o| count(d, o, Counter::Continued)),
];

/// The status, in which a device on its way in or out has none.
fn status(disk: &Disk<LoopDevice>) -> Result<Status> {
    disk.device().status().ok_or(ENXIO)
}

fn line(out: &mut Page<'_>, args: fmt::Arguments<'_>) -> Result {
    fmt::Write::write_fmt(out, args).map_err(|_| EINVAL)?;
    out.write_bytes(b"\n")
}

fn bit(out: &mut Page<'_>, on: bool) -> Result {
    line(out, fmt!("{}", u8::from(on)))
}

fn count(disk: &Disk<LoopDevice>, out: &mut Page<'_>, counter: Counter) -> Result {
    let count = disk
        .device()
        .status()
        .map_or(0, |s| s.backing.stats.get(counter));
    line(out, fmt!("{count}"))
}

fn backing_file(disk: &Disk<LoopDevice>, out: &mut Page<'_>) -> Result {
    let status = status(disk)?;
    let mut buf = KVVec::from_elem(0u8, PAGE_SIZE - 1, GFP_KERNEL)?;
    let path = status.backing.file.path(&mut buf)?;
    out.write_bytes(path.to_bytes())?;
    out.write_bytes(b"\n")
}
