// SPDX-License-Identifier: GPL-2.0

//! sysfs: the group `loop` with what a bound device is, the group `rloop` with its state
//! and counters.

use crate::{
    device::{LoopDevice, Status},
    stats::{Counter, Stats},
    tune,
};
use kernel::{fmt, page::PAGE_SIZE, prelude::*};
use kernel_ext::{
    block::gendisk::Disk,
    sysfs::{Attribute, Group, Page},
};

/// Shows both groups until they are dropped. Sleeps.
pub(crate) fn show_all(disk: &Disk<LoopDevice>) -> Result<KVec<Group<LoopDevice>>> {
    let mut groups = KVec::with_capacity(2, GFP_KERNEL)?;
    // `dio` comes last of all: its store takes the state, so once it is there nothing may fail and
    // wait for it, as the caller has the state.
    groups.push(Group::new(disk, c"rloop", RLOOP)?, GFP_KERNEL)?;
    groups.push(Group::new(disk, c"loop", LOOP)?, GFP_KERNEL)?;
    Ok(groups)
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
            "0" => tune::set_direct_io(disk.device(), disk, false),
            "1" => tune::set_direct_io(disk.device(), disk, true),
            _ => Err(EINVAL),
        }),
    },
];

static RLOOP: &[Attribute<LoopDevice>] = &[
    read_only(c"state", |disk, out| {
        let state = if status(disk)?.detaching {
            "detaching"
        } else {
            "bound"
        };
        line(out, fmt!("{state}"))
    }),
    read_only(c"read_direct", |d, o| count(d, o, |s| &s.read_direct)),
    read_only(c"write_direct", |d, o| count(d, o, |s| &s.write_direct)),
    read_only(c"read_buffered", |d, o| count(d, o, |s| &s.read_buffered)),
    read_only(c"write_buffered", |d, o| count(d, o, |s| &s.write_buffered)),
    read_only(c"flush", |d, o| count(d, o, |s| &s.flush)),
    read_only(c"discard", |d, o| count(d, o, |s| &s.discard)),
    read_only(c"write_zeroes", |d, o| count(d, o, |s| &s.write_zeroes)),
    read_only(c"inline", |d, o| count(d, o, |s| &s.inline)),
    read_only(c"passed_on", |d, o| count(d, o, |s| &s.passed_on)),
    read_only(c"inline_refused", |d, o| count(d, o, |s| &s.inline_refused)),
    read_only(c"continued", |d, o| count(d, o, |s| &s.continued)),
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

fn count(disk: &Disk<LoopDevice>, out: &mut Page<'_>, which: fn(&Stats) -> &Counter) -> Result {
    line(out, fmt!("{}", which(&status(disk)?.backing.stats).get()))
}

fn backing_file(disk: &Disk<LoopDevice>, out: &mut Page<'_>) -> Result {
    let status = status(disk)?;
    let mut buf = KVVec::from_elem(0u8, PAGE_SIZE - 1, GFP_KERNEL)?;
    let path = status.backing.file.path(&mut buf)?;
    out.write_bytes(path.to_bytes())?;
    out.write_bytes(b"\n")
}
