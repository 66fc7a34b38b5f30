// SPDX-License-Identifier: GPL-2.0

//! Files as the backing of a block device.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)

mod backing;
mod gfp;

pub use backing::{BackingFile, DioAlign, FallocMode, Identity};
pub use gfp::{GfpTable, RestrictedGfp};
