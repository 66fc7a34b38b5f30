// SPDX-License-Identifier: GPL-2.0

//! Files as the backing of a block device.
//!
//! [`BackingFile`] owns a reference to a `struct file`. [`RestrictedGfp`] removes `__GFP_IO` and
//! `__GFP_FS` from the mask of its `struct address_space` while a device is bound to the file.
//! [`GfpTable`] counts these restrictions for all devices of the driver, which owns the table.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)

mod backing;
mod gfp;

pub use backing::{
    BackingFile,
    DioAlign,
    FallocMode,
    Identity, //
};
pub use gfp::{
    GfpTable,
    RestrictedGfp, //
};
