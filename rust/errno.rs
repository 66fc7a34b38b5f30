// SPDX-License-Identifier: GPL-2.0

//! Errors that the `kernel` crate does not define in 7.2.
//!
//! Series: 7.3 has them in `kernel::error::code`.
//!
//! # Examples
//!
//! ```
//! use kernel::prelude::*;
//! use kernel_ext::{
//!     errno,
//!     fs::{
//!         BackingFile,
//!         FallocMode, //
//!     }, //
//! };
//!
//! /// Zeroes a range, and keeps it allocated if the file system supports that. Sleeps.
//! fn zero(file: &BackingFile, pos: i64, len: u32) -> Result {
//!     match file.fallocate(FallocMode::ZeroRange, pos, len) {
//!         // A pattern can't name `opnotsupp()`, which is a function.
//!         Err(e) if e == errno::opnotsupp() => file.fallocate(FallocMode::PunchHole, pos, len),
//!         result => result,
//!     }
//! }
//! ```
//!
//! C header: [`include/uapi/asm-generic/errno.h`](srctree/include/uapi/asm-generic/errno.h)

use kernel::{
    bindings,
    prelude::*, //
};

/// Returns `ENOSYS`: the function is not implemented. Any context.
pub fn nosys() -> Error {
    Error::from_errno(-(bindings::ENOSYS as i32))
}

/// Returns `EDQUOT`: the disk quota of the file's owner is exhausted. Any context.
pub fn dquot() -> Error {
    Error::from_errno(-(bindings::EDQUOT as i32))
}

/// Returns `EOPNOTSUPP`: the file or device does not support the operation. Any context.
pub fn opnotsupp() -> Error {
    Error::from_errno(-(bindings::EOPNOTSUPP as i32))
}
