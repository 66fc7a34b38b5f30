// SPDX-License-Identifier: GPL-2.0

//! Counters of a bound device, by the path that its requests took.

use kernel::prelude::*;
use kernel_ext::percpu::Counters;

/// Calls a macro with the table of counters: the variant of [`Counter`], the name of the attribute in
/// sysfs, and what is counted. A new counter is a line here, and one in Documentation/admin-guide/rloop.rst.
macro_rules! for_each_counter {
    ($callback:ident) => {
        $callback! {
            ReadDirect c"read_direct" "Reads that bypassed the page cache of the backing file.",
            WriteDirect c"write_direct" "Writes that bypassed it.",
            ReadBuffered c"read_buffered" "Reads through the page cache.",
            WriteBuffered c"write_buffered" "Writes through the page cache.",
            Flush c"flush" "Flush requests.",
            Discard c"discard" "Discard requests.",
            WriteZeroes c"write_zeroes" "Write-zeroes requests.",
            Inline c"inline" "Reads and writes that a kiocb served nowait, in the submitting task.",
            Remapped c"remapped" "Reads and writes whose bios a lower device served nowait.",
            InlineRefused c"inline_refused" "Nowait submissions that were refused and retried from a worker.",
            Continued c"continued" "Submissions of the rest of a request that was partly transferred.",
        }
    };
}
pub(crate) use for_each_counter;

macro_rules! define {
    ($($variant:ident $name:literal $doc:literal,)*) => {
        /// What is counted.
        #[derive(Clone, Copy)]
        pub(crate) enum Counter {
            $(#[doc = $doc] $variant,)*
        }

        const COUNTERS: usize = [$(Counter::$variant),*].len();
    };
}
for_each_counter!(define);

/// The counters of a device, one set per CPU.
pub(crate) struct Stats(Counters<COUNTERS>);

impl Stats {
    /// Sleeps. Fails with ENOMEM.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(Counters::new()?))
    }

    /// Any context.
    pub(crate) fn count(&self, counter: Counter) {
        self.0.count(counter as usize);
    }

    /// Counts both at once. Any context.
    pub(crate) fn count_two(&self, one: Counter, other: Counter) {
        self.0.count_two(one as usize, other as usize);
    }

    /// The sum over all CPUs. Any context.
    pub(crate) fn get(&self, counter: Counter) -> u64 {
        self.0.sum(counter as usize)
    }
}
