// SPDX-License-Identifier: GPL-2.0

//! Workqueues that the driver creates.
//!
//! [`Workqueue`] owns a `struct workqueue_struct`. It runs closures, and the items of a
//! [`WorkArray`](crate::workers::WorkArray). [`as_io_worker`] sets the task flags of a worker that
//! does I/O below a block device.
//!
//! # Examples
//!
//! ```
//! use kernel::prelude::*;
//! use kernel_ext::{
//!     fs::BackingFile,
//!     workqueue::{
//!         self,
//!         Priority,
//!         Workqueue, //
//!     }, //
//! };
//!
//! /// Writes back files that are below block devices, in a worker.
//! fn write_back(wq: &Workqueue, files: KVec<BackingFile>) -> Result {
//!     wq.spawn(move || {
//!         workqueue::as_io_worker(|| {
//!             for file in &files {
//!                 // The file keeps an error, and its next `fsync` reports it.
//!                 let _ = file.write_back();
//!                 workqueue::cond_resched();
//!             }
//!         })
//!     })
//! }
//!
//! let wq = Workqueue::new(fmt!("example"), Priority::Normal)?;
//! write_back(&wq, KVec::new())?;
//! // Wait for the items that are queued. Dropping the workqueue does so, too.
//! wq.flush();
//! # Ok::<(), Error>(())
//! ```
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use crate::helpers;
use core::ptr::NonNull;
use kernel::{
    bindings,
    fmt::{
        self,
        Write, //
    },
    prelude::*,
    str::NullTerminatedFormatter,
    workqueue::Queue, //
};

/// The priority of the workers of a workqueue.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// The default priority.
    Normal,
    /// High priority: `WQ_HIGHPRI`.
    High,
}

/// `WQ_NAME_LEN`, which is private to kernel/workqueue.c.
const NAME_LEN: usize = 32;

/// An unbound, freezable workqueue: wraps `struct workqueue_struct`.
///
/// Dropping it waits for all its items. Sleeps.
///
/// # Invariants
///
/// The pointer is to a live workqueue, which `self` owns.
pub struct Workqueue(NonNull<bindings::workqueue_struct>);

// SAFETY: Any task may use and destroy a workqueue.
unsafe impl Send for Workqueue {}
// SAFETY: The workqueue synchronises queueing itself.
unsafe impl Sync for Workqueue {}

impl Workqueue {
    /// Allocates a workqueue: `alloc_workqueue()`. Sleeps. Fails with ENOMEM, and with EINVAL if
    /// the name is too long.
    pub fn new(name: fmt::Arguments<'_>, priority: Priority) -> Result<Self> {
        let mut buf = [0; NAME_LEN];
        NullTerminatedFormatter::new(&mut buf)
            .ok_or(EINVAL)?
            .write_fmt(name)
            .map_err(|_| EINVAL)?;
        let high = priority == Priority::High;
        // SAFETY: `buf` ends with a null byte and is valid for the call, which copies it.
        let wq = unsafe { helpers::kx_alloc_workqueue(buf.as_ptr(), high) };
        NonNull::new(wq).map(Self).ok_or(ENOMEM)
    }

    /// Calls `f` in a worker: [`Queue::try_spawn()`]. Sleeps. Fails with ENOMEM.
    pub fn spawn(&self, f: impl FnOnce() + Send + 'static) -> Result {
        // SAFETY: By the type invariant the workqueue is live as long as `self`, whose `drop` waits
        // for the items.
        let queue = unsafe { Queue::from_raw(self.as_raw()) };
        Ok(queue.try_spawn(GFP_KERNEL, f)?)
    }

    /// Waits for the items that are queued now: `flush_workqueue()`. Sleeps.
    pub fn flush(&self) {
        // SAFETY: By the type invariant the workqueue is live.
        unsafe { helpers::kx_flush_workqueue(self.as_raw()) };
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::workqueue_struct {
        self.0.as_ptr()
    }
}

impl Drop for Workqueue {
    fn drop(&mut self) {
        // SAFETY: By the type invariant `self` owns the workqueue, which is not used after this.
        unsafe { bindings::destroy_workqueue(self.as_raw()) };
    }
}

/// Calls `f` with `PF_LOCAL_THROTTLE` and `PF_MEMALLOC_NOIO` set for the current task.
///
/// For workers that do I/O below a block device. They must not be throttled for the dirty pages of
/// that device, whose writeback waits for them, and reclaim in them must not enter the device.
pub fn as_io_worker<R>(f: impl FnOnce() -> R) -> R {
    // SAFETY: The function changes flags of the current task only, which `kx_io_worker_leave()`
    // restores.
    let old = unsafe { helpers::kx_io_worker_enter() };
    let ret = f();
    // SAFETY: `old` came from `kx_io_worker_enter()` above, in this task.
    unsafe { helpers::kx_io_worker_leave(old) };
    ret
}

/// Lets other tasks run if the scheduler asks for it: `cond_resched()`. Sleeps.
pub fn cond_resched() {
    // SAFETY: The function requires only a context that may sleep, and warns in another.
    unsafe { helpers::kx_cond_resched() };
}
