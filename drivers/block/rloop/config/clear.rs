// SPDX-License-Identifier: GPL-2.0

//! LOOP_CLR_FD and the last close: taking the file away from a device.

use crate::{
    backing::idle_limits,
    device::{
        Bound,
        LoopDevice,
        State, //
    }, //
};
use core::mem;
use kernel::{
    pr_warn,
    prelude::*, //
};
use kernel_ext::block::gendisk::{
    Closed,
    Disk, //
};

/// LOOP_CLR_FD: the last close unbinds the device. If only the caller has it open, nobody else can
/// open it any more.
pub(crate) fn clear_fd(disk: &Disk<LoopDevice>) -> Result {
    let dev = disk.device();
    // A device that another one is being put on must not go meanwhile.
    let _nesting = dev.setup.nesting.lock_killable()?;
    let mut state = dev.state()?;
    state.check_bound()?;
    let mut status = dev.status().ok_or(ENXIO)?;
    status.autoclear = true;
    status.detaching = true;
    status.rundown = disk.openers() == 1;
    if status.rundown {
        *state = match mem::replace(&mut *state, State::Clearing) {
            State::Bound(bound) => State::Rundown(bound),
            other => other,
        };
    }
    dev.set_status(&mut state, Some(status));
    Ok(())
}

/// The last close: unbinds a device that is to go.
pub(crate) fn last_close(disk: &Disk<LoopDevice>, closed: &Closed<'_, LoopDevice>) {
    let dev = disk.device();
    let bound = {
        let mut state = dev.state_unkillable();
        let goes = match &*state {
            State::Rundown(_) => true,
            State::Bound(_) => dev.status().is_some_and(|s| s.autoclear),
            _ => false,
        };
        if !goes {
            return;
        }
        match mem::replace(&mut *state, State::Clearing) {
            State::Bound(bound) | State::Rundown(bound) => bound,
            _ => return,
        }
    };
    unbind(disk, closed, bound);
}

/// Takes everything back. Only the last close gets here, and new openers wait for it. Requests that
/// cross it find no backing from `unpublish()` on, and fail.
fn unbind(disk: &Disk<LoopDevice>, closed: &Closed<'_, LoopDevice>, bound: KBox<Bound>) {
    let dev = disk.device();
    disk.invalidate();
    if let Some(status) = dev.status() {
        // A worker that is late with what it learnt leaves the limits alone.
        status.backing.refused.retire();
    }
    let backing = closed.unpublish();
    // Limits that only shrink are not refused.
    let _ = disk.update_limits(idle_limits);
    disk.set_pass_on(false);
    let Bound { group, gfp, module } = KBox::into_inner(bound);
    // Waits for readers of the attributes, which take the state: it is not held here.
    drop(group);
    disk.uevent_change();
    drop(gfp);
    disk.media_changed();
    if let Err(e) = closed.drop_partitions() {
        pr_warn!(
            "{}{}: partitions could not be removed ({})\n",
            dev.setup.prefix,
            dev.number,
            e.to_errno()
        );
    }
    disk.set_partscan(dev.setup.scans_always());
    let mut state = dev.state_unkillable();
    dev.set_status(&mut state, None);
    *state = State::Unbound;
    drop(state);
    drop(backing);
    // The opener that is closing still holds the module.
    drop(module);
}
