// SPDX-License-Identifier: GPL-2.0

//! Per-CPU counters.
//!
//! [`Counters`] owns an array of `u64` from `__alloc_percpu()`. Counting writes no cache line that
//! other CPUs write.
//!
//! # Examples
//!
//! ```
//! use kernel::prelude::*;
//! use kernel_ext::percpu::Counters;
//!
//! #[derive(Clone, Copy)]
//! enum Counter {
//!     Read,
//!     Write,
//!     Direct,
//! }
//!
//! /// The number of [`Counter`]s.
//! const COUNT: usize = 3;
//!
//! let counters = Counters::<COUNT>::new()?;
//! counters.count(Counter::Read as usize);
//! counters.count_two(Counter::Write as usize, Counter::Direct as usize);
//! // Reads the counter of each CPU, so this is for sysfs and not for each request.
//! let _direct = counters.sum(Counter::Direct as usize);
//! # Ok::<(), Error>(())
//! ```
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use crate::helpers;
use core::ptr::NonNull;
use kernel::prelude::*;

/// `N` counters that start at 0 and only grow: wraps `__alloc_percpu()`.
///
/// # Invariants
///
/// `counters` points to a per-CPU array of `N` counters, which `self` owns.
pub struct Counters<const N: usize> {
    counters: NonNull<u64>,
}

// SAFETY: `this_cpu_inc()` and reading the counters are allowed on any CPU and in any task.
unsafe impl<const N: usize> Send for Counters<N> {}
// SAFETY: As above.
unsafe impl<const N: usize> Sync for Counters<N> {}

impl<const N: usize> Counters<N> {
    /// The size of the array in bytes. It is counted in 32 bits, and one chunk of per-CPU memory
    /// has to hold it (`PCPU_MIN_UNIT_SIZE`).
    const SIZE: usize = {
        assert!(N <= 4096);
        N * size_of::<u64>()
    };

    /// Allocates the counters, 4096 at most. Sleeps. Fails with ENOMEM.
    pub fn new() -> Result<Self> {
        // SAFETY: The function may sleep, as the documentation of `new` says, and requires nothing
        // else.
        let counters = unsafe { helpers::kx_counters_alloc(Self::SIZE as u32) };
        // INVARIANT: The array was just allocated with `N` counters and belongs to the new value.
        Ok(Self {
            counters: NonNull::new(counters).ok_or(ENOMEM)?,
        })
    }

    /// Adds one to a counter: `this_cpu_inc()`. Ignores a number that is not below `N`. Any
    /// context.
    #[inline(always)]
    pub fn count(&self, counter: usize) {
        if counter < N {
            // SAFETY: By the type invariant, as `counter` is below `N`.
            unsafe { helpers::kx_counters_add(self.counters.as_ptr(), counter as u32) };
        }
    }

    /// Adds one to two counters, or to neither if one number is not below `N`. Any context.
    #[inline(always)]
    pub fn count_two(&self, one: usize, other: usize) {
        if one < N && other < N {
            // SAFETY: By the type invariant, as both numbers are below `N`.
            unsafe {
                helpers::kx_counters_add_two(self.counters.as_ptr(), one as u32, other as u32)
            };
        }
    }

    /// Returns the sum over all CPUs, or 0 if `counter` is not below `N`. May miss what other CPUs
    /// count meanwhile. Any context.
    pub fn sum(&self, counter: usize) -> u64 {
        if counter >= N {
            return 0;
        }
        // SAFETY: By the type invariant, as `counter` is below `N`.
        unsafe { helpers::kx_counters_sum(self.counters.as_ptr(), counter as u32) }
    }
}

impl<const N: usize> Drop for Counters<N> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant `self` owns the array, which is not used after this.
        unsafe { helpers::kx_counters_free(self.counters.as_ptr()) };
    }
}
