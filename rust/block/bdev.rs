// SPDX-License-Identifier: GPL-2.0

//! Block devices: disks and partitions.
//!
//! - [`BlockDevice`] is a borrowed `struct block_device`. The caller that hands it out keeps the
//!   device alive, with an open file or as a part of its disk.
//! - [`ClaimGuard`] is a claim that is under way, between `bd_prepare_to_claim()` and
//!   `bd_abort_claiming()`. It borrows the device.
//! - [`OpenMode`] is a `blk_mode_t`.
//!
//! # Examples
//!
//! ```
//! use kernel::prelude::*;
//! use kernel_ext::{
//!     block::bdev::{
//!         BlockDevice,
//!         OpenMode, //
//!     },
//!     fs::BackingFile, //
//! };
//!
//! /// Drops the page cache of a disk for an ioctl, without an exclusive opener beside it. Sleeps.
//! fn drop_cache(bdev: &BlockDevice, mode: OpenMode) -> Result {
//!     // If the device is open exclusively, this open has the claim, and another would fail.
//!     let _claim = if mode.exclusive() {
//!         None
//!     } else {
//!         Some(bdev.prepare_to_claim()?)
//!     };
//!     bdev.sync_and_invalidate()
//! }
//!
//! /// Returns the largest atomic write in bytes that a backing file supports.
//! fn max_atomic_write(file: &BackingFile) -> u32 {
//!     // The device borrows the file, which keeps it open.
//!     let lower = file.block_device().map(BlockDevice::atomic_units);
//!     lower.map_or(0, |(_min, max)| max)
//! }
//! ```
//!
//! C header: [`include/linux/blkdev.h`](srctree/include/linux/blkdev.h)

use super::limits::RequestSize;
use crate::helpers;
use kernel::{
    bindings,
    error::to_result,
    ffi::c_void,
    prelude::*,
    types::Opaque, //
};

/// A disk or partition: wraps `struct block_device`.
///
/// # Invariants
///
/// The device and its disk are live for as long as the reference.
#[repr(transparent)]
pub struct BlockDevice(Opaque<bindings::block_device>);

