// SPDX-License-Identifier: GPL-2.0

//! Module parameters, readable in `/sys/module/rloop/parameters`.
//!
//! [`Params`] is a checked copy, which [`Params::read`] makes at load.

use crate::geometry;
use kernel::{
    pr_err,
    prelude::*, //
};
use kernel_ext::{
    core_param,
    module_param,
    module_param::{
        IntParam,
        StrParam, //
    }, //
};

/// The number of devices at load.
const DEFAULT_DEVICES: i32 = abi_layout::MIN_COUNT as i32;

/// `DISK_MAX_PARTS` without the whole disk.
const MAX_PARTITIONS: i32 = 255;

/// `MINORBITS`.
pub(crate) const MINOR_BITS: u32 = 20;

/// The disk name prefix of the loop driver.
const DEFAULT_NAME: &CStr = c"loop";

module_param!(
    static MAX_LOOP: IntParam = IntParam::new(DEFAULT_DEVICES),
    "max_loop",
    "Number of devices to make at load; if given, opening a node makes no device beyond it"
);
// `__setup("max_loop=")` of the C driver.
core_param!(MAX_LOOP, "max_loop");
module_param!(
    static MAX_PART: IntParam = IntParam::new(0),
    "max_part",
    "Partitions per device with minors next to the device's, and scanned for always. Default: 0"
);
module_param!(
    static HW_QUEUE_DEPTH: IntParam = IntParam::new(128),
    "hw_queue_depth",
    "Requests that can be in flight per device. Default: 128"
);
module_param!(
    static POLL_QUEUES: IntParam = IntParam::new(0),
    "poll_queues",
    "Hardware queues per device for I/O whose end is polled for, as by io_uring. Default: 0"
);
module_param!(
    static DIO: IntParam = IntParam::new(0),
    "dio",
    "1: direct I/O where the backing can, unless a device is configured otherwise. Default: 0"
);
module_param!(
    static PIN: IntParam = IntParam::new(0),
    "pin",
    "1: hold backing files still, and do I/O on their extents, where that is possible. Default: 0"
);
module_param!(
    static NAME: StrParam = StrParam::new(DEFAULT_NAME),
    "name",
    "Prefix of the disks' names; with it the major is dynamic, so that loop.ko can be there too"
);

/// The checked parameters.
#[derive(Clone, Copy)]
pub(crate) struct Params {
    /// `name`, if it differs from that of the loop driver.
    pub(crate) name: Option<&'static str>,
    /// The number of devices to add at load.
    pub(crate) devices: u32,
    /// If not 0, opening a node without a device adds only devices with lower numbers.
    pub(crate) probe_limit: u32,
    /// `log2` of the number of minors per device.
    pub(crate) part_shift: u32,
    /// The number of requests per device.
    pub(crate) depth: u32,
    /// The number of polled hardware queues per device.
    pub(crate) poll_queues: u32,
    /// Whether devices use direct I/O by default.
    pub(crate) dio: bool,
    /// Whether devices are pinned at attach where possible.
    pub(crate) pin: bool,
}

impl Params {
    /// Reads and checks the parameters. Sets `max_part` to the value in effect. Fails with EINVAL
    /// and logs a message.
    pub(crate) fn read() -> Result<Self> {
        // The C driver treats a negative value as 0.
        let max_part = MAX_PART.get().max(0);
        let part_shift = geometry::part_shift(max_part as u32);
        in_range("max_part", max_part, 0, MAX_PARTITIONS)?;
        // Show the value in effect to programs that compute minors.
        MAX_PART.set((1 << part_shift) - 1);
        Ok(Self {
            name: name()?,
            devices: in_range(
                "max_loop",
                MAX_LOOP.get(),
                0,
                1 << (MINOR_BITS - part_shift),
            )?,
            probe_limit: MAX_LOOP.given().unwrap_or(0) as u32,
            part_shift,
            depth: in_range("hw_queue_depth", HW_QUEUE_DEPTH.get(), 1, 10240)?,
            poll_queues: in_range("poll_queues", POLL_QUEUES.get(), 0, 64)?,
            dio: in_range("dio", DIO.get(), 0, 1)? == 1,
            pin: in_range("pin", PIN.get(), 0, 1)? == 1,
        })
    }
}

fn in_range(what: &str, value: i32, min: i32, max: i32) -> Result<u32> {
    if (min..=max).contains(&value) {
        return Ok(value as u32);
    }
    pr_err!("{what}={value} is not between {min} and {max}\n");
    Err(EINVAL)
}

fn name() -> Result<Option<&'static str>> {
    let ok = |name: &&str| {
        // The block layer stores 15 bytes of a major's name.
        (1..=15).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !name.ends_with(|c: char| c.is_ascii_digit())
    };
    match NAME.get().to_str().ok().filter(ok) {
        Some(name) if name.as_bytes() == DEFAULT_NAME.to_bytes() => Ok(None),
        Some(name) => Ok(Some(name)),
        None => {
            pr_err!("name= takes up to 15 letters, digits and underscores, no digit at the end\n");
            Err(EINVAL)
        }
    }
}
