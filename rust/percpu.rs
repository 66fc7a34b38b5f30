// SPDX-License-Identifier: GPL-2.0

//! Counters that each CPU has for itself, so that counting writes no shared cache line.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use crate::helpers;
use core::ptr::NonNull;
use kernel::prelude::*;

/// `N` counters that only grow, from 0: wraps `__alloc_percpu()`.
///
/// # Invariants
///
/// `counters` points to a per-CPU array of `N` counters.
pub struct Counters<const N: usize> {
    counters: NonNull<u64>,
}

// SAFETY: Any CPU may count and add up, at any time.
unsafe impl<const N: usize> Send for Counters<N> {}
// SAFETY: As above.
unsafe impl<const N: usize> Sync for Counters<N> {}

impl<const N: usize> Counters<N> {
    /// Allocates them. Sleeps. Fails with ENOMEM.
    pub fn new() -> Result<Self> {
        // SAFETY: No requirements but a context that may sleep.
        let counters = unsafe { helpers::kx_counters_alloc(N as u32) };
        // INVARIANT: Just allocated.
        Ok(Self {
            counters: NonNull::new(counters).ok_or(ENOMEM)?,
        })
    }

    /// Adds one to a counter: `this_cpu_inc()`. Any context. A counter that is not there is ignored.
    #[inline(always)]
    pub fn count(&self, counter: usize) {
        if counter < N {
            // SAFETY: By the type invariant, and there are so many.
            unsafe { helpers::kx_counters_add(self.counters.as_ptr(), counter as u32) };
        }
    }

    /// Adds one to two counters. Any context. Where one is not there, neither is counted.
    #[inline(always)]
    pub fn count_two(&self, one: usize, other: usize) {
        if one < N && other < N {
            // SAFETY: By the type invariant, and there are so many.
            unsafe {
                helpers::kx_counters_add_two(self.counters.as_ptr(), one as u32, other as u32)
            };
        }
    }

    /// Adds up what all CPUs have counted; 0 for a counter that is not there. Any context. Counts of
    /// other CPUs that are made meanwhile may be missing.
    pub fn sum(&self, counter: usize) -> u64 {
        if counter >= N {
            return 0;
        }
        // SAFETY: By the type invariant, and there are so many.
        unsafe { helpers::kx_counters_sum(self.counters.as_ptr(), counter as u32) }
    }
}

impl<const N: usize> Drop for Counters<N> {
    fn drop(&mut self) {
        // SAFETY: Allocated by `new` and not used after this.
        unsafe { helpers::kx_counters_free(self.counters.as_ptr()) };
    }
}
