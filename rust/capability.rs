// SPDX-License-Identifier: GPL-2.0

//! Capabilities of the current task.
//!
//! C header: [`include/linux/capability.h`](srctree/include/linux/capability.h)

use crate::helpers;

/// Returns whether the current task has `CAP_SYS_ADMIN`: `capable()`. Process context.
pub fn capable_sys_admin() -> bool {
    // SAFETY: The function has no requirements.
    unsafe { helpers::kx_capable_sys_admin() }
}
