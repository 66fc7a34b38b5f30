// SPDX-License-Identifier: GPL-2.0

//! The backing of a bound device.
//!
//! A [`Backing`] is the file with the offset, the alignment and the [`IoMode`] of requests. The
//! device publishes it to its requests. It derives the queue limits of the disk from the file.

use crate::{
    geometry,
    io_mode::{
        IoMode,
        NotAligned,
        NotDirect, //
    },
    nowait::NowaitBackoff,
    stats::{
        Stats,
        WorkerReason, //
    },
    unsupported::UnsupportedOps, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc, //
};
use kernel_ext::{
    block::{
        bdev::BlockDevice,
        limits::{
            Limits,
            RequestSize, //
        },
        mq::Op,
        SECTOR_SHIFT, //
    },
    fs::{
        BackingFile,
        DioAlign,
        PinnedFile, //
    }, //
};

/// How often a range of the page cache is invalidated before that fails.
const INVALIDATE_RETRIES: u32 = 16;

/// How requests reach the backing file.
///
/// # Invariants
///
/// The value does not change once it is published. A change of the device replaces it while no
/// request is in flight. `offset` is not negative.
#[derive(Clone)]
pub(crate) struct Backing {
    pub(crate) file: BackingFile,
    /// The byte of the file at which the disk begins.
    pub(crate) offset: i64,
    /// The alignment that direct I/O on the file requires.
    pub(crate) align: DioAlign,
    pub(crate) mode: IoMode,
    /// The file is pinned, and its requests go to its extents ([`IoMode::Remap`]).
    pub(crate) pin: Option<Pin>,
    /// The longest direct I/O that may be submitted nowait, in bytes: I/O that the lower device
    /// splits may have to wait. 0 if the lower device does not support REQ_NOWAIT.
    pub(crate) max_nowait_bytes: u32,
    pub(crate) read_only: bool,
    pub(crate) stats: Arc<Stats>,
    pub(crate) unsupported: Arc<UnsupportedOps>,
    /// Whether requests can be tried with IOCB_NOWAIT.
    pub(crate) nowait: Result<(), WorkerReason>,
    /// The file is a regular file.
    pub(crate) regular: bool,
    /// The file supports IOCB_NOWAIT for buffered writes, too.
    pub(crate) nowait_buffered_writes: bool,
    /// The file makes every write durable before it completes: O_SYNC, O_DSYNC.
    pub(crate) sync_writes: bool,
    /// The lower device is a loop device of this module, which submits nowait itself.
    over_loop: bool,
    read_backoff: Arc<NowaitBackoff>,
    write_backoff: Arc<NowaitBackoff>,
}

/// A backing file that is held still.
#[derive(Clone)]
pub(crate) struct Pin {
    pub(crate) file: Arc<PinnedFile>,
    /// Whether the device had direct I/O before, and will have it again.
    was_direct: bool,
}

