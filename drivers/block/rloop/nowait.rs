// SPDX-License-Identifier: GPL-2.0

//! Whether to try I/O without waiting, by what came of it before.
//!
//! A file with holes, or with shared or compressed blocks, refuses each such write, and an attempt
//! costs. So after two refusals a request goes to a worker untried, after the next more than twice as
//! many, until one is served.

use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// Most requests that are not tried between two that are.
#[derive(Clone, Copy)]
pub(crate) enum Patience {
    /// A file refuses for what it is.
    File = 1023,
    /// A device refuses when it is busy, and soon no more.
    Device = 15,
}

/// How attempts of one kind went. Races between tasks make it less exact, no more.
pub(crate) struct Eagerness {
    /// Requests that are not to be tried.
    untried: Atomic<u32>,
    /// How many there are after the next refusal.
    penalty: Atomic<u32>,
}

impl Eagerness {
    pub(crate) const fn new() -> Self {
        Self {
            untried: Atomic::new(0),
            penalty: Atomic::new(0),
        }
    }

    /// Whether to try the next one.
    pub(crate) fn tries(&self) -> bool {
        let left = self.untried.load(Relaxed);
        if left > 0 {
            self.untried.store(left - 1, Relaxed);
        }
        left == 0
    }

    pub(crate) fn refused(&self, most: Patience) {
        // One refusal says little: ext4 refuses the first write of each timer tick, for its i_version.
        let penalty = self.penalty.load(Relaxed);
        self.untried.store(penalty, Relaxed);
        self.penalty
            .store((most as u32).min(2 * penalty + 1), Relaxed);
    }

    pub(crate) fn served(&self) {
        if self.penalty.load(Relaxed) > 0 {
            self.penalty.store(0, Relaxed);
        }
    }
}
