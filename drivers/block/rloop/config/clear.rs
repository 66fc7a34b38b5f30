// SPDX-License-Identifier: GPL-2.0

//! LOOP_CLR_FD and the last close: clearing a device.

use crate::{
    backing::idle_limits,
    device::{
        Bound,
        LoopDevice,
        State,
        Status, //
    }, //
};
use core::mem;
use kernel::{
    pr_warn,
    prelude::*, //
};
use kernel_ext::{
    block::gen_disk::{
        Closed,
        Disk, //
    },
    task::TaskName, //
};

/// LOOP_CLR_FD: makes the last close clear the device. If only the caller has the device open,
/// later opens fail. Sleeps. Fails with ENXIO if the device is not bound, and with EINTR if the
/// task is killed.
pub(crate) fn clear_fd(disk: &Disk<LoopDevice>) -> Result {
    let dev = disk.device();
    // The device must not be cleared while another device is being bound to it.
    let _nesting = dev.shared.nesting.lock_killable()?;
    let mut bound = dev.lock_bound()?;
    let rundown = disk.openers() == 1;
    let status = Status {
        autoclear: true,
        detached_by: bound.status().detached_by.or(Some(TaskName::current())),
        rundown,
        ..bound.status().clone()
    };
    bound.set_status(status);
    if rundown {
        bound.run_down();
    }
    Ok(())
}

/// Clears the device at the last close after LOOP_CLR_FD or with autoclear. Sleeps.
pub(crate) fn last_close(disk: &Disk<LoopDevice>, closed: &Closed<'_, LoopDevice>) {
    let dev = disk.device();
    let bound = {
        let mut state = dev.state_unkillable();
        let clear = match &*state {
            State::Rundown(_) => true,
            State::Bound(_) => dev.status().is_some_and(|s| s.autoclear),
            _ => false,
        };
        if !clear {
            return;
        }
        match mem::replace(&mut *state, State::Clearing) {
            State::Bound(bound) | State::Rundown(bound) => bound,
            _ => return,
        }
    };
    clear(disk, closed, bound);
}

/// Reverts the binding. Sleeps.
///
/// Only the last close calls it, and new openers wait for the last close. Requests that are
/// submitted during the last close find no backing after `unpublish()`, and fail.
fn clear(disk: &Disk<LoopDevice>, closed: &Closed<'_, LoopDevice>, bound: KBox<Bound>) {
    let dev = disk.device();
    disk.invalidate();
    if let Some(status) = dev.status() {
        // A worker that has yet to shrink the limits then leaves them unchanged.
        status.backing.unsupported.retire();
    }
    let backing = closed.unpublish();
    if let Some(backing) = &backing {
        backing.release_unless_kept(None);
    }
    // The block layer does not refuse limits that only shrink.
    let _ = disk.update_limits(idle_limits);
    disk.set_nomerges(false);
    let Bound { group, gfp, module } = KBox::into_inner(bound);
    // Waits for running show and store functions, which lock the state, so it is not held here.
    drop(group);
    disk.uevent_change();
    drop(gfp);
    disk.force_media_change();
    if let Err(e) = closed.drop_partitions() {
        pr_warn!(
            "{}{}: partitions could not be removed ({})\n",
            dev.shared.prefix,
            dev.number,
            e.to_errno()
        );
    }
    disk.set_partscan(dev.shared.scans_always());
    let mut state = dev.state_unkillable();
    dev.set_status(&mut state, None);
    *state = State::Unbound;
    drop(state);
    drop(backing);
    // The caller is closing the device and still holds a reference to the module.
    drop(module);
}
