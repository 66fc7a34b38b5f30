// SPDX-License-Identifier: GPL-2.0

//! `struct queue_limits`: what a queue can do.
//!
//! C header: [`include/linux/blkdev.h`](srctree/include/linux/blkdev.h)

use crate::helpers;
use kernel::bindings;

/// How large a read or write may be.
#[derive(Clone, Copy)]
pub struct RequestSize {
    /// In 512-byte sectors.
    pub sectors: u32,
    /// Pieces of memory that are contiguous.
    pub segments: u16,
    /// The largest of these, in bytes.
    pub segment: u32,
}

/// The limits and features of a queue; changed as one by
/// [`Disk::update_limits`](super::gen_disk::Disk::update_limits).
#[repr(transparent)]
pub struct Limits(pub(crate) bindings::queue_limits);

impl Limits {
    /// The block layer's defaults.
    pub fn new() -> Self {
        Self(pin_init::zeroed())
    }

    /// The logical, physical and minimum I/O size, all of `bytes`.
    pub fn set_block_size(&mut self, bytes: u32) -> &mut Self {
        self.0.logical_block_size = bytes;
        self.0.physical_block_size = bytes;
        self.0.io_min = bytes;
        self
    }

    /// The alignment that the memory of a request must have, in bytes: a power of two.
    pub fn set_memory_alignment(&mut self, bytes: u32) -> &mut Self {
        self.0.dma_alignment = bytes.max(1) - 1;
        self
    }

    /// The largest read or write.
    pub fn set_request_size(&mut self, size: RequestSize) -> &mut Self {
        self.0.max_hw_sectors = size.sectors;
        self.0.max_segments = size.segments;
        self.0.max_segment_size = size.segment;
        self
    }

    /// The largest discard and the largest write-zeroes request, in 512-byte sectors (0: neither
    /// is supported), and the granularity of discards in bytes.
    pub fn set_discard(&mut self, max_sectors: u32, granularity: u32) -> &mut Self {
        self.0.max_hw_discard_sectors = max_sectors;
        self.0.max_write_zeroes_sectors = max_sectors;
        self.0.discard_granularity = if max_sectors == 0 { 0 } else { granularity };
        self
    }

    /// Discards are not supported after all.
    pub fn disable_discard(&mut self) -> &mut Self {
        self.0.max_hw_discard_sectors = 0;
        self.0.discard_granularity = 0;
        self
    }

    /// Write-zeroes is not supported after all.
    pub fn disable_write_zeroes(&mut self) -> &mut Self {
        self.0.max_write_zeroes_sectors = 0;
        self
    }

    /// The smallest and the largest write that can be atomic, in bytes: powers of two, or 0 if none can
    /// be.
    pub fn set_atomic_units(&mut self, (min, max): (u32, u32)) -> &mut Self {
        // SAFETY: `self.0` is valid, and only its limits of atomic writes are changed.
        unsafe { helpers::kx_limits_set_atomic_units(&mut self.0, min, max) };
        self
    }

    /// `BLK_FEAT_WRITE_CACHE` and `BLK_FEAT_FUA` (with a cache only), and `BLK_FEAT_ROTATIONAL`.
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