impl Backing {
    /// Creates the backing on a file, for a disk that begins at byte `offset`, in buffered mode.
    /// Sleeps. Fails with ENOMEM.
    ///
    /// `over_loop`: the lower device is a loop device of this module, which submits nowait itself.
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
            mode: IoMode::Buffered(NotDirect::NotRequested),
            pin: None,
            max_nowait_bytes: 0,
            read_only,
            stats,
            unsupported: Arc::new(UnsupportedOps::default(), GFP_KERNEL)?,
            nowait: nowait(over_loop, file.can_nowait()),
            regular: file.is_regular(),
            nowait_buffered_writes: file.is_regular() && file.can_nowait_buffered_writes(),
            sync_writes: file.writes_sync(),
            over_loop,
            read_backoff: Arc::new(NowaitBackoff::new(), GFP_KERNEL)?,
            write_backoff: Arc::new(NowaitBackoff::new(), GFP_KERNEL)?,
            file,
        })
    }

    /// Returns the same backing with its file held still, for requests to its extents. Sleeps.
    pub(crate) fn pinned(&self, file: Arc<PinnedFile>) -> Self {
        let (offset, memory) = file.device().dio_limits();
        let align = DioAlign {
            offset,
            memory,
            reported: true,
        };
        let nowait = nowait(self.over_loop, file.device().can_nowait());
        let was_direct = self.mode.is_direct();
        Self {
            align,
            mode: IoMode::Remap,
            pin: Some(Pin { file, was_direct }),
            nowait,
            ..self.clone()
        }
        .with_lower_size()
    }

    /// Returns the same backing as an ordinary one, for a disk with this logical block size.
    /// Sleeps. Fails with ENOMEM.
    pub(crate) fn unpinned(&self, block_size: u32) -> Result<Self> {
        let was_direct = self.pin.as_ref().map(|pin| pin.was_direct);
        Self {
            align: self.file.dio_align(),
            pin: None,
            nowait: nowait(self.over_loop, self.file.can_nowait()),
            ..self.clone()
        }
        .with_direct(was_direct.unwrap_or(self.mode.is_direct()), block_size)
    }

    /// Lets the file go, unless `new` has the same pin. No request may use this backing any more or
    /// again. Sleeps.
    pub(crate) fn release_unless_kept(&self, new: Option<&Backing>) {
        let kept = new.and_then(|new| new.pin.as_ref());
        if let Some(pin) = &self.pin {
            if !kept.is_some_and(|kept| Arc::ptr_eq(&kept.file, &pin.file)) {
                pin.file.release();
            }
        }
    }

    /// Returns the device that requests go to as bios.
    pub(crate) fn remap_device(&self) -> Option<&BlockDevice> {
        match &self.pin {
            Some(pin) => Some(pin.file.device()),
            None if self.mode == IoMode::Remap => self.file.block_device(),
            None => None,
        }
    }

    /// Returns the mode of a disk with this logical block size, with direct I/O requested or not.
    /// The reason that makes direct I/O impossible takes precedence over a missing request.
    fn choose_mode(&self, want: bool, block_size: u32) -> IoMode {
        let unit = self.align.offset;
        if self.pin.is_some() {
            IoMode::Remap
        } else if !self.file.can_direct() || unit == 0 {
            IoMode::Buffered(NotDirect::Unsupported)
        } else if !geometry::direct_fits(self.offset, unit) {
            IoMode::Buffered(NotDirect::Offset)
        } else if !want {
            IoMode::Buffered(NotDirect::NotRequested)
        } else if !self.align.reported {
            IoMode::DirectMixed(NotAligned::NotReported)
        } else if !geometry::aligned(0, block_size, unit) {
            IoMode::DirectMixed(NotAligned::BlockSize)
        } else if self.nowait.is_ok() && self.file.is_block() {
            IoMode::Remap
        } else {
            IoMode::Direct
        }
    }

    /// Returns the size of the disk in sectors, from the file system. Sleeps.
    pub(crate) fn capacity(&self, sizelimit: i64) -> u64 {
        // If the size of the file is not available, the disk is empty, as with the C driver.
        let size = self.file.size().unwrap_or(0);
        let size = match &self.pin {
            Some(pin) => size.min((pin.file.sectors() << SECTOR_SHIFT) as i64),
            None => size,
        };
        geometry::capacity(size, self.offset, sizelimit)
    }

    /// Returns the limits of the disk, as a function that sets them. Sleeps.
    pub(crate) fn limits(&self, block_size: u32) -> impl FnOnce(&mut Limits) + 'static {
        let (granularity, max) = self.discard_limits();
        let (unsupported, pinned) = (self.unsupported.clone(), self.pin.is_some());
        let io_limits = self.io_limits();
        move |limits: &mut Limits| {
            limits
                .set_block_size(block_size)
                .set_discard(max, granularity);
            io_limits(limits);
            if !pinned {
                unsupported.apply(limits);
            }
        }
    }

    /// Returns the limits that depend on the I/O mode and the offset only.
    pub(crate) fn io_limits(&self) -> impl FnOnce(&mut Limits) + 'static {
        let memory = self.memory_alignment();
        let atomic = self.atomic_units();
        let remap = self.remap_device();
        // A write-back error of an earlier mode is reported by a flush.
        let write_cache = !self.read_only
            && match remap {
                Some(device) => device.write_cache() || self.file.needs_sync(),
                None => self.file.has_fsync(),
            };
        let stable = remap.is_some_and(BlockDevice::stable_writes);
        let lower = remap.or_else(|| self.file.lower_device());
        let rotational = lower.is_some_and(BlockDevice::rotational);
        move |limits| {
            limits
                .set_memory_alignment(memory)
                .set_atomic_units(atomic)
                .set_features(write_cache, write_cache, rotational)
                .set_stable_writes(stable);
        }
    }

    /// Returns the smallest and the largest atomic write in bytes, which only a lower device
    /// supports.
    pub(crate) fn atomic_units(&self) -> (u32, u32) {
        if self.mode == IoMode::Remap && !self.read_only {
            // Files may have such limits, too, but do not support atomic writes from bvecs.
            let lower = self.file.block_device().map(BlockDevice::atomic_units);
            geometry::atomic_units(self.offset, lower.unwrap_or((0, 0)))
        } else {
            (0, 0)
        }
    }

    /// Returns the granularity of discards in bytes, and the largest discard or write-zeroes
    /// request in sectors, 0 if there can be none. Sleeps.
    ///
    /// Discards must read back as zeroes, so a block device's limit is that of write-zeroes.
    fn discard_limits(&self) -> (u32, u32) {
        let pinned = self.pin.as_ref().map(|pin| pin.file.device());
        match pinned.or_else(|| self.file.block_device()) {
            Some(bdev) => bdev.write_zeroes_limits(),
            None if !self.file.has_fallocate() => (0, 0),
            None => self
                .file
                .block_size()
                .map_or((0, 0), |size| (size, u32::MAX >> SECTOR_SHIFT)),
        }
    }

    /// Returns the memory alignment that requests must have, in bytes.
    pub(crate) fn memory_alignment(&self) -> u32 {
        geometry::memory_alignment(self.mode.is_direct(), self.align.memory, PAGE_SIZE as u32)
    }

    /// Writes back the page cache of the file, so that direct I/O does not find dirty pages. For
    /// direct I/O also drops it, as direct writes wait for cached pages. Sleeps.
    pub(crate) fn sync_and_invalidate(&self) {
        // The file keeps an error, and the next flush reports it.
        let _ = self.file.write_back();
        if self.mode.is_direct() {
            self.file.drop_cache();
        }
    }

    /// Drops the cached pages of a range, as [`BackingFile::invalidate_range`], and tries it again
    /// while one is in use. Sleeps. Fails with EBUSY if one is redirtied or read all the time, and
    /// with the error of a write-back.
    pub(crate) fn invalidate_range(&self, pos: i64, len: u32) -> Result {
        let mut result = Err(EBUSY);
        for _ in 0..INVALIDATE_RETRIES {
            result = self.file.invalidate_range(pos, len);
            if result != Err(EBUSY) {
                break;
            }
        }
        result
    }

    /// Returns the backoff for requests of this kind.
    pub(crate) fn backoff(&self, op: Op) -> &NowaitBackoff {
        match op {
            Op::Read => &self.read_backoff,
            _ => &self.write_backoff,
        }
    }

    /// Returns the same backing at byte `offset` of the file. Disables direct I/O if the new offset
    /// does not permit it. Sleeps. Fails with ENOMEM.
    pub(crate) fn with_offset(&self, offset: i64, block_size: u32) -> Result<Self> {
        let there = Self {
            offset,
            ..self.clone()
        };
        there.with_direct(self.mode.is_direct(), block_size)
    }

    /// Returns the same backing in another mode, for a disk with this logical block size. The mode
    /// is direct only if requested and possible. Sleeps. Fails with ENOMEM.
    pub(crate) fn with_direct(&self, want: bool, block_size: u32) -> Result<Self> {
        let mode = self.choose_mode(want, block_size);
        if mode.is_direct() {
            self.file.prepare_direct()?;
        }
        let there = Self {
            mode,
            ..self.clone()
        };
        Ok(there.with_lower_size())
    }

    /// Returns the same backing with the longest I/O that its lower device does not split.
    fn with_lower_size(self) -> Self {
        let lower = self.remap_device().or_else(|| self.file.lower_device());
        let max_nowait_bytes = match lower {
            None => u32::MAX,
            Some(lower) if !lower.can_nowait() => 0,
            Some(lower) => {
                let size = lower.request_size();
                geometry::max_nowait_bytes(size.sectors, size.segments, PAGE_SIZE as u32)
            }
        };
        Self {
            max_nowait_bytes,
            ..self
        }
    }
}

