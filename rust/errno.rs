// SPDX-License-Identifier: GPL-2.0

//! Errors that the `kernel` crate doesn't name in every series.
//!
//! C header: [`include/uapi/asm-generic/errno.h`](srctree/include/uapi/asm-generic/errno.h)

use kernel::{
    bindings,
    prelude::*, //
};

/// `ENOSYS`: the function is not implemented. Any context.
pub fn nosys() -> Error {
    Error::from_errno(-(bindings::ENOSYS as i32))
}

/// `EDQUOT`: the owner of the file has used up what he may have. Any context.
pub fn dquot() -> Error {
    Error::from_errno(-(bindings::EDQUOT as i32))
}

/// `EOPNOTSUPP`: the operation is not supported by the file or device. Any context.
pub fn opnotsupp() -> Error {
    Error::from_errno(-(bindings::EOPNOTSUPP as i32))
}
