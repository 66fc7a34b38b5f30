// SPDX-License-Identifier: GPL-2.0

//! Disks: `struct gendisk`.
//!
//! - [`DiskRegistration`] is a disk that has been added (`device_add_disk()`). The driver owns it,
//!   and dropping it deletes the disk. It owns the tag set, and the disk owns the driver's data
//!   (`private_data`), which the block layer frees through `free_disk` with the last reference.
//! - [`Disk`] is a borrowed `struct gendisk`, as the callbacks get it.
//! - [`Operations`] is `struct block_device_operations`: the driver implements it. [`Closed`] is
//!   the proof that `open_mutex` is held in a last close.
//! - [`sysfs`] has the attribute groups of a disk (`struct attribute_group`).
//!
//! C header: [`include/linux/blkdev.h`](srctree/include/linux/blkdev.h)

mod data;
mod disk;
mod fops;
mod registration;
pub mod sysfs;

pub use disk::{
    Disk,
    UeventsSuppressed, //
};
pub use fops::{
    Closed,
    Operations, //
};
pub use registration::{
    DiskConfig,
    DiskRegistration, //
};
