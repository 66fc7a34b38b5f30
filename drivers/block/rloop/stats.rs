// SPDX-License-Identifier: GPL-2.0

//! Counters of what requests became, per device, from attach to detach.

use kernel::sync::atomic::{Atomic, Relaxed};

/// A number that only grows.
pub(crate) struct Counter(Atomic<i64>);

impl Counter {
    const fn new() -> Self {
        Self(Atomic::new(0))
    }

    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

/// Requests by the rung of the I/O path that they took.
pub(crate) struct Stats {
    pub(crate) read_direct: Counter,
    pub(crate) write_direct: Counter,
    pub(crate) read_buffered: Counter,
    pub(crate) write_buffered: Counter,
    pub(crate) flush: Counter,
    pub(crate) discard: Counter,
    pub(crate) write_zeroes: Counter,
    /// Of the reads and writes, those that the file served without waiting, in the task that brought
    /// them.
    pub(crate) inline: Counter,
    /// Those whose bios were passed on to a block device below.
    pub(crate) passed_on: Counter,
    /// Those that were tried there and then left to a worker.
    pub(crate) inline_refused: Counter,
    /// Times that a request went on after a part of it had been transferred.
    pub(crate) continued: Counter,
}

impl Stats {
    pub(crate) const fn new() -> Self {
        Self {
            read_direct: Counter::new(),
            write_direct: Counter::new(),
            read_buffered: Counter::new(),
            write_buffered: Counter::new(),
            flush: Counter::new(),
            discard: Counter::new(),
            write_zeroes: Counter::new(),
            inline: Counter::new(),
            passed_on: Counter::new(),
            inline_refused: Counter::new(),
            continued: Counter::new(),
        }
    }
}
