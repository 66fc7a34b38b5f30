// SPDX-License-Identifier: GPL-2.0

//! What the current task and the CPUs have been doing.
//!
//! C headers: [`include/linux/kernel_stat.h`](srctree/include/linux/kernel_stat.h),
//! [`include/linux/sched.h`](srctree/include/linux/sched.h)

use crate::helpers;

/// The time in jiffies, which wraps around. Any context.
pub fn jiffies() -> usize {
    // SAFETY: No requirements.
    unsafe { helpers::kx_jiffies() }
}

/// Jiffies as nanoseconds: `jiffies_to_nsecs()`. Any context.
pub fn nanoseconds(jiffies: usize) -> u64 {
    // SAFETY: No requirements.
    unsafe { helpers::kx_jiffies_to_nsecs(jiffies) }
}

/// The current task, as a number to compare. Another one may have the same later. Task context.
pub fn current() -> usize {
    // SAFETY: No requirements.
    unsafe { helpers::kx_current() as usize }
}

/// Nanoseconds that the current task has run, as of the last tick. Task context.
pub fn current_runtime() -> u64 {
    // SAFETY: No requirements.
    unsafe { helpers::kx_current_runtime() }
}

/// Nanoseconds that all CPUs together have been idle since boot. Looks at each of them. Any context.
pub fn all_idle() -> u64 {
    // SAFETY: No requirements.
    unsafe { helpers::kx_cpus_idle() }
}

/// Lets other tasks run where it is time: `cond_resched()`. Sleeps.
pub fn yield_if_due() {
    // SAFETY: No requirements but a context that may sleep; in another it warns.
    unsafe { helpers::kx_cond_resched() };
}