impl BlockDevice {
    /// # Safety
    ///
    /// The caller must keep the device of `ptr`, and so its disk, alive for all of `'a`.
    pub(crate) unsafe fn from_raw<'a>(ptr: *mut bindings::block_device) -> &'a Self {
        // SAFETY: `Self` is transparent over `struct block_device`, which the caller keeps alive.
        unsafe { &*ptr.cast() }
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::block_device {
        self.0.get()
    }

    /// Returns the device number, `bd_dev`. Any context.
    pub fn dev(&self) -> u32 {
        // SAFETY: By the type invariant the device is live. Its number does not change.
        unsafe { (*self.as_raw()).bd_dev }
    }

    /// Returns the size in 512-byte sectors. Any context.
    pub fn sectors(&self) -> u64 {
        // SAFETY: By the type invariant the device is live.
        unsafe { helpers::kx_bdev_nr_sectors(self.as_raw()) }
    }

    /// Returns whether the device is a rotating disk: `bdev_rot()`. Any context.
    pub fn rotational(&self) -> bool {
        // SAFETY: By the type invariant the device is live.
        unsafe { helpers::kx_bdev_rotational(self.as_raw()) }
    }

    /// Returns whether the device supports REQ_NOWAIT: `bdev_nowait()`. Any context.
    pub fn can_nowait(&self) -> bool {
        // SAFETY: By the type invariant the device is live.
        unsafe { helpers::kx_bdev_nowait(self.as_raw()) }
    }

    /// Returns whether the device has a volatile write cache: `bdev_write_cache()`. Any context.
    pub fn write_cache(&self) -> bool {
        // SAFETY: By the type invariant the device is live.
        unsafe { helpers::kx_bdev_write_cache(self.as_raw()) }
    }

    /// Returns whether pages must not change while they are written: `bdev_stable_writes()`. Any
    /// context.
    pub fn stable_writes(&self) -> bool {
        // SAFETY: By the type invariant the device is live.
        unsafe { helpers::kx_bdev_stable_writes(self.as_raw()) }
    }

    /// Returns whether the driver of the device takes requests, not bios: `queue_is_mq()`. Any
    /// context.
    pub fn is_mq(&self) -> bool {
        // SAFETY: By the type invariant the device is live.
        unsafe { helpers::kx_bdev_is_mq(self.as_raw()) }
    }

    /// Returns the logical block size and the alignment of memory, in bytes. Any context.
    pub fn dio_limits(&self) -> (u32, u32) {
        let (mut offset, mut memory) = (0, 0);
        // SAFETY: By the type invariant the device is live.
        unsafe { helpers::kx_bdev_dio_limits(self.as_raw(), &mut offset, &mut memory) };
        (offset, memory)
    }

    /// Returns the largest read or write that is one request on the device. Any context.
    pub fn request_size(&self) -> RequestSize {
        let mut size = RequestSize {
            sectors: 0,
            segments: 0,
            segment: 0,
        };
        // SAFETY: By the type invariant the device is live.
        unsafe {
            helpers::kx_bdev_request_size(
                self.as_raw(),
                &mut size.sectors,
                &mut size.segments,
                &mut size.segment,
            )
        };
        size
    }

    /// Returns the smallest and the largest atomic write in bytes, 0 if there is none. Any context.
    pub fn atomic_units(&self) -> (u32, u32) {
        let (mut min, mut max) = (0, 0);
        // SAFETY: By the type invariant the device is live.
        unsafe { helpers::kx_bdev_atomic_units(self.as_raw(), &mut min, &mut max) };
        (min, max)
    }

    /// Returns the granularity of discards in bytes, and the largest write-zeroes request in
    /// 512-byte sectors, 0 if there can be none. Any context.
    pub fn write_zeroes_limits(&self) -> (u32, u32) {
        let (mut granularity, mut max) = (0, 0);
        // SAFETY: By the type invariant the device is live.
        unsafe { helpers::kx_bdev_space_limits(self.as_raw(), &mut granularity, &mut max) };
        (granularity, max)
    }

    /// Writes back the dirty pages and drops the page cache: `sync_blockdev()` and
    /// `invalidate_bdev()`. Sleeps for as long as the writes take. Fails with the error of a write.
    pub fn sync_and_invalidate(&self) -> Result {
        // SAFETY: By the type invariant the device is live.
        to_result(unsafe { helpers::kx_bdev_sync_and_invalidate(self.as_raw()) })
    }

    /// Starts an exclusive claim of the device: `bd_prepare_to_claim()`. Until the guard is
    /// dropped, every other exclusive open of the disk and its partitions waits. Sleeps while
    /// another claim is under way; fails with EBUSY if the device is held exclusively.
    pub fn prepare_to_claim(&self) -> Result<ClaimGuard<'_>> {
        let holder: *mut c_void = core::ptr::from_ref(&HOLDER).cast_mut().cast();
        // SAFETY: By the type invariant the device is live. The holder is only compared as an
        // address.
        to_result(unsafe {
            bindings::bd_prepare_to_claim(self.as_raw(), holder, core::ptr::null())
        })?;
        Ok(ClaimGuard { bdev: self, holder })
    }
}

/// The holder of all claims of this module: only its address is used.
static HOLDER: u8 = 0;

/// An exclusive claim that is under way; see [`BlockDevice::prepare_to_claim`].
///
/// Dropping it aborts the claim: `bd_abort_claiming()`. Sleeps.
///
/// # Invariants
///
/// `bd_prepare_to_claim()` was called for `bdev` with `holder`, and the claim is neither finished
/// nor aborted.
#[must_use]
pub struct ClaimGuard<'a> {
    bdev: &'a BlockDevice,
    holder: *mut c_void,
}

impl Drop for ClaimGuard<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the device is live and `holder` is claiming it. The guard
        // is gone after this.
        unsafe { bindings::bd_abort_claiming(self.bdev.as_raw(), self.holder) };
    }
}

/// The mode that a block device was opened with: `blk_mode_t`.
#[derive(Clone, Copy)]
pub struct OpenMode(u32);

impl OpenMode {
    pub(crate) fn from_raw(mode: u32) -> Self {
        // SAFETY: No requirements.
        Self(unsafe { helpers::kx_open_mode(mode) })
    }

    /// Returns whether `BLK_OPEN_WRITE` is set.
    pub fn write(self) -> bool {
        self.0 as usize & shim_layout::OPEN_WRITE != 0
    }

    /// Returns whether `BLK_OPEN_EXCL` is set.
    pub fn exclusive(self) -> bool {
        self.0 as usize & shim_layout::OPEN_EXCL != 0
    }
}
