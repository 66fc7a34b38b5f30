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
//! # Examples
//!
//! `NullDisk` is the driver of the example in [`mq`](super::mq).
//!
//! ```
//! use kernel::{
//!     prelude::*,
//!     sync::Arc, //
//! };
//! use kernel_ext::block::{
//!     bdev::{
//!         BlockDevice,
//!         OpenMode, //
//!     },
//!     gen_disk::{
//!         sysfs::Directory,
//!         Closed,
//!         Disk,
//!         DiskConfig,
//!         DiskRegistration,
//!         Operations, //
//!     },
//!     limits::Limits,
//!     mq::{
//!         self,
//!         TagSet,
//!         TagSetConfig, //
//!     },
//! };
//!
//! # struct NullDisk;
//! #
//! # impl mq::DeviceData for NullDisk {
//! #     type RequestData = ();
//! #     type Published = ();
//! # }
//! #
//! # impl mq::Operations for NullDisk {
//! #     fn queue_rq(
//! #         &self,
//! #         _hctx: &mq::HwCtx<Self>,
//! #         rq: mq::NewRequest<Self>,
//! #         _task: &mq::InlineContext,
//! #     ) -> mq::Outcome {
//! #         let (rq, outcome) = rq.start();
//! #         rq.end(Ok(()));
//! #         outcome
//! #     }
//! #
//! #     fn io_done(rq: mq::Request<Self>, result: Result<u32>) {
//! #         rq.end(result.map(|_| ()));
//! #     }
//! # }
//! #
//! impl Operations for NullDisk {
//!     fn open(&self, _disk: &Disk<Self>, _mode: OpenMode) -> Result {
//!         Ok(())
//!     }
//!
//!     fn last_close(&self, _disk: &Disk<Self>, _closed: &Closed<'_, Self>) {}
//!
//!     fn ioctl(
//!         &self,
//!         _disk: &Disk<Self>,
//!         _bdev: &BlockDevice,
//!         _mode: OpenMode,
//!         _cmd: u32,
//!         _arg: usize,
//!     ) -> Result {
//!         Err(ENOTTY)
//!     }
//!
//!     fn compat_ioctl(
//!         &self,
//!         _disk: &Disk<Self>,
//!         _bdev: &BlockDevice,
//!         _mode: OpenMode,
//!         _cmd: u32,
//!         _arg: usize,
//!     ) -> Result {
//!         Err(ENOIOCTLCMD)
//!     }
//! }
//!
//! /// Adds a disk of 1 MiB. Sleeps. Dropping the registration deletes the disk.
//! fn add(
//!     major: u32,
//!     number: u32,
//!     directory: Arc<Directory<NullDisk>>,
//! ) -> Result<DiskRegistration<NullDisk>> {
//!     let tags = TagSet::new(TagSetConfig {
//!         depth: 128,
//!         poll_queues: 0,
//!     });
//!     let disk = DiskRegistration::new(
//!         DiskConfig {
//!             name: fmt!("null{number}"),
//!             major,
//!             minor: number,
//!             minors: 1,
//!             partscan: false,
//!             limits: Limits::new(),
//!         },
//!         directory,
//!         KBox::pin_init(tags, GFP_KERNEL)?,
//!         Arc::new(NullDisk, GFP_KERNEL)?,
//!     )?;
//!     // The disk can be opened before `new` returns, with a size of 0.
//!     disk.set_capacity_and_notify(2048);
//!     Ok(disk)
//! }
//! ```
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
