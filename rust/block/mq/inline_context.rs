// SPDX-License-Identifier: GPL-2.0

//! The task that brings a request, while it works for the driver.

use super::{
    InFlight,
    Operations, //
};
use crate::helpers;
use core::{
    marker::PhantomData,
    mem::MaybeUninit, //
};
use kernel::bindings;

/// The current task, with all put aside that it is in the middle of: an open transaction
/// (`journal_info`), bios and requests that it has gathered (`bio_list`, `plug`), its I/O accounting.
/// What it submits meanwhile is on its way at once, or when the batch ends, and memory is
/// allocated as in `memalloc_noio_save()`.
///
/// Dropping it takes all up again.
///
/// # Invariants
///
/// It is dropped by the task that it was made by, after all that were made later.
pub struct InlineContext {
    state: MaybeUninit<helpers::InlineState>,
    /// How many requests it brings as a batch; 0: one that comes alone.
    batch: u16,
    /// It stays with its task.
    _p: PhantomData<*mut ()>,
}

impl InlineContext {
    /// Calls `f` in this state. What is submitted for a `batch` of requests may be gathered until `f`
    /// returns; 0 stands for a request that comes alone.
    ///
    /// # Safety
    ///
    /// `first` must be a live request, the first of those that are issued, all of one queue.
    pub(super) unsafe fn with<R>(
        first: *const bindings::request,
        batch: u16,
        f: impl FnOnce(&InlineContext) -> R,
    ) -> R {
        let mut this = InlineContext {
            state: MaybeUninit::uninit(),
            batch,
            _p: PhantomData,
        };
        // SAFETY: The state is valid for writes, and stays where it is until it is left, below, by
        // the drop of what `f` can only borrow. By the caller the request is live.
        unsafe { helpers::kx_inline_enter(this.state.as_mut_ptr(), first, batch) };
        f(&this)
    }

    /// Whether the task may do I/O at all: it is not reclaiming memory, has room on its stack, holds
    /// back neither bios nor requests of another queue (`bio_list`, `plug`), does not dispatch for other
    /// disks (kblockd), and is frozen with the other tasks in a suspend.
    pub fn may_work(&self) -> bool {
        // SAFETY: Entered by `with`.
        unsafe { (*self.state.as_ptr()).fits }
    }

    /// Whether it may write where that can end in the page cache of a file. A worker of a workqueue (the
    /// flusher) may not: file systems wait there for their own workers in spite of IOCB_NOWAIT when
    /// space runs out (`xfs_flush_inodes()`), which a `WQ_MEM_RECLAIM` worker must not do.
    pub fn may_write_cache(&self) -> bool {
        // SAFETY: No requirements.
        unsafe { !helpers::kx_inline_is_worker() }
    }

    /// Whether it may do I/O on a file for a request: that is charged to the cgroup that the request
    /// comes from, and for a write the task has no file size limit (RLIMIT_FSIZE), besides.
    pub fn may_serve<T: Operations>(&self, rq: &InFlight<T>) -> bool {
        // SAFETY: Entered by `with`. By its invariants the request is valid.
        unsafe { helpers::kx_inline_fits(self.state.as_ptr(), rq.as_raw()) }
    }
}

impl Drop for InlineContext {
    fn drop(&mut self) {
        // SAFETY: `with` entered it with the same arguments.
        unsafe { helpers::kx_inline_leave(self.state.as_mut_ptr(), self.batch) };
    }
}
