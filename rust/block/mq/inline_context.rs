// SPDX-License-Identifier: GPL-2.0

//! [`InlineContext`]: the state of a task that submits I/O for requests from within `queue_rq`, and
//! [`Guard`]: why it may not submit I/O.

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

/// What forbids a task to do I/O for the driver: `enum kx_guard`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    /// Its stack has no room.
    Stack,
    /// It is reclaiming memory.
    Reclaim,
    /// It holds back bios (`bio_list`).
    BioList,
    /// It holds back requests of another queue, or may do so (`plug`).
    Plug,
    /// It may hold back a passthrough request.
    Passthrough,
    /// It dispatches for other disks, too (a kblockd worker).
    Kblockd,
    /// It goes on while the system is being suspended.
    Freezing,
    /// Its I/O is charged to another cgroup than that of the request.
    Cgroup,
    /// It has a file size limit (RLIMIT_FSIZE), and the request is a write.
    FileSize,
    /// It is a workqueue worker (the flusher), and the write may end in the page cache of a file.
    Flusher,
}

impl Guard {
    /// Returns `Ok` for `KX_GUARD_NONE`.
    #[inline(always)]
    fn check(raw: usize) -> Result<(), Guard> {
        match raw {
            shim_layout::GUARD_NONE => Ok(()),
            _ => Err(Guard::from_raw(raw)),
        }
    }

    #[cold]
    fn from_raw(raw: usize) -> Guard {
        use shim_layout as c;

        match raw {
            c::GUARD_STACK => Guard::Stack,
            c::GUARD_RECLAIM => Guard::Reclaim,
            c::GUARD_BIO_LIST => Guard::BioList,
            c::GUARD_PLUG => Guard::Plug,
            c::GUARD_PASSTHROUGH => Guard::Passthrough,
            c::GUARD_KBLOCKD => Guard::Kblockd,
            c::GUARD_FREEZING => Guard::Freezing,
            c::GUARD_CGROUP => Guard::Cgroup,
            // C has no other value.
            _ => Guard::FileSize,
        }
    }
}

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

    /// Checks whether the task may do I/O for the driver at all. It must:
    ///
    /// - not be reclaiming memory,
    /// - have room on its stack,
    /// - hold back neither bios nor requests of another queue (`bio_list`, `plug`),
    /// - not dispatch for other disks (a kblockd worker),
    /// - be frozen with the other tasks if the system is being suspended.
    #[inline(always)]
    pub fn may_work(&self) -> Result<(), Guard> {
        // SAFETY: By the type invariant `kx_inline_enter()` has initialised the state.
        Guard::check(unsafe { (*self.state.as_ptr()).guard }.into())
    }

    /// Checks whether the task may do a write that can end in the page cache of a file. A workqueue
    /// worker (the flusher) may not: when space runs out, file systems wait there for their own
    /// workers in spite of IOCB_NOWAIT (`xfs_flush_inodes()`), which a `WQ_MEM_RECLAIM` worker must
    /// not do.
    pub fn may_write_cache(&self) -> Result<(), Guard> {
        // SAFETY: No requirements.
        match unsafe { helpers::kx_inline_is_worker() } {
            false => Ok(()),
            true => Err(Guard::Flusher),
        }
    }

    /// Checks whether the task may do I/O on a file for `rq`. Besides [`Self::may_work`], the I/O
    /// of the task must be charged to the cgroup of the request, and for a write the task must have
    /// no file size limit (RLIMIT_FSIZE).
    #[inline(always)]
    pub fn may_serve<T: DeviceData>(&self, rq: &InFlight<T>) -> Result<(), Guard> {
        // SAFETY: By the type invariant the state is entered. By the invariant of `InFlight` the
        // request is valid.
        let raw = unsafe { helpers::kx_inline_guard(self.state.as_ptr(), rq.as_raw()) };
        Guard::check(raw as usize)
    }
}

impl Drop for InlineContext {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the state was entered with this batch, by this task.
        unsafe { helpers::kx_inline_leave(self.state.as_mut_ptr(), self.batch) };
    }
}
