// SPDX-License-Identifier: GPL-2.0

//! Block devices and blk-mq drivers.
//!
//! - [`mq`]: tag sets, queues and requests (`struct blk_mq_tag_set`, `struct request`).
//! - [`gen_disk`]: disks, their file operations and sysfs attributes (`struct gendisk`).
//! - [`limits`]: the limits of a queue (`struct queue_limits`).
//! - [`bdev`]: open block devices (`struct block_device`).
//! - [`major`]: block major numbers (`__register_blkdev()`).
//!
//! C header: [`include/linux/blkdev.h`](srctree/include/linux/blkdev.h)

pub mod bdev;
pub mod gen_disk;
pub mod limits;
pub mod major;
pub mod mq;

/// Bytes in a sector, the unit of [`mq::InFlight::sector`] and of disk capacities.
pub const SECTOR_SIZE: u32 = 512;

/// `log2` of [`SECTOR_SIZE`].
pub const SECTOR_SHIFT: u32 = 9;
