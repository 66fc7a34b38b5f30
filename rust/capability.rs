// SPDX-License-Identifier: GPL-2.0

//! Capabilities of the current task.
//!
//! # Examples
//!
//! ```
//! use kernel::prelude::*;
//! use kernel_ext::{
//!     block::bdev::OpenMode,
//!     capability::capable_sys_admin, //
//! };
//!
//! /// Checks that the caller of an ioctl may change the device.
//! fn check_permission(mode: OpenMode) -> Result {
//!     // Check the mode first, as `capable()` may log a denial.
//!     if mode.write() || capable_sys_admin() {
//!         Ok(())
//!     } else {
//!         Err(EPERM)
//!     }
//! }
//! ```
//!
//! C header: [`include/linux/capability.h`](srctree/include/linux/capability.h)

use crate::helpers;

/// Returns whether the current task has `CAP_SYS_ADMIN`: `capable()`. Process context.
pub fn capable_sys_admin() -> bool {
    // SAFETY: The function has no requirements.
    unsafe { helpers::kx_capable_sys_admin() }
}
