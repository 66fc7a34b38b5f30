// SPDX-License-Identifier: GPL-2.0

//! `struct block_device`: an open disk or partition.
//!
//! C header: [`include/linux/blkdev.h`](srctree/include/linux/blkdev.h)

use crate::{
    block::gen_disk,
    helpers, //
};
use core::ffi::c_void;
use kernel::{
    bindings,
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// A block device that somebody keeps alive: wraps `struct block_device`.
///
/// # Invariants
///
/// The device is live for as long as the reference.
#[repr(transparent)]
pub struct BlockDevice(Opaque<bindings::block_device>);

impl BlockDevice {
    /// # Safety
    ///
    /// `ptr` must be live for all of `'a`.
    pub(crate) unsafe fn from_raw<'a>(ptr: *mut bindings::block_device) -> &'a Self {
        // SAFETY: Transparent over `struct block_device`; the caller keeps it alive.
        unsafe { &*ptr.cast() }
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::block_device {
        self.0.get()
    }

    /// Its device number: `bd_dev`. Any context.
    pub fn dev(&self) -> u32 {
        // SAFETY: By the type invariant; the number does not change.
        unsafe { (*self.as_raw()).bd_dev }
    }

    /// Its size in 512-byte sectors. Any context.
    pub fn sectors(&self) -> u64 {
        // SAFETY: By the type invariant.
        unsafe { helpers::kx_bdev_nr_sectors(self.as_raw()) }
    }

    /// Writes back its dirty pages and drops its page cache: `sync_blockdev()` and
    /// `invalidate_bdev()`. Sleeps for as long as the writes take.
    pub fn sync_and_invalidate(&self) -> Result {
        // SAFETY: By the type invariant.
        to_result(unsafe { helpers::kx_bdev_sync_and_invalidate(self.as_raw()) })
    }

    /// The driver's data if this is a disk of the driver `T` in this module, or a partition of one.
    pub fn driver_data<T: gen_disk::Operations>(&self) -> Option<&T> {
        // SAFETY: A live block device has a disk.
        let disk = unsafe { (*self.as_raw()).bd_disk };
        // SAFETY: As long as the device is live, so is its disk.
        unsafe { gen_disk::Disk::<T>::try_from_raw(disk) }.map(|disk| &**disk.device())
    }

    /// Keeps others from opening the device exclusively, as `bd_prepare_to_claim()`, until the
    /// guard is dropped. Sleeps while another claim is under way; fails with EBUSY if the device
    /// is held exclusively.
    pub fn prepare_to_claim(&self) -> Result<ClaimGuard<'_>> {
        let holder: *mut c_void = core::ptr::from_ref(&HOLDER).cast_mut().cast();
        // SAFETY: The device is live; the holder is only an address.
        to_result(unsafe {
            bindings::bd_prepare_to_claim(self.as_raw(), holder, core::ptr::null())
        })?;
        Ok(ClaimGuard { bdev: self, holder })
    }
}

/// The address that stands for all claims of this module.
static HOLDER: u8 = 0;

/// A claim on a block device that is under way; see [`BlockDevice::prepare_to_claim`].
#[must_use]
pub struct ClaimGuard<'a> {
    bdev: &'a BlockDevice,
    holder: *mut c_void,
}

impl Drop for ClaimGuard<'_> {
    fn drop(&mut self) {
        // SAFETY: ClaimGuard by `claim` with this holder and not yet let go.
        unsafe { bindings::bd_abort_claiming(self.bdev.as_raw(), self.holder) };
    }
}

/// How a block device was opened: `blk_mode_t`.
#[derive(Clone, Copy)]
pub struct OpenMode(u32);

impl OpenMode {
    pub(crate) fn from_raw(mode: u32) -> Self {
        // SAFETY: No requirements.
        Self(unsafe { helpers::kx_open_mode(mode) })
    }

    /// `BLK_OPEN_WRITE`.
    pub fn write(self) -> bool {
        self.0 & 1 != 0
    }

    /// `BLK_OPEN_EXCL`.
    pub fn exclusive(self) -> bool {
        self.0 & 2 != 0
    }
}
