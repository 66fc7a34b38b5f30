// SPDX-License-Identifier: GPL-2.0

//! The ioctls and file operations of a disk.
//!
//! Checks permissions and converts arguments between user space and `uapi`. The operations
//! themselves are in `config`.

use crate::{
    config::{
        clear,
        configure,
        status,
        update, //
    },
    device::{
        LoopDevice,
        State, //
    },
    uapi::{
        self,
        old::{
            COMPAT,
            NATIVE, //
        },
        Config,
        Info,
        OldLayout, //
    }, //
};
use abi_layout::cmd;
use kernel::{
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice, //
    }, //
};
use kernel_ext::{
    block::{
        bdev::{
            BlockDevice,
            OpenMode, //
        },
        gen_disk::{
            Closed,
            Disk,
            Operations, //
        }, //
    },
    capability::capable_sys_admin, //
};

impl Operations for LoopDevice {
    fn open(&self, _disk: &Disk<Self>, _mode: OpenMode) -> Result {
        match &*self.state()? {
            State::Rundown(_) | State::Deleting => Err(ENXIO),
            _ => Ok(()),
        }
    }

    fn last_close(&self, disk: &Disk<Self>, closed: &Closed<'_, Self>) {
        clear::last_close(disk, closed);
    }

    fn ioctl(
        &self,
        disk: &Disk<Self>,
        bdev: &BlockDevice,
        mode: OpenMode,
        cmd: u32,
        arg: usize,
    ) -> Result {
        match cmd {
            cmd::SET_FD => {
                let config = Config {
                    fd: arg as u32,
                    ..Config::default()
                };
                configure::configure(disk, bdev, mode, &config)
            }
            cmd::CONFIGURE => {
                let config = Config::from_bytes(&from_user(arg)?);
                configure::configure(disk, bdev, mode, &config)
            }
            cmd::CHANGE_FD => configure::change_fd(disk, arg as u32),
            cmd::CLR_FD => clear::clear_fd(disk),
            cmd::SET_STATUS => {
                check_permission(mode)?;
                let old: [u8; NATIVE.size] = from_user(arg)?;
                status::set(self, disk, &Info::from_old(&NATIVE, &old))
            }
            cmd::SET_STATUS64 => {
                check_permission(mode)?;
                status::set(self, disk, &Info::from_info64(&from_user(arg)?))
            }
            cmd::GET_STATUS => {
                check_pointer(arg)?;
                to_user(arg, &old_status::<{ NATIVE.size }>(self, &NATIVE)?)
            }
            cmd::GET_STATUS64 => {
                check_pointer(arg)?;
                to_user(arg, &status::get(self)?.to_info64())
            }
            cmd::SET_CAPACITY => {
                check_permission(mode)?;
                update::set_capacity(self, disk)
            }
            cmd::SET_DIRECT_IO => {
                check_permission(mode)?;
                update::set_direct_io(self, disk, arg != 0)
            }
            cmd::SET_BLOCK_SIZE => {
                check_permission(mode)?;
                update::set_block_size(self, disk, bdev, mode, arg)
            }
            _ => Err(EINVAL),
        }
    }

    fn compat_ioctl(
        &self,
        disk: &Disk<Self>,
        bdev: &BlockDevice,
        mode: OpenMode,
        cmd: u32,
        arg: usize,
    ) -> Result {
        match cmd {
            cmd::SET_STATUS => {
                check_permission(mode)?;
                let old: [u8; COMPAT.size] = from_user(arg)?;
                status::set(self, disk, &Info::from_old(&COMPAT, &old))
            }
            cmd::GET_STATUS => {
                check_pointer(arg)?;
                to_user(arg, &old_status::<{ COMPAT.size }>(self, &COMPAT)?)
            }
            // These have an argument with the same layout for 32-bit programs, or none.
            cmd::SET_FD
            | cmd::CLR_FD
            | cmd::SET_STATUS64
            | cmd::GET_STATUS64
            | cmd::CHANGE_FD
            | cmd::SET_CAPACITY
            | cmd::SET_DIRECT_IO
            | cmd::SET_BLOCK_SIZE
            | cmd::CONFIGURE => self.ioctl(disk, bdev, mode, cmd, arg),
            _ => Err(ENOIOCTLCMD),
        }
    }
}

/// Checks that the caller may change a bound device: the device is open for writing, or the task
/// has CAP_SYS_ADMIN. Fails with EPERM.
fn check_permission(mode: OpenMode) -> Result {
    if mode.write() || capable_sys_admin() {
        Ok(())
    } else {
        Err(EPERM)
    }
}

/// Returns the status as a `struct loop_info` of `N` bytes. Sleeps. Fails with EOVERFLOW if a value
/// does not fit.
fn old_status<const N: usize>(dev: &LoopDevice, layout: &OldLayout) -> Result<[u8; N]> {
    let mut old = [0; N];
    status::get(dev)?
        .to_old(layout, &mut old)
        .map_err(|uapi::Overflow| EOVERFLOW)?;
    Ok(old)
}

fn check_pointer(arg: usize) -> Result {
    if arg == 0 {
        return Err(EINVAL);
    }
    Ok(())
}

fn from_user<const N: usize>(arg: usize) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    UserSlice::new(UserPtr::from_addr(arg), N)
        .reader()
        .read_slice(&mut bytes)?;
    Ok(bytes)
}

fn to_user(arg: usize, bytes: &[u8]) -> Result {
    UserSlice::new(UserPtr::from_addr(arg), bytes.len())
        .writer()
        .write_slice(bytes)
}
