// SPDX-License-Identifier: GPL-2.0

//! rloop: loop block devices on files and block devices.
//!
//! The control plane (`control`, `ioctl`, `config`) adds, binds, changes and clears devices. The
//! data plane (`io`) serves requests. Both use the device and its parts: `device`, `backing`,
//! `geometry`, `nowait`, `stats` and `uapi`. `params` has the module parameters.

#![deny(unsafe_code)]

mod backing;
mod config;
mod control;
mod device;
mod geometry;
mod io;
mod io_mode;
mod ioctl;
mod not_pinned;
mod nowait;
mod params;
mod stats;
mod uapi;
mod unsupported;

use config::sysfs;
use control::{
    Control,
    Node, //
};
use device::Shared;
use kernel::{
    pr_err,
    pr_warn,
    prelude::*,
    str::CString,
    sync::Arc, //
};
use kernel_ext::{
    block::major::MajorRegistration,
    miscdevice, //
};
use params::Params;

module! {
    type: Rloop,
    name: "rloop",
    authors: ["The rloop developers"],
    description: "Loop block devices with asynchronous direct I/O",
    license: "GPL",
    alias: ["block-major-7-*", "char-major-10-237", "devname:loop-control"],
}

/// `LOOP_MAJOR`.
const LOOP_MAJOR: u32 = 7;
/// `LOOP_CTRL_MINOR`.
const CONTROL_MINOR: u32 = 237;

/// The data of the module.
///
/// At unload the fields are dropped in this order: first those that add devices, then the devices.
struct Rloop {
    _major: MajorRegistration<Control>,
    _node: miscdevice::Registration<Node>,
    _control: Arc<Control>,
}

impl kernel::Module for Rloop {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let params = Params::read()?;
        let prefix = params.name.unwrap_or("loop");
        // With another name the loop driver may be loaded, too, so rloop does not take its numbers.
        let (major, minor) = match params.name {
            None => (LOOP_MAJOR, Some(CONTROL_MINOR)),
            Some(_) => (0, None),
        };

        let mut major = MajorRegistration::new(major, CString::try_from_fmt(fmt!("{prefix}"))?)
            .inspect_err(|e| explain_busy(*e, &params))?;
        let shared = Shared::new(prefix, params, sysfs::directories()?);
        let shared = Arc::pin_init(shared, GFP_KERNEL)?;
        let control = Arc::pin_init(Control::new(shared, major.number(), params), GFP_KERNEL)?;
        let node = miscdevice::Registration::new(
            CString::try_from_fmt(fmt!("{prefix}-control"))?,
            minor,
            Node(control.clone()),
        )
        .inspect_err(|e| explain_busy(*e, &params))?;
        major.probe_with(control.clone());
        // A disk may be open as soon as it is added, so init must not fail from here on.
        for number in 0..params.devices {
            match control.add(Some(number)) {
                Ok(_) => (),
                // Another task has added the device through the control node.
                Err(e) if e == EEXIST => (),
                Err(e) => pr_warn!("{prefix}{number} could not be added ({})\n", e.to_errno()),
            }
        }
        pr_info!("module loaded\n");
        Ok(Self {
            _major: major,
            _node: node,
            _control: control,
        })
    }
}

fn explain_busy(e: Error, params: &Params) {
    if e == EBUSY && params.name.is_none() {
        pr_err!(
            "the loop driver has the numbers that rloop needs: \
             unload it (rmmod loop), or load rloop beside it with name=loopr\n"
        );
    }
}
