// SPDX-License-Identifier: GPL-2.0

//! An extension of the `kernel` crate: what a block driver on top of files needs.
//!
//! Everything unsafe of this module is here and in the `kernel` crate; the driver has none. The
//! layout follows `rust/kernel/`, so that each file could be proposed there.

#![deny(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks)]

pub mod bio;
pub mod block;
pub mod cgroup;
pub mod errno;
pub mod fs;
#[allow(improper_ctypes_definitions)] // Empty structs of C, as in the bindings crate.
mod helpers;
pub mod iov;
pub mod miscdevice;
pub mod module;
pub mod module_param;
pub mod percpu;
pub mod sync;
pub mod workers;
pub mod workqueue;

/// What the `pr_*!` macros of this crate print first.
const __LOG_PREFIX: &[u8] = b"rloop\0";
