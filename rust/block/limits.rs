// SPDX-License-Identifier: GPL-2.0

//! The limits and features of a queue.
//!
//! [`Limits`] is a `struct queue_limits` by value. A driver passes one to
//! [`DiskConfig`](super::gen_disk::DiskConfig) for a new disk, or changes those of a disk in the
//! closure of [`Disk::update_limits`](super::gen_disk::Disk::update_limits). The queue has its own
//! copy. [`RequestSize`] is the part that limits reads and writes.
//!
//! # Examples
//!
//! ```
//! use kernel::prelude::*;
//! use kernel_ext::block::{
//!     gen_disk::Disk,
//!     limits::Limits,
//!     mq::DeviceData,
//!     SECTOR_SHIFT, //
//! };
//!
//! // The limits of a new disk, for `DiskConfig`.
//! let mut limits = Limits::new();
//! limits
//!     .set_block_size(4096)
//!     .set_features(true, true, false)
//!     .set_discard(u32::MAX >> SECTOR_SHIFT, 4096);
//!
//! /// Disables discards on a disk that is in use. Waits until no request is in flight, so it must
//! /// not run in a worker that a request waits for. Sleeps.
//! fn disable_discard<T: DeviceData>(disk: &Disk<T>) -> Result {
//!     disk.update_limits_frozen(
//!         |_, limits| {
//!             limits.disable_discard();
//!             Ok(())
//!         },
//!         |_, ()| (),
//!     )
//! }
//! ```
//!
//! C header: [`include/linux/blkdev.h`](srctree/include/linux/blkdev.h)

use crate::helpers;
use kernel::bindings;

/// The limits of a read or write.
#[derive(Clone, Copy)]
pub struct RequestSize {
    /// The largest size in 512-byte sectors: `max_hw_sectors`.
    pub sectors: u32,
    /// The most pieces of contiguous memory: `max_segments`.
    pub segments: u16,
    /// The largest of these pieces in bytes: `max_segment_size`.
    pub segment: u32,
}

/// The limits and features of a queue: wraps `struct queue_limits`.
///
/// [`Disk::update_limits`](super::gen_disk::Disk::update_limits) changes all of them in one step.
#[repr(transparent)]
pub struct Limits(pub(crate) bindings::queue_limits);

impl Limits {
    /// Returns the block layer's defaults.
    pub fn new() -> Self {
        Self(pin_init::zeroed())
    }

    /// Sets the logical and physical block size and the minimum I/O size to `bytes`.
    pub fn set_block_size(&mut self, bytes: u32) -> &mut Self {
        self.0.logical_block_size = bytes;
        self.0.physical_block_size = bytes;
        self.0.io_min = bytes;
        self
    }

    /// Sets the alignment of the memory of a request in bytes, a power of two: `dma_alignment`.
    pub fn set_memory_alignment(&mut self, bytes: u32) -> &mut Self {
        self.0.dma_alignment = bytes.max(1) - 1;
        self
    }

    /// Sets the limits of a read or write.
    pub fn set_request_size(&mut self, size: RequestSize) -> &mut Self {
        self.0.max_hw_sectors = size.sectors;
        self.0.max_segments = size.segments;
        self.0.max_segment_size = size.segment;
        self
    }

    /// Sets the largest discard and the largest write-zeroes request to `max_sectors` 512-byte
    /// sectors (0: the queue supports neither), and the granularity of discards in bytes.
    pub fn set_discard(&mut self, max_sectors: u32, granularity: u32) -> &mut Self {
        self.0.max_hw_discard_sectors = max_sectors;
        self.0.max_write_zeroes_sectors = max_sectors;
        self.0.discard_granularity = if max_sectors == 0 { 0 } else { granularity };
        self
    }

    /// Disables discards.
    pub fn disable_discard(&mut self) -> &mut Self {
        self.0.max_hw_discard_sectors = 0;
        self.0.discard_granularity = 0;
        self
    }

    /// Disables write-zeroes requests.
    pub fn disable_write_zeroes(&mut self) -> &mut Self {
        self.0.max_write_zeroes_sectors = 0;
        self
    }

    /// Sets the smallest and the largest atomic write in bytes: powers of two, or 0 if the queue
    /// supports none.
    pub fn set_atomic_units(&mut self, (min, max): (u32, u32)) -> &mut Self {
        // SAFETY: `self.0` is valid, and only its limits of atomic writes are changed.
        unsafe { helpers::kx_limits_set_atomic_units(&mut self.0, min, max) };
        self
    }

    /// Sets or clears `BLK_FEAT_STABLE_WRITES`: pages do not change while they are written.
    pub fn set_stable_writes(&mut self, stable: bool) -> &mut Self {
        // SAFETY: `self.0` is valid, and only its features are changed.
        unsafe { helpers::kx_limits_set_stable_writes(&mut self.0, stable) };
        self
    }

    /// Sets or clears `BLK_FEAT_WRITE_CACHE`, `BLK_FEAT_FUA` (set only with a write cache) and
    /// `BLK_FEAT_ROTATIONAL`.
    pub fn set_features(&mut self, write_cache: bool, fua: bool, rotational: bool) -> &mut Self {
        // SAFETY: `self.0` is valid, and only its features are changed.
        unsafe { helpers::kx_limits_set_features(&mut self.0, write_cache, fua, rotational) };
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
