// SPDX-License-Identifier: GPL-2.0

//! The task that brings a request, while it works for the driver.

use super::{InFlight, Operations};
use crate::helpers;
use core::{marker::PhantomData, mem::MaybeUninit};

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
pub struct Submitter {
    state: MaybeUninit<helpers::SubmitterState>,
    /// How many requests it brings as a batch; 0: one that comes alone.
    batch: u16,
    /// It stays with its task.
    _p: PhantomData<*mut ()>,
}

impl Submitter {
    /// Calls `f` in this state. What is submitted for a `batch` of requests may be gathered until `f`
    /// returns; 0 stands for a request that comes alone.
    pub fn with<R>(batch: u16, f: impl FnOnce(&Submitter) -> R) -> R {
        let mut this = Submitter {
            state: MaybeUninit::uninit(),
            batch,
            _p: PhantomData,
        };
        // SAFETY: The state is valid for writes, and stays where it is until it is left, below, by
        // the drop of what `f` can only borrow.
        unsafe { helpers::kx_submitter_enter(this.state.as_mut_ptr(), batch) };
        f(&this)
    }

    /// Whether the task may do I/O at all: it is not reclaiming memory, has room on its stack, and
    /// holds no bios of others back.
    pub fn may_work(&self) -> bool {
        // SAFETY: Entered by `with`.
        unsafe { (*self.state.as_ptr()).fits }
    }

    /// Whether it may do I/O for a request: what it does is charged to the cgroup that the request
    /// comes from, besides.
    pub fn may_serve<T: Operations>(&self, rq: &InFlight<T>) -> bool {
        // SAFETY: Entered by `with`. By its invariants the request is valid.
        unsafe { helpers::kx_submitter_fits(self.state.as_ptr(), rq.as_raw()) }
    }
}

impl Drop for Submitter {
    fn drop(&mut self) {
        // SAFETY: `with` entered it with the same arguments.
        unsafe { helpers::kx_submitter_leave(self.state.as_mut_ptr(), self.batch) };
    }
}
