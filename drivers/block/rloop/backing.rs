// SPDX-License-Identifier: GPL-2.0

//! The backing of a bound device: what a request needs to know of it.

use crate::{
    geometry,
    nowait::NowaitBackoff,
    stats::Stats, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc, //
    }, //
};
use kernel_ext::{
    block::{
        limits::{
            Limits,
            RequestSize, //
        },
        mq::Op, //
    },
    fs::{
        BackingFile,
        DioAlign,
        FallocMode, //
    }, //
};

/// How requests reach the backing file. It never changes: a device that changes gets another one
/// while no request is in flight.
#[derive(Clone)]
pub(crate) struct Backing {
    pub(crate) file: BackingFile,
    /// Where the disk begins in the file, in bytes; never negative.
    pub(crate) offset: i64,
    /// What direct I/O on the file needs.
    pub(crate) align: DioAlign,
    pub(crate) mode: IoMode,
    /// The longest direct I/O that may be submitted nowait, in bytes: what is split on its way down may
    /// have to wait. 0 where the lower device does not know REQ_NOWAIT.
    pub(crate) max_nowait_bytes: u32,
    pub(crate) read_only: bool,
    pub(crate) stats: Arc<Stats>,
    pub(crate) unsupported: Arc<UnsupportedOps>,
    /// The file supports IOCB_NOWAIT.
    pub(crate) nowait: bool,
    /// The file is a regular one.
    pub(crate) regular: bool,
    /// The file supports IOCB_NOWAIT for cached writes, too.
    pub(crate) nowait_buffered_writes: bool,
    /// The file makes every write durable before it completes: O_SYNC, O_DSYNC.
    pub(crate) sync_writes: bool,
    read_backoff: Arc<NowaitBackoff>,
    write_backoff: Arc<NowaitBackoff>,
}

/// How reads and writes reach the backing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IoMode {
    /// Through the page cache of the file.
    Buffered,
    /// With IOCB_DIRECT; every request is aligned for it.
    Direct,
    /// With IOCB_DIRECT where a request is aligned for it, else through the page cache. Direct writes and
    /// cached I/O exclude each other.
    DirectMixed,
    /// As bios with another sector and device, to a block device.
    Remap,
}

impl IoMode {
    /// Whether requests may bypass the page cache of the file.
    pub(crate) fn is_direct(self) -> bool {
        self != IoMode::Buffered
    }
}

/// The modes of `fallocate()` that the file has answered with EOPNOTSUPP.
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
    /// Notes that a mode is not supported. Returns whether that was not known.
    pub(crate) fn note(&self, mode: FallocMode) -> bool {
        !self.flag(mode).0.xchg(true, Relaxed)
    }

    /// Forgets what [`note`](Self::note) noted, so that the next failure is noted again.
    pub(crate) fn forget(&self, mode: FallocMode) {
        self.flag(mode).0.store(false, Relaxed);
    }

    fn flag(&self, mode: FallocMode) -> &Flag {
        match mode {
            FallocMode::PunchHole => &self.punch_hole,
            FallocMode::ZeroRange => &self.zero_range,
        }
    }

    /// Ends the effect of [`apply`](Self::apply): the file is no longer the backing of the device.
    pub(crate) fn retire(&self) {
        self.retired.0.store(true, Release);
    }

    /// Takes what is not supported out of the limits. Write-zeroes uses holes, too, so without holes
    /// neither is supported.
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

impl Backing {
    /// The backing on a file that starts at byte `offset` of it, in buffered mode. `over_loop`: the lower
    /// device is a loop device of this module, which submits nowait itself. Sleeps. Fails with ENOMEM.
    pub(crate) fn new(
        file: BackingFile,
        offset: i64,
        read_only: bool,
        over_loop: bool,
        stats: Arc<Stats>,
    ) -> Result<Self> {
        Ok(Self {
            offset,
            align: file.dio_align(),
            mode: IoMode::Buffered,
            max_nowait_bytes: 0,
            read_only,
            stats,
            unsupported: Arc::new(UnsupportedOps::default(), GFP_KERNEL)?,
            nowait: file.can_nowait() && !over_loop,
            regular: file.is_regular(),
            nowait_buffered_writes: file.is_regular() && file.can_nowait_buffered_writes(),
            sync_writes: file.writes_sync(),
            read_backoff: Arc::new(NowaitBackoff::new(), GFP_KERNEL)?,
            write_backoff: Arc::new(NowaitBackoff::new(), GFP_KERNEL)?,
            file,
        })
    }

    /// Whether direct I/O is possible, at least for some requests.
    fn can_direct(&self) -> bool {
        self.file.can_direct() && geometry::direct_fits(self.offset, self.align.offset)
    }

    /// The size of the disk in sectors. Asks the file system. Sleeps.
    pub(crate) fn capacity(&self, sizelimit: i64) -> u64 {
        // A file whose size can't be learnt is an empty disk, as with the C driver.
        let size = self.file.size().unwrap_or(0);
        geometry::capacity(size, self.offset, sizelimit)
    }

