// SPDX-License-Identifier: GPL-2.0

//! [`CacheLine`]: a value that shares no cache line with others, as `____cacheline_aligned_in_smp`.

use core::ops::Deref;

/// A value that all CPUs write often, apart from those that they only read. The alignment is twice
/// 64 bytes, as CPUs prefetch lines in pairs.
#[repr(align(128))]
pub(crate) struct CacheLine<T>(pub(crate) T);

impl<T> Deref for CacheLine<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
