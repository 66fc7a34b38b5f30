// SPDX-License-Identifier: GPL-2.0

//! Extension of the `kernel` crate for block drivers on top of files.
//!
//! All unsafe code of this module is in this crate and in the `kernel` crate; the driver has none.
//!
//! A function documented for *any context* neither sleeps nor waits, and may be called in a hard
//! interrupt. With PREEMPT_RT, where a `spinlock_t` sleeps and interrupts are threads, it may be
//! called in an interrupt thread or softirq, with a `spinlock_t` held and in an RCU read section,
//! but not with a `raw_spinlock_t` held nor with preemption or interrupts disabled.
//!
//! The layout follows `rust/kernel/`: a file here has the name of the file there that covers the
//! same C API. The APIs are not those of the `kernel` crate:
//!
//! - `block/mq.rs` and its files have other `Operations`, `Request` and `TagSet` types, with queue
//!   data, batches, polling and I/O on files; `block/gen_disk.rs` has file operations and sysfs.
//! - `iov.rs` iterates over the bvecs of a request, not over the memory of a system call.
//! - `fs.rs` has I/O on files without a file position.
//! - `miscdevice.rs` takes a fixed minor, `module_param.rs` has strings and sysfs, and `sync.rs`
//!   adds lock types.
//! - `workqueue.rs` creates workqueues and `workers.rs` has numbered work items for one object.
//! - `bio.rs`, `capability.rs`, `cgroup.rs`, `errno.rs` and `percpu.rs` have no counterpart.
//! - `task.rs` copies the name of a task.

#![no_std]
#![deny(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks)]

pub mod bio;
pub mod block;
pub mod capability;
pub mod cgroup;
pub mod errno;
pub mod fs;
mod helpers;
pub mod iov;
pub mod miscdevice;
pub mod module;
pub mod module_param;
pub mod percpu;
pub mod sync;
pub mod task;
pub mod workers;
pub mod workqueue;

/// The prefix of the messages of this crate's `pr_*!` macros.
const __LOG_PREFIX: &[u8] = concat!(module_name!(), "\0").as_bytes();
