// SPDX-License-Identifier: GPL-2.0

//! sysfs directories: `loop` of a bound device, and `rloop` with the state and the counters of
//! every device.

use crate::{
    config::{
        pin,
        update, //
    },
    device::{
        Directories,
        LoopDevice,
        Status, //
    },
    io_mode::{
        IoMode,
        NotAligned,
        NotDirect, //
    },
    not_pinned::NotPinned,
    stats::{
        for_each_counter,
        Counter,
        Stats,
        WorkerReason, //
    }, //
};
use kernel::{
    fmt,
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc, //
};
use kernel_ext::block::gen_disk::{
    sysfs::{
        Attribute,
        Directory,
        Group,
        Page, //
    },
    Disk, //
};

/// Creates the directories, which all devices share. Sleeps. Fails with ENOMEM.
pub(crate) fn directories() -> Result<Directories> {
    Ok(Directories {
        binding: Arc::new(Directory::new(c"loop", LOOP)?, GFP_KERNEL)?,
        state: Arc::new(Directory::new(c"rloop", RLOOP)?, GFP_KERNEL)?,
    })
}

/// Adds the directory `loop` to a disk, until the group is dropped. Sleeps.
///
/// The store function of `dio` locks the state, and dropping the group waits for it. So with the
/// state held, no operation that would drop the group on failure may follow.
pub(crate) fn show_binding(disk: &Disk<LoopDevice>) -> Result<Group<LoopDevice>> {
    Group::new(disk, disk.device().shared.directories.binding.clone())
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
        show: |disk, out| bit(out, status(disk)?.backing.mode.is_direct()),
        store: Some(|disk, text| match text {
            "0" => update::set_direct_io(disk.device(), disk, false),
            "1" => update::set_direct_io(disk.device(), disk, true),
            _ => Err(EINVAL),
        }),
    },
];

macro_rules! state_and_counters {
    (
        counters { $($variant:ident $name:literal $doc:literal,)* }
        reasons { $($reason:ident $file:literal $text:literal,)* }
    ) => {
        static RLOOP: &[Attribute<LoopDevice>] = &[
            read_only(c"state", state),
            read_only(c"direct_reason", direct_reason),
            read_only(c"detach_requested_by", detach_requested_by),
            Attribute {
                name: c"pin",
                show: |disk, out| bit(out, is_pinned(disk)),
                store: Some(|disk, text| match text {
                    "0" => pin::set(disk.device(), disk, false),
                    "1" => pin::set(disk.device(), disk, true),
                    _ => Err(EINVAL),
                }),
            },
            read_only(c"pin_reason", pin_reason),
            $(read_only($name, |disk, out| count(disk, out, |s| s.get(Counter::$variant))),)*
            $(read_only($file, |disk, out| count(disk, out, |s| s.get_worker(WorkerReason::$reason))),)*
        ];
    };
}
for_each_counter!(state_and_counters);

fn state(disk: &Disk<LoopDevice>, out: &mut Page<'_>) -> Result {
    let state = match disk.device().status() {
        None => "unbound",
        Some(status) if status.detached_by.is_some() => "detaching",
        Some(_) => "bound",
    };
    line(out, fmt!("{state}"))
}

/// Shows the process and the command that called LOOP_CLR_FD. The command is a string that any user
/// can choose, so what would not be one plain line of text is escaped.
fn detach_requested_by(disk: &Disk<LoopDevice>, out: &mut Page<'_>) -> Result {
    let Some(task) = disk.device().status().and_then(|s| s.detached_by) else {
        return out.write_bytes(b"\n");
    };
    text(out, fmt!("{} ", task.pid()))?;
    for byte in task.comm() {
        match byte {
            b'\\' | 0..b' ' | 0x7f => text(out, fmt!("\\{byte:03o}"))?,
            _ => out.write_bytes(&[*byte])?,
        }
    }
    out.write_bytes(b"\n")
}

/// Shows why direct I/O is in effect or not.
fn direct_reason(disk: &Disk<LoopDevice>, out: &mut Page<'_>) -> Result {
    let Some(status) = disk.device().status() else {
        return line(out, fmt!("unbound"));
    };
    let (offset, unit) = (status.backing.offset, status.backing.align.offset);
    match status.backing.mode {
        IoMode::Direct | IoMode::Remap => line(out, fmt!("in effect")),
        IoMode::DirectMixed(NotAligned::NotReported) => line(
            out,
            fmt!("in effect for multiples of {unit}: the file system reports no unit"),
        ),
        IoMode::DirectMixed(NotAligned::BlockSize) => {
            let size = disk.logical_block_size();
            line(
                out,
                fmt!("in effect for multiples of {unit}: logical block size {size} is none"),
            )
        }
        IoMode::Buffered(NotDirect::Unsupported) => line(out, fmt!("the file has no direct I/O")),
        IoMode::Buffered(NotDirect::Offset) => {
            line(out, fmt!("offset {offset} is no multiple of {unit}"))
        }
        IoMode::Buffered(NotDirect::NotRequested) => line(out, fmt!("not requested")),
    }
}

fn is_pinned(disk: &Disk<LoopDevice>) -> bool {
    let status = disk.device().status();
    status.is_some_and(|s| s.backing.pin.is_some())
}

/// Shows whether the file is pinned, and why it is not.
fn pin_reason(disk: &Disk<LoopDevice>, out: &mut Page<'_>) -> Result {
    let Some(status) = disk.device().status() else {
        return line(out, fmt!("unbound"));
    };
    match (&status.backing.pin, status.not_pinned) {
        (Some(pin), _) => line(out, fmt!("in effect: {} extents", pin.file.extents())),
        (None, NotPinned::NotRequested) => line(out, fmt!("{}", NotPinned::NotRequested)),
        (None, why) => line(out, fmt!("refused: {why}")),
    }
}

/// Returns the status. Fails with ENXIO for a device that is not bound.
fn status(disk: &Disk<LoopDevice>) -> Result<Status> {
    disk.device().status().ok_or(ENXIO)
}

fn line(out: &mut Page<'_>, args: fmt::Arguments<'_>) -> Result {
    text(out, args)?;
    out.write_bytes(b"\n")
}

fn text(out: &mut Page<'_>, args: fmt::Arguments<'_>) -> Result {
    fmt::Write::write_fmt(out, args).map_err(|_| EINVAL)
}

fn bit(out: &mut Page<'_>, on: bool) -> Result {
    line(out, fmt!("{}", u8::from(on)))
}

fn count(disk: &Disk<LoopDevice>, out: &mut Page<'_>, get: fn(&Stats) -> u64) -> Result {
    let status = disk.device().status();
    let count = status.map_or(0, |s| get(&s.backing.stats));
    line(out, fmt!("{count}"))
}

fn backing_file(disk: &Disk<LoopDevice>, out: &mut Page<'_>) -> Result {
    let status = status(disk)?;
    let mut buf = KVVec::from_elem(0u8, PAGE_SIZE - 1, GFP_KERNEL)?;
    let path = status.backing.file.path(&mut buf)?;
    out.write_bytes(path.to_bytes())?;
    out.write_bytes(b"\n")
}
