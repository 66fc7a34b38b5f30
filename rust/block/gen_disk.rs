// SPDX-License-Identifier: GPL-2.0

//! `struct gendisk`: a disk, its file operations and its life.
//!
//! C header: [`include/linux/blkdev.h`](srctree/include/linux/blkdev.h)

mod disk;
mod fops;
mod registration;
pub mod sysfs;

pub use disk::{Disk, DiskRef};
pub use fops::{Closed, Operations};
pub use registration::{DiskConfig, DiskRegistration};
