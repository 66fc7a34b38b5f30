// SPDX-License-Identifier: GPL-2.0

//! Counters of a bound device, by the path that its requests took.

use kernel::prelude::*;
use kernel_ext::percpu::Counters;

/// Calls a macro with the table of counters: the variant of [`Counter`], the name of the attribute in
/// sysfs, and what is counted. The text is also that of Documentation/ABI/sysfs-block-rloop; see
/// Documentation/contributing.rst for how to add a counter.
macro_rules! for_each_counter {
    ($callback:ident) => {
        $callback! {
            ReadDirect c"read_direct" "Read requests whose transfer began as direct I/O.",
            WriteDirect c"write_direct" "Write requests whose transfer began as direct I/O.",
            ReadBuffered c"read_buffered" "Read requests whose transfer began in the file's page cache.",
            WriteBuffered c"write_buffered" "Write requests whose transfer began in the file's page cache.",
            Flush c"flush" "Flush requests. A write with FUA is not one of them.",
            Discard c"discard" "Discard requests.",
            WriteZeroes c"write_zeroes" "Write-zeroes requests, with and without unmap.",
            Inline c"inline" "Of the reads and writes, those that a kiocb served nowait in the submitting task.",
            Remapped c"remapped" "Of the reads and writes, those whose bio a lower device served.",
            InlineRefused c"inline_refused" "Nowait submissions that were refused: a worker retried them.",
            Continued c"continued" "Submissions of the rest of a request after a short transfer or refused direct I/O.",
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