    /// The limits of the disk. Sleeps.
    pub(crate) fn limits(&self, block_size: u32) -> impl FnOnce(&mut Limits) + 'static {
        let write_cache = self.file.has_fsync() && !self.read_only;
        let rotational = self.file.rotational();
        let (granularity, max) = self.file.discard_limits();
        let memory = self.memory_alignment();
        let atomic = self.atomic_units();
        let unsupported = self.unsupported.clone();
        move |limits: &mut Limits| {
            limits
                .set_block_size(block_size)
                .set_memory_alignment(memory)
                .set_atomic_units(atomic)
                .set_features(write_cache, write_cache, rotational)
                .set_discard(max, granularity);
            unsupported.apply(limits);
        }
    }

    /// The limits that depend on the I/O mode alone.
    pub(crate) fn io_limits(&self) -> impl FnOnce(&mut Limits) + 'static {
        let memory = self.memory_alignment();
        let atomic = self.atomic_units();
        move |limits| {
            limits.set_memory_alignment(memory).set_atomic_units(atomic);
        }
    }

    /// The smallest and the largest atomic write, in bytes: only a lower device has them.
    pub(crate) fn atomic_units(&self) -> (u32, u32) {
        if self.mode == IoMode::Remap && !self.read_only {
            geometry::atomic_units(self.offset, self.file.atomic_units())
        } else {
            (0, 0)
        }
    }

    /// The memory alignment that requests must have.
    pub(crate) fn memory_alignment(&self) -> u32 {
        geometry::memory_alignment(self.mode.is_direct(), self.align.memory, PAGE_SIZE as u32)
    }

    /// Writes dirty pages of the file back, so that direct I/O does not find them, and for direct I/O
    /// invalidates the page cache, as direct writes wait for pages that are there. Sleeps.
    pub(crate) fn sync_and_invalidate(&self) {
        // An error stays with the file: the next flush reports it.
        let _ = self.file.write_back();
        if self.mode.is_direct() {
            self.file.drop_cache();
        }
    }

    /// The backoff for requests of this kind.
    pub(crate) fn backoff(&self, op: Op) -> &NowaitBackoff {
        match op {
            Op::Read => &self.read_backoff,
            _ => &self.write_backoff,
        }
    }

    /// The same backing at byte `offset` of the file. Direct I/O is switched off where the new offset does not
    /// allow it. Sleeps. Fails with ENOMEM.
    pub(crate) fn with_offset(&self, offset: i64, block_size: u32) -> Result<Self> {
        let there = Self {
            offset,
            ..self.clone()
        };
        there.with_direct(self.mode.is_direct(), block_size)
    }

    /// The same backing in another mode, for a disk with this block size: direct only if asked for
    /// and possible. Sleeps. Fails with ENOMEM.
    pub(crate) fn with_direct(&self, want: bool, block_size: u32) -> Result<Self> {
        let direct = want && self.can_direct();
        if direct {
            self.file.prepare_direct()?;
        }
        let aligned = self.align.reported && geometry::aligned(0, block_size, self.align.offset);
        let mode = match direct {
            false => IoMode::Buffered,
            true if !aligned => IoMode::DirectMixed,
            true if self.nowait && self.file.is_block() => IoMode::Remap,
            true => IoMode::Direct,
        };
        let max_nowait_bytes = match self.file.request_size() {
            _ if !self.file.device_can_nowait() => 0,
            None => u32::MAX,
            Some(lower) => {
                geometry::max_nowait_bytes(lower.sectors, lower.segments, PAGE_SIZE as u32)
            }
        };
        Ok(Self {
            mode,
            max_nowait_bytes,
            ..self.clone()
        })
    }
}

/// Whether a file can be read and, if opened so, written by requests: EINVAL if not.
pub(crate) fn check_operations(file: &BackingFile) -> Result {
    if !file.has_read_iter() || (file.writable() && !file.has_write_iter()) {
        return Err(EINVAL);
    }
    Ok(())
}

/// Whether a file is of a kind that can back a disk: EINVAL if not.
pub(crate) fn check_kind(file: &BackingFile) -> Result {
    if !file.is_regular() && !file.is_block() {
        return Err(EINVAL);
    }
    Ok(())
}

/// The largest request: the block layer's cap of old, as the C driver has it, of scattered pages.
const REQUEST_SIZE: RequestSize = RequestSize {
    sectors: 2560,
    segments: 320,
    segment: u32::MAX,
};

/// The limits of a device that has no backing.
pub(crate) fn idle_limits(limits: &mut Limits) {
    limits
        .set_block_size(geometry::SECTOR)
        .set_memory_alignment(geometry::SECTOR)
        .set_request_size(REQUEST_SIZE)
        .set_atomic_units((0, 0))
        .set_features(false, false, false)
        .set_discard(0, 0);
}
