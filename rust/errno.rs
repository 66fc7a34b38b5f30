// SPDX-License-Identifier: GPL-2.0

//! Errors that the `kernel` crate does not define in 7.2.
//!
//! Series: 7.3 has them in `kernel::error::code`.
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
