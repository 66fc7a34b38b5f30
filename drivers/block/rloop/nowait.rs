// SPDX-License-Identifier: GPL-2.0

//! Exponential backoff for nowait submissions that the backing keeps refusing.
//!
//! A file with holes, or with shared or compressed extents, refuses every nowait write, and each
//! attempt costs time. After two refusals in a row one request is queued to a worker untried, and
//! after every further refusal twice as many and one more, up to a limit. A request that is served
//! resets it.

use kernel::sync::atomic::Atomic;
use kernel_ext::sync::ReadOnce;

/// The most requests that are queued to a worker untried between two attempts.
#[derive(Clone, Copy)]
pub(crate) enum BackoffLimit {
    /// The layout of the file is the reason, and lasts.
    File = 1023,
    /// The lower device is busy, and will soon be idle again.
    Device = 15,
}

/// The backoff of one kind of request. It takes no lock: a race makes it less exact, no more.
pub(crate) struct NowaitBackoff {
    /// How many requests are to be queued untried.
    skip: Atomic<u32>,
    /// How many there will be after the next refusal.
    next: Atomic<u32>,
}

impl NowaitBackoff {
    pub(crate) const fn new() -> Self {
        Self {
            skip: Atomic::new(0),
            next: Atomic::new(0),
        }
    }

    /// Whether to try the next request nowait. Any context.
    #[inline(always)]
    pub(crate) fn should_try(&self) -> bool {
        let left = self.skip.read_once();
        if left > 0 {
            self.skip.write_once(left - 1);
        }
        left == 0
    }

    /// A nowait submission was refused. Any context.
    pub(crate) fn note_refusal(&self, limit: BackoffLimit) {
        // The first refusal has no effect: ext4 refuses the first write of each timer tick, for its
        // i_version.
        let next = self.next.read_once();
        self.skip.write_once(next);
        self.next.write_once((limit as u32).min(2 * next + 1));
    }

    /// A nowait submission was served. Any context.
    #[inline(always)]
    pub(crate) fn reset(&self) {
        if self.next.read_once() > 0 {
            self.next.write_once(0);
        }
    }
}
