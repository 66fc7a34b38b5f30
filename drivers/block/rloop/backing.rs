// SPDX-License-Identifier: GPL-2.0

//! The backing of a bound device: what a request needs to know of it.

use crate::{
    geometry,
    nowait::Eagerness,
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
        SpaceMode, //
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
    /// Whether requests go past the page cache of the file, if they are aligned.
    pub(crate) direct: bool,
    /// The longest direct I/O that may be tried without waiting, in bytes: what is split on its way
    /// down has to wait. 0 where the device below takes no bios that are not to wait.
    pub(crate) at_once: u32,
    /// Whether some may not be: then direct writes and cached I/O take turns.
    pub(crate) mixed: bool,
    /// Whether bios go to a device below as they are.
    pub(crate) passes_on: bool,
    pub(crate) read_only: bool,
    pub(crate) stats: Arc<Stats>,
    pub(crate) refused: Arc<Refused>,
    /// Whether I/O may be tried without waiting, and how that went.
    pub(crate) nowait: bool,
    /// It is a regular file.
    pub(crate) regular: bool,
    /// Writes to the page cache may be tried without waiting.
    pub(crate) nowait_cached_writes: bool,
    /// Every write is waited for until it is durable.
    pub(crate) writes_sync: bool,
    pub(crate) reads: Arc<Eagerness>,
    pub(crate) writes: Arc<Eagerness>,
}

/// What the file has refused to do with its space, learnt from its answers.
#[derive(Default)]
pub(crate) struct Refused {
    punch: Flag,
    zero: Flag,
    retired: Flag,
}

struct Flag(Atomic<bool>);

impl Default for Flag {
    fn default() -> Self {
        Self(Atomic::new(false))
    }
}

impl Refused {
    /// Takes note of a refusal. Whether it is the first one.
    pub(crate) fn note(&self, mode: SpaceMode) -> bool {
        !self.flag(mode).0.xchg(true, Relaxed)
    }

    /// Nothing could be done about a refusal: the next one will be the first.
    pub(crate) fn forget(&self, mode: SpaceMode) {
        self.flag(mode).0.store(false, Relaxed);
    }

    fn flag(&self, mode: SpaceMode) -> &Flag {
        match mode {
            SpaceMode::Punch => &self.punch,
            SpaceMode::Zero => &self.zero,
        }
    }

    /// The file is leaving the device, whose limits are no longer its business.
    pub(crate) fn retire(&self) {
        self.retired.0.store(true, Release);
    }

    /// Takes what was refused out of the limits. A hole is the cheap way to zeroes, so without
    /// holes there is neither.
    pub(crate) fn apply(&self, limits: &mut Limits) {
        if self.retired.0.load(Acquire) {
            return;
        }
        if self.punch.0.load(Relaxed) {
            limits.forget_discard().forget_write_zeroes();
        }
        if self.zero.0.load(Relaxed) {
            limits.forget_write_zeroes();
        }
    }
}

impl Backing {
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
    pub(crate) fn limits(&self, block_size: u32) -> impl FnOnce(&mut Limits) {
        let write_cache = self.file.has_fsync() && !self.read_only;
        let rotational = self.file.rotational();
        let (granularity, max) = self.file.space_limits();
        let memory = self.memory_alignment();
        let atomic = self.atomic_units();
        let refused = self.refused.clone();
        move |limits: &mut Limits| {
            limits
                .set_block_size(block_size)
                .set_memory_alignment(memory)
                .set_atomic_units(atomic)
                .set_features(write_cache, write_cache, rotational)
                .set_space(max, granularity);
            refused.apply(limits);
        }
    }

    /// The smallest and the largest atomic write, in bytes: only where bios go to the device below.
    pub(crate) fn atomic_units(&self) -> (u32, u32) {
        if self.passes_on && !self.read_only {
            geometry::atomic_units(self.offset, self.file.atomic_units())
        } else {
            (0, 0)
        }
    }

    /// The memory alignment that requests must have.
    pub(crate) fn memory_alignment(&self) -> u32 {
        geometry::memory_alignment(self.direct, self.align.memory, PAGE_SIZE as u32)
    }

    /// Makes ready for requests: what is dirty in the page cache must not overtake direct I/O, and
    /// what is there at all keeps it waiting. Sleeps.
    pub(crate) fn settle(&self) {
        // (An error is reported by the next flush.)
        let _ = self.file.write_back();
        if self.direct {
            self.file.drop_cache();
        }
    }

    /// How attempts to serve such requests without waiting went.
    pub(crate) fn eagerness(&self, op: Op) -> &Eagerness {
        match op {
            Op::Read => &self.reads,
            _ => &self.writes,
        }
    }

    /// The same backing in another mode, for a disk with this block size: direct only if asked for
    /// and possible. Sleeps. Fails with ENOMEM.
    pub(crate) fn with_direct(&self, want: bool, block_size: u32) -> Result<Self> {
        let direct = want && self.can_direct();
        if direct {
            self.file.prepare_direct()?;
        }
        let mixed =
            direct && (!self.align.told || !geometry::aligned(0, block_size, self.align.offset));
        let at_once = match self.file.request_size() {
            _ if !self.file.device_can_nowait() => 0,
            None => u32::MAX,
            Some(below) => geometry::at_once(below.sectors, below.segments, PAGE_SIZE as u32),
        };
        Ok(Self {
            direct,
            at_once,
            mixed,
            passes_on: direct && !mixed && self.nowait && self.file.is_block(),
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
        .set_space(0, 0);
}
