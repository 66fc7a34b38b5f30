// SPDX-License-Identifier: GPL-2.0

//! A workqueue of one's own, for requests.
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

/// At which priority the items of a queue run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// That of any task.
    Normal,
    /// Before most others: `WQ_HIGHPRI`.
    High,
}

/// `WQ_NAME_LEN`.
const NAME_LEN: usize = 32;

/// An unbound, freezable workqueue: wraps `struct workqueue_struct`.
///
/// Dropping it waits for all its items and sleeps.
pub struct Workqueue(NonNull<bindings::workqueue_struct>);

// SAFETY: A workqueue may be used and destroyed by any task.
unsafe impl Send for Workqueue {}
// SAFETY: Queueing is synchronised by the workqueue.
unsafe impl Sync for Workqueue {}

impl Workqueue {
    /// Allocates a queue: `alloc_workqueue()`. Sleeps. Fails with ENOMEM, or EINVAL for a name that is
    /// too long.
    pub fn new(name: fmt::Arguments<'_>, priority: Priority) -> Result<Self> {
        let mut buf = [0; NAME_LEN];
        NullTerminatedFormatter::new(&mut buf)
            .ok_or(EINVAL)?
            .write_fmt(name)
            .map_err(|_| EINVAL)?;
        let high = priority == Priority::High;
        // SAFETY: `buf` ends with a null and is valid for the call, which copies it.
        let wq = unsafe { helpers::kx_alloc_workqueue(buf.as_ptr(), high) };
        NonNull::new(wq).map(Self).ok_or(ENOMEM)
    }

    /// Calls `f` in a worker: [`Queue::try_spawn()`]. Sleeps. Fails with ENOMEM.
    pub fn spawn(&self, f: impl FnOnce() + Send + 'static) -> Result {
        // SAFETY: A live workqueue, which waits for its items before it goes.
        let queue = unsafe { Queue::from_raw(self.as_raw()) };
        Ok(queue.try_spawn(GFP_KERNEL, f)?)
    }

    /// Waits for the items that are queued now: `flush_workqueue()`. Sleeps.
    pub fn flush(&self) {
        // SAFETY: A live workqueue.
        unsafe { helpers::kx_flush_workqueue(self.as_raw()) };
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::workqueue_struct {
        self.0.as_ptr()
    }
}

impl Drop for Workqueue {
    fn drop(&mut self) {
        // SAFETY: Allocated by `new` and not used after this.
        unsafe { bindings::destroy_workqueue(self.as_raw()) };
    }
}

/// Runs `f` as a task that does I/O for others: `PF_LOCAL_THROTTLE` and `PF_MEMALLOC_NOIO`.
///
/// For workers under a block device: they must neither wait for the dirty pages of the device that
/// waits for them, nor enter it from reclaim.
pub fn as_io_worker<R>(f: impl FnOnce() -> R) -> R {
    // SAFETY: Changes only flags of the current task, which are put back below.
    let old = unsafe { helpers::kx_io_worker_enter() };
    let ret = f();
    // SAFETY: As above.
    unsafe { helpers::kx_io_worker_leave(old) };
    ret
}

/// Lets other tasks run where it is time: `cond_resched()`. Sleeps.
pub fn cond_resched() {
    // SAFETY: No requirements but a context that may sleep; in another it warns.
    unsafe { helpers::kx_cond_resched() };
}
