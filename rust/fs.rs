// SPDX-License-Identifier: GPL-2.0

//! Files as the backing of a block device.
//!
//! [`BackingFile`] owns a reference to a `struct file`. [`RestrictedGfp`] removes `__GFP_IO` and
//! `__GFP_FS` from the mask of its `struct address_space` while a device is bound to the file.
//! [`GfpTable`] counts these restrictions for all devices of the driver, which owns the table.
//! [`PinnedFile`] holds a file still, as `swapon()` does, and has its extents: [`Run`] is a part of
//! one, [`PinMemory`] is allocated beforehand, and [`PinRefusal`] says why a file can't be held.
//!
//! # Examples
//!
//! ```
//! use kernel::{
//!     prelude::*,
//!     sync::Arc, //
//! };
//! use kernel_ext::fs::{
//!     BackingFile,
//!     FallocMode,
//!     GfpTable,
//!     PinMemory,
//!     PinRefusal,
//!     PinnedFile,
//!     RestrictedGfp, //
//! };
//!
//! /// A file that a device is bound to.
//! struct Bound {
//!     file: BackingFile,
//!     _gfp: RestrictedGfp,
//! }
//!
//! /// Takes the file of an ioctl. Sleeps.
//! fn bind(table: &Arc<GfpTable>, fd: u32) -> Result<Bound> {
//!     let file = BackingFile::from_fd(fd)?;
//!     if !file.is_regular() || !file.has_read_iter() || !file.has_write_iter() {
//!         return Err(EINVAL);
//!     }
//!     if file.can_direct() {
//!         // The first direct I/O must not create the workqueue.
//!         file.prepare_direct()?;
//!     }
//!     let gfp = RestrictedGfp::new(table, &file)?;
//!     Ok(Bound { file, _gfp: gfp })
//! }
//!
//! /// Serves a discard. Sleeps.
//! fn discard(bound: &Bound, pos: i64, len: u32) -> Result {
//!     bound.file.fallocate(FallocMode::PunchHole, pos, len)
//! }
//!
//! /// Holds the file still, for requests to its extents. Sleeps; a queue may be frozen.
//! fn pin(bound: &Bound, memory: &PinMemory) -> Result<Option<Arc<PinnedFile>>> {
//!     match PinnedFile::new(&bound.file, memory) {
//!         Ok(pinned) => Ok(Some(pinned)),
//!         // Other programs use it.
//!         Err(PinRefusal::InUse | PinRefusal::Mapped) => Err(EBUSY),
//!         Err(_) => Ok(None),
//!     }
//! }
//!
//! /// Returns where a sector of the file is on the device, and how many of it follow there.
//! fn place(pinned: &PinnedFile, sector: u64) -> Result<(u64, u64)> {
//!     let run = pinned.find(sector).ok_or(EIO)?;
//!     Ok((run.sector, run.sectors))
//! }
//!
//! /// Lets the file go when no request is in flight. Sleeps.
//! fn unpin(pinned: &PinnedFile) {
//!     pinned.release();
//! }
//!
//! // One table for all devices, as several may be bound to one file.
//! let _table = Arc::pin_init(GfpTable::new(), GFP_KERNEL)?;
//! # Ok::<(), Error>(())
//! ```
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)

mod backing;
mod gfp;
mod pin;
mod pin_memory;

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
pub use pin::{
    PinRefusal,
    PinnedFile,
    Run, //
};
pub use pin_memory::PinMemory;