/// Whether requests can be tried without waiting.
fn nowait(over_loop: bool, possible: bool) -> Result<(), WorkerReason> {
    match (over_loop, possible) {
        (true, _) => Err(WorkerReason::OverLoop),
        (_, false) => Err(WorkerReason::NoNowait),
        _ => Ok(()),
    }
}

/// Checks that requests can read the file and, if it is open for writing, write it. Fails with
/// EINVAL.
pub(crate) fn check_operations(file: &BackingFile) -> Result {
    if !file.has_read_iter() || (file.writable() && !file.has_write_iter()) {
        return Err(EINVAL);
    }
    Ok(())
}

/// Checks that the file is a regular file or a block device. Fails with EINVAL.
pub(crate) fn check_kind(file: &BackingFile) -> Result {
    if !file.is_regular() && !file.is_block() {
        return Err(EINVAL);
    }
    Ok(())
}

/// The largest request, in scattered pages: the former cap of the block layer, as in the C driver.
const REQUEST_SIZE: RequestSize = RequestSize {
    sectors: 2560,
    segments: 320,
    segment: u32::MAX,
};

/// Sets the limits of a device that has no backing.
pub(crate) fn idle_limits(limits: &mut Limits) {
    limits
        .set_block_size(geometry::SECTOR)
        .set_memory_alignment(geometry::SECTOR)
        .set_request_size(REQUEST_SIZE)
        .set_atomic_units((0, 0))
        .set_features(false, false, false)
        .set_stable_writes(false)
        .set_discard(0, 0);
}
