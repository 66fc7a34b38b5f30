// SPDX-License-Identifier: GPL-2.0

//! Counters of what requests became, per device, from attach to detach.

use kernel::prelude::*;
use kernel_ext::percpu::Counters;

/// What is counted: requests by the rung of the I/O path that they took.
#[derive(Clone, Copy)]
pub(crate) enum Counter {
    ReadDirect,
    WriteDirect,
    ReadBuffered,
    WriteBuffered,
    Flush,
    Discard,
    WriteZeroes,
    /// Of the reads and writes, those that the file served without waiting, in the task that submits
    /// them.
    Inline,
    /// Those whose bios were passed on to a block device below.
    PassedOn,
    /// Those that were tried there and then left to a worker.
    InlineRefused,
    /// Times that a request went on after a part of it had been transferred.
    Continued,
}

const COUNTERS: usize = Counter::Continued as usize + 1;

/// The counters of a device. Each CPU counts for itself.
pub(crate) struct Stats(Counters<COUNTERS>);

impl Stats {
    /// Sleeps. Fails with ENOMEM.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(Counters::new()?))
    }

    pub(crate) fn count(&self, counter: Counter) {
        self.0.count(counter as usize);
    }

    pub(crate) fn count_two(&self, one: Counter, other: Counter) {
        self.0.count_two(one as usize, other as usize);
    }

    pub(crate) fn get(&self, counter: Counter) -> u64 {
        self.0.sum(counter as usize)
    }
}
