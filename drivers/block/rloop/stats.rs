// SPDX-License-Identifier: GPL-2.0

//! Counters of a bound device: by the path that its requests took, and why they went to a worker.

use kernel::prelude::*;
use kernel_ext::{
    block::mq::{
        Guard,
        Op, //
    },
    percpu::Counters, //
};

/// Calls a macro with the table of counters: the variant of [`Counter`] or [`WorkerReason`], the
/// name of the attribute in sysfs, and what is counted.
///
/// The text is also that of Documentation/ABI/sysfs-block-rloop.
/// Documentation/contributing.rst says how to add a counter.
macro_rules! for_each_counter {
    ($callback:ident) => {
        $callback! {
            counters {
                ReadDirect c"read_direct" "Read requests whose transfer began as direct I/O.",
                WriteDirect c"write_direct" "Write requests whose transfer began as direct I/O.",
                ReadBuffered c"read_buffered" "Read requests whose transfer began in the file's page cache.",
                WriteBuffered c"write_buffered" "Write requests whose transfer began in the file's page cache.",
                Flush c"flush" "Flush requests. A write with FUA is not one of them.",
                Discard c"discard" "Discard requests.",
                WriteZeroes c"write_zeroes" "Write-zeroes requests, with and without unmap.",
                Inline c"inline" "Of the reads and writes, those that a kiocb served nowait in the submitting task.",
                Remapped c"remapped" "Of the requests, those that a lower device served as bios, without a worker.",
                InlineRefused c"inline_refused" "Nowait submissions that were refused: a worker retried them.",
                Continued c"continued" "Submissions of the rest of a request after a short transfer or refused direct I/O.",
            }
            reasons {
                Flush c"worker_flush" "Flush requests.",
                Discard c"worker_discard" "Discard requests.",
                WriteZeroes c"worker_write_zeroes" "Write-zeroes requests.",
                Fua c"worker_fua" "Writes with FUA.",
                Frozen c"worker_frozen" "Writes to a pinned file while its file system was frozen.",
                Stale c"worker_stale" "Of the requests that changed a pinned file, those of whose range pages were cached.",
                Sync c"worker_sync" "Writes to a file that makes each write durable (chattr +S, mount -o sync).",
                Atomic c"worker_atomic" "Atomic writes that the lower device did not take at once.",
                ReadOnly c"worker_read_only" "Writes to a read-only device, which fail.",
                Other c"worker_other" "Other operations, which fail.",
                NoNowait c"worker_no_nowait" "The file, or the device below it, has no nowait I/O.",
                OverLoop c"worker_over_loop" "The file is on a loop device, which submits nowait itself.",
                Exclusion c"worker_exclusion" "Direct and cached requests take turns, see direct_reason.",
                TooLong c"worker_too_long" "Direct I/O that the device below would split.",
                Buffered c"worker_buffered" "I/O through the page cache that may wait in spite of nowait.",
                LongCopy c"worker_long_copy" "Writes through the page cache that are too long for the submitting task to copy.",
                NotCached c"worker_not_cached" "Reads of what is not in the page cache.",
                Refused c"worker_refused" "Other reads and writes that the file or device refused, as it would have had to wait.",
                Backoff c"worker_backoff" "Not tried, as others were refused before.",
                Short c"worker_short" "The rest of those that were transferred in part.",
                DirectRefused c"worker_direct_refused" "Direct I/O that the file refused.",
                Stack c"worker_stack" "The stack of the submitting task had no room.",
                Reclaim c"worker_reclaim" "The submitting task was reclaiming memory.",
                BioList c"worker_bio_list" "The submitting task was in the middle of another submission.",
                Plug c"worker_plug" "The submitting task may have had requests for other devices in its plug.",
                Passthrough c"worker_passthrough" "The submitting task may have had a passthrough request in its plug.",
                Kblockd c"worker_kblockd" "A work item of the kernel that has no plug submitted them.",
                Freezing c"worker_freezing" "The submitting task is not frozen while the system is suspended.",
                Cgroup c"worker_cgroup" "The submitting task is in another cgroup than the request.",
                FileSize c"worker_file_size" "Writes of a task with a file size limit.",
                Flusher c"worker_flusher" "Writes of a work item of the kernel that may end in the page cache.",
            }
        }
    };
}
pub(crate) use for_each_counter;

macro_rules! define {
    (
        counters { $($variant:ident $name:literal $doc:literal,)* }
        reasons { $($reason:ident $file:literal $text:literal,)* }
    ) => {
        /// What is counted.
        #[derive(Clone, Copy)]
        pub(crate) enum Counter {
            $(#[doc = $doc] $variant,)*
        }

        const COUNTERS: usize = [$(Counter::$variant),*].len();

        /// Why a worker has to serve a request.
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(crate) enum WorkerReason {
            $(#[doc = $text] $reason,)*
        }

        impl WorkerReason {
            /// Whether the request is a flush, discard or write-zeroes.
            pub(crate) fn is_without_data(self) -> bool {
                matches!(self, Self::Flush | Self::Discard | Self::WriteZeroes)
            }

            /// Its name: that of the counter without `worker_`.
            pub(crate) fn name(self) -> &'static CStr {
                let file = match self {
                    $(Self::$reason => $file,)*
                };
                &file[c"worker_".count_bytes()..]
            }
        }

        const REASONS: usize = [$(WorkerReason::$reason),*].len();
    };
}
for_each_counter!(define);

impl Counter {
    /// The counter of a request, whose transfer begins as direct I/O or not.
    #[inline(always)]
    pub(crate) fn of(op: Op, direct: bool) -> Self {
        match (op, direct) {
            (Op::Read, true) => Self::ReadDirect,
            (Op::Read, false) => Self::ReadBuffered,
            (Op::Flush, _) => Self::Flush,
            (Op::Discard, _) => Self::Discard,
            (Op::WriteZeroes, _) => Self::WriteZeroes,
            (_, true) => Self::WriteDirect,
            (_, false) => Self::WriteBuffered,
        }
    }
}

impl From<Guard> for WorkerReason {
    fn from(guard: Guard) -> Self {
        match guard {
            Guard::Stack => Self::Stack,
            Guard::Reclaim => Self::Reclaim,
            Guard::BioList => Self::BioList,
            Guard::Plug => Self::Plug,
            Guard::Passthrough => Self::Passthrough,
            Guard::Kblockd => Self::Kblockd,
            Guard::Freezing => Self::Freezing,
            Guard::Cgroup => Self::Cgroup,
            Guard::FileSize => Self::FileSize,
            Guard::Flusher => Self::Flusher,
        }
    }
}

/// The counters of a device, one set per CPU: those of [`Counter`], then those of [`WorkerReason`].
pub(crate) struct Stats(Counters<{ COUNTERS + REASONS }>);

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

    /// Counts a request that goes to a worker. Any context.
    pub(crate) fn count_worker(&self, reason: WorkerReason) {
        self.0.count(COUNTERS + reason as usize);
    }

    /// The sum over all CPUs. Any context.
    pub(crate) fn get(&self, counter: Counter) -> u64 {
        self.0.sum(counter as usize)
    }

    /// The sum over all CPUs. Any context.
    pub(crate) fn get_worker(&self, reason: WorkerReason) -> u64 {
        self.0.sum(COUNTERS + reason as usize)
    }
}
