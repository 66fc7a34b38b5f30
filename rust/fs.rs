// SPDX-License-Identifier: GPL-2.0

//! Files as the backing of a block device.
//!
//! [`BackingFile`] owns a reference to a `struct file`. [`RestrictedGfp`] removes `__GFP_IO` and
//! `__GFP_FS` from the mask of its `struct address_space` while a device is bound to the file.
//! [`GfpTable`] counts these restrictions for all devices of the driver, which owns the table.
//! [`PinnedFile`] holds a file still and has its extents.
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
//! // One table for all devices, as several may be bound to one file.
//! let _table = Arc::pin_init(GfpTable::new(), GFP_KERNEL)?;
//! # Ok::<(), Error>(())
//! ```
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)

mod backing;
mod gfp;
mod pin;

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
