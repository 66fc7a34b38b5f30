// SPDX-License-Identifier: GPL-2.0

//! [`UnsupportedOps`]: the modes of `fallocate()` that the backing file does not support.

use kernel::sync::atomic::{
    Acquire,
    Atomic,
    Relaxed,
    Release, //
};
use kernel_ext::{
    block::limits::Limits,
    fs::FallocMode, //
};

/// The modes of `fallocate()` for which the file has returned EOPNOTSUPP.
#[derive(Default)]
pub(crate) struct UnsupportedOps {
    punch_hole: Flag,
    zero_range: Flag,
    retired: Flag,
}

struct Flag(Atomic<bool>);

impl Default for Flag {
    fn default() -> Self {
        Self(Atomic::new(false))
    }
}

impl UnsupportedOps {
    /// Records that a mode is not supported. Returns whether that is new.
    pub(crate) fn note(&self, mode: FallocMode) -> bool {
        !self.flag(mode).0.xchg(true, Relaxed)
    }

    /// Reverts [`note`](Self::note), so that the next failure is recorded again.
    pub(crate) fn forget(&self, mode: FallocMode) {
        self.flag(mode).0.store(false, Relaxed);
    }

    fn flag(&self, mode: FallocMode) -> &Flag {
        match mode {
            FallocMode::PunchHole => &self.punch_hole,
            FallocMode::ZeroRange => &self.zero_range,
        }
    }

    /// Disables [`apply`](Self::apply), as the file is no longer the backing of the device.
    pub(crate) fn retire(&self) {
        self.retired.0.store(true, Release);
    }

    /// Removes unsupported operations from the limits. Write-zeroes also punches holes, so without
    /// holes neither is supported.
    pub(crate) fn apply(&self, limits: &mut Limits) {
        if self.retired.0.load(Acquire) {
            return;
        }
        if self.punch_hole.0.load(Relaxed) {
            limits.disable_discard().disable_write_zeroes();
        }
        if self.zero_range.0.load(Relaxed) {
            limits.disable_write_zeroes();
        }
    }
}
