// SPDX-License-Identifier: GPL-2.0

//! [`InlineContext`]: the state of a task that submits I/O for requests from within `queue_rq`.

use super::{
    device_data::DeviceData,
    request::InFlight, //
};
use crate::helpers;
use core::{
    marker::PhantomData,
    mem::MaybeUninit, //
};
use kernel::bindings;

/// The current task, with the state of its own I/O saved: an open transaction (`journal_info`), the
/// bios and requests that it has gathered (`bio_list`, `plug`) and its I/O accounting. I/O that it
/// submits meanwhile is issued at once, or at the end of the batch. Memory is allocated as in
/// `memalloc_noio_save()`.
///
/// Dropping it restores the state.
///
/// # Invariants
///
/// - `kx_inline_enter()` was called for `state` and `batch`, and `state` does not move.
/// - The task that made the value drops it, after all values that it made later.
pub struct InlineContext {
    state: MaybeUninit<helpers::InlineState>,
    /// The number of requests in the batch; 0: a single request.
    batch: u16,
    /// Neither `Send` nor `Sync`: the value stays with its task.
    _p: PhantomData<*mut ()>,
}

impl InlineContext {
    /// Calls `f` in this state. I/O that `f` submits for a `batch` of requests may be gathered
    /// until `f` returns. A `batch` of 0 stands for a single request.
    ///
    /// # Safety
    ///
    /// The caller must pass a live request as `first`: the first one of those that are issued, all
    /// of one queue.
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
        // SAFETY: `state` is valid for writes. It stays where it is until `drop`, as `f` can only
        // borrow the value. The caller passes a live request.
        // INVARIANT: The state is entered here, and `this` is dropped at the end of this function,
        // by the same task.
        unsafe { helpers::kx_inline_enter(this.state.as_mut_ptr(), first, batch) };
        f(&this)
    }

    /// Returns whether the task may do I/O for the driver at all. It must:
    ///
    /// - not be reclaiming memory,
    /// - have room on its stack,
    /// - hold back neither bios nor requests of another queue (`bio_list`, `plug`),
    /// - not dispatch for other disks (a kblockd worker),
    /// - be frozen with the other tasks if the system is being suspended.
    pub fn may_work(&self) -> bool {
        // SAFETY: By the type invariant `kx_inline_enter()` has initialised the state.
        unsafe { (*self.state.as_ptr()).fits }
    }

    /// Returns whether the task may do a write that can end in the page cache of a file. A
    /// workqueue worker (the flusher) may not: when space runs out, file systems wait there for
    /// their own workers in spite of IOCB_NOWAIT (`xfs_flush_inodes()`), which a `WQ_MEM_RECLAIM`
    /// worker must not do.
    pub fn may_write_cache(&self) -> bool {
        // SAFETY: No requirements.
        unsafe { !helpers::kx_inline_is_worker() }
    }

    /// Returns whether the task may do I/O on a file for `rq`. Besides [`Self::may_work`], the I/O
    /// of the task must be charged to the cgroup of the request, and for a write the task must have
    /// no file size limit (RLIMIT_FSIZE).
    pub fn may_serve<T: DeviceData>(&self, rq: &InFlight<T>) -> bool {
        // SAFETY: By the type invariant the state is entered. By the invariant of `InFlight` the
        // request is valid.
        unsafe { helpers::kx_inline_fits(self.state.as_ptr(), rq.as_raw()) }
    }
}

impl Drop for InlineContext {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the state was entered with this batch, by this task.
        unsafe { helpers::kx_inline_leave(self.state.as_mut_ptr(), self.batch) };
    }
}
