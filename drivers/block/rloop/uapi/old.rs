// SPDX-License-Identifier: GPL-2.0

//! The layouts of `struct loop_info` as the C compiler has them for the kernel's architecture.
//!
//! The crate `abi_layout` is generated from `rust/abi_layout.c`.

use crate::uapi::OldLayout;
use abi_layout as c;

/// The layout for a program with the kernel's word size.
pub(crate) const NATIVE: OldLayout = OldLayout {
    size: c::OLD_SIZE,
    number: c::OLD_NUMBER,
    device: c::OLD_DEVICE,
    dev_bytes: c::OLD_DEV_BYTES,
    inode: c::OLD_INODE,
    long_bytes: c::OLD_LONG_BYTES,
    rdevice: c::OLD_RDEVICE,
    offset: c::OLD_OFFSET,
    flags: c::OLD_FLAGS,
    name: c::OLD_NAME,
};

/// The layout for a 32-bit program on a 64-bit kernel.
pub(crate) const COMPAT: OldLayout = OldLayout {
    size: c::COMPAT_SIZE,
    number: c::COMPAT_NUMBER,
    device: c::COMPAT_DEVICE,
    dev_bytes: c::COMPAT_DEV_BYTES,
    inode: c::COMPAT_INODE,
    long_bytes: c::COMPAT_LONG_BYTES,
    rdevice: c::COMPAT_RDEVICE,
    offset: c::COMPAT_OFFSET,
    flags: c::COMPAT_FLAGS,
    name: c::COMPAT_NAME,
};
