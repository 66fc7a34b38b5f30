// SPDX-License-Identifier: GPL-2.0

//! The control plane: binding, changing and clearing a device, and what it shows of itself.

pub(crate) mod clear;
pub(crate) mod configure;
pub(crate) mod nesting;
pub(crate) mod pin;
pub(crate) mod status;
pub(crate) mod sysfs;
pub(crate) mod update;
