// SPDX-License-Identifier: GPL-2.0

//! A file that backs a block device.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)

use crate::{
    block::{
        bdev::BlockDevice,
        limits::RequestSize, //
    },
    helpers, //
};
use core::ptr::NonNull;
use kernel::{
    bindings,
    error::{
        from_err_ptr,
        to_result, //
    },
    prelude::*, //
};

/// A reference to an open file: wraps `struct file`.
///
/// Only what does not depend on the file position is offered, so it may go to any task. Methods that
/// do not say otherwise can be called in any context and do not fail.
pub struct BackingFile(NonNull<bindings::file>);

// SAFETY: The reference count is atomic, and no method touches the file position.
unsafe impl Send for BackingFile {}
// SAFETY: As above.
unsafe impl Sync for BackingFile {}

/// What direct I/O needs of a file, in bytes: `STATX_DIOALIGN`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DioAlign {
    /// Offsets and lengths must be multiples of this.
    pub offset: u32,
    /// Memory must be aligned to this.
    pub memory: u32,
    /// Whether the file system says so; else it is the best guess.
    pub reported: bool,
}

/// Where a file is: what `stat` tells, in the encoding of `huge_encode_dev()`.
#[derive(Clone, Copy, Default)]
pub struct Identity {
    /// The device that the file is on.
    pub device: u64,
    /// Its inode number.
    pub inode: u64,
    /// For a device node, the device that it stands for.
    pub rdevice: u64,
}

/// What [`BackingFile::fallocate`] does to a range; the size of the file stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FallocMode {
    /// Give the space back: `FALLOC_FL_PUNCH_HOLE`.
    PunchHole,
    /// Zero it and keep the space: `FALLOC_FL_ZERO_RANGE`.
    ZeroRange,
}

impl BackingFile {
    /// Looks up a descriptor of the current process, as `fget()`. Fails with EBADF.
    pub fn from_fd(fd: u32) -> Result<Self> {
        // SAFETY: No requirements.
        NonNull::new(unsafe { bindings::fget(fd) })
            .map(Self)
            .ok_or(EBADF)
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::file {
        self.0.as_ptr()
    }

    fn ops(&self, bit: u32) -> bool {
        // SAFETY: We hold a reference to the file.
        unsafe { helpers::kx_file_ops(self.as_raw()) & bit != 0 }
    }

    fn traits(&self, bit: u32) -> bool {
        // SAFETY: We hold a reference to the file.
        unsafe { helpers::kx_file_traits(self.as_raw()) & bit != 0 }
    }

    /// Whether it can be read through an `iov_iter`.
    pub fn has_read_iter(&self) -> bool {
        self.ops(1)
    }

    /// Whether it can be written through an `iov_iter`.
    pub fn has_write_iter(&self) -> bool {
        self.ops(2)
    }

    /// Whether it can be synced.
    pub fn has_fsync(&self) -> bool {
        self.ops(4)
    }

    /// Whether it may be able to change its space.
    pub fn has_fallocate(&self) -> bool {
        self.ops(8)
    }

    /// `FMODE_READ`: opened for reading.
    pub fn readable(&self) -> bool {
        self.traits(1)
    }

    /// `FMODE_WRITE`: opened for writing.
    pub fn writable(&self) -> bool {
        self.traits(2)
    }

    /// `FMODE_CAN_ODIRECT`: its file system knows direct I/O.
    pub fn can_direct(&self) -> bool {
        self.traits(4)
    }

    /// Allocates what the file system needs for direct I/O that is not waited for, which it would
    /// do with the first such: `sb_init_dio_done_wq()`. In the middle of another task's submission,
    /// with what that holds, is no place to make a workqueue. Sleeps. Fails with ENOMEM.
    pub fn prepare_direct(&self) -> Result {
        // SAFETY: A live file.
        to_result(unsafe { helpers::kx_file_prepare_direct(self.as_raw()) })
    }

    /// `O_DIRECT`: opened for direct I/O.
    pub fn opened_direct(&self) -> bool {
        self.traits(8)
    }

    /// A regular file.
    pub fn is_regular(&self) -> bool {
        self.traits(16)
    }

    /// A block device.
    pub fn is_block(&self) -> bool {
        self.traits(32)
    }

    /// `FMODE_NOWAIT`: knows I/O that doesn't wait.
    pub fn can_nowait(&self) -> bool {
        self.traits(64)
    }

    /// `FOP_BUFFER_WASYNC`: knows writes to the page cache that don't wait.
    pub fn can_nowait_buffered_writes(&self) -> bool {
        self.traits(256)
    }

    /// `IS_SYNC`: every write waits until it is durable.
    pub fn writes_sync(&self) -> bool {
        self.traits(128)
    }

    /// The block device that this file is.
    pub fn block_device(&self) -> Option<&BlockDevice> {
        // SAFETY: We hold a reference to the file, which keeps the device open.
        let bdev = unsafe { helpers::kx_file_bdev(self.as_raw()) };
        // SAFETY: As above.
        (!bdev.is_null()).then(|| unsafe { BlockDevice::from_raw(bdev) })
    }

    fn raw_device_below(&self) -> Option<*mut bindings::block_device> {
        // SAFETY: We hold a reference to the file.
        let own = unsafe { helpers::kx_file_bdev(self.as_raw()) };
        if !own.is_null() {
            return Some(own);
        }
        // SAFETY: As above.
        let sb = unsafe { helpers::kx_file_sb_bdev(self.as_raw()) };
        (!sb.is_null()).then_some(sb)
    }

    /// The block device that this file is, or that its file system is on.
    pub fn lower_device(&self) -> Option<&BlockDevice> {
        self.raw_device_below()
            // SAFETY: We hold a reference to the file, which keeps the device open, or its file system
            // mounted, and that its `s_bdev`: no file system changes it while it is mounted.
            .map(|bdev| unsafe { BlockDevice::from_raw(bdev) })
    }

    /// Whether what lies below takes bios that are not to wait: `bdev_nowait()`. True where no block
    /// device is below.
    pub fn device_can_nowait(&self) -> bool {
        self.raw_device_below()
            // SAFETY: As in `device_below`.
            .is_none_or(|bdev| unsafe { helpers::kx_bdev_nowait(bdev) })
    }

    /// Whether what lies below is a rotating disk.
    pub fn rotational(&self) -> bool {
        self.raw_device_below()
            // SAFETY: As in `device_below`.
            .is_some_and(|bdev| unsafe { helpers::kx_bdev_rotational(bdev) })
    }

    /// Its size in bytes: asked of a file's server, read from a block device. Sleeps.
    pub fn size(&self) -> Result<i64> {
        let mut size = 0;
        // SAFETY: We hold a reference to the file.
        to_result(unsafe { helpers::kx_file_size(self.as_raw(), &mut size) })?;
        Ok(size)
    }

    /// What direct I/O needs: as the file system says, or else as its block device does, or else
    /// 512 bytes. Sleeps.
    pub fn dio_align(&self) -> DioAlign {
        let (mut offset, mut memory) = (512, 512);
        // SAFETY: We hold a reference to the file.
        let reported =
            unsafe { helpers::kx_file_dio_align(self.as_raw(), &mut offset, &mut memory) };
        if !reported {
            if let Some(bdev) = self.raw_device_below() {
                // SAFETY: The file keeps the device below it alive.
                unsafe { helpers::kx_bdev_dio_limits(bdev, &mut offset, &mut memory) };
            }
        }
        DioAlign {
            offset,
            memory,
            reported,
        }
    }

    /// The largest read or write that the device below takes as one.
    pub fn request_size(&self) -> Option<RequestSize> {
        let mut size = RequestSize {
            sectors: 0,
            segments: 0,
            segment: 0,
        };
        let bdev = self.raw_device_below()?;
        // SAFETY: The file keeps the device below it alive.
        unsafe {
            helpers::kx_bdev_request_size(
                bdev,
                &mut size.sectors,
                &mut size.segments,
                &mut size.segment,
            )
        };
        Some(size)
    }

    /// The smallest and the largest write that a block device can do atomically, in bytes; 0 for others.
    /// (Files have such limits, too, but take no atomic writes from bvecs.)
    pub fn atomic_units(&self) -> (u32, u32) {
        let (mut min, mut max) = (0, 0);
        if let Some(bdev) = self.block_device() {
            // SAFETY: The file keeps the device open.
            unsafe { helpers::kx_bdev_atomic_units(bdev.as_raw(), &mut min, &mut max) };
        }
        (min, max)
    }

    /// How its space can be changed: the granularity of discards in bytes, and the largest request
    /// in 512-byte sectors, 0 if it can't. Sleeps.
    ///
    /// Discards must read back as zeroes, so of a block device it is the write-zeroes limit.
    pub fn discard_limits(&self) -> (u32, u32) {
        let (mut granularity, mut max) = (0, 0);
        if let Some(bdev) = self.block_device() {
            // SAFETY: The file keeps the device open.
            unsafe { helpers::kx_bdev_space_limits(bdev.as_raw(), &mut granularity, &mut max) };
        } else if self.has_fallocate()
            // SAFETY: We hold a reference to the file.
            && unsafe { helpers::kx_file_block_size(self.as_raw(), &mut granularity) } == 0
        {
            max = u32::MAX >> 9;
        }
        (granularity, max)
    }

    /// What `stat` says of it. Sleeps.
    pub fn identity(&self) -> Result<Identity> {
        let mut id = Identity::default();
        // SAFETY: We hold a reference to the file.
        to_result(unsafe {
            helpers::kx_file_identity(
                self.as_raw(),
                &mut id.device,
                &mut id.inode,
                &mut id.rdevice,
            )
        })?;
        Ok(id)
    }

    /// Its path as `d_path()` gives it, with ` (deleted)` if so; written somewhere into `buf`.
    /// Fails with ENAMETOOLONG.
    pub fn path<'b>(&self, buf: &'b mut [u8]) -> Result<&'b CStr> {
        // SAFETY: We hold a reference to the file; `buf` is valid for writes of its length.
        let p = from_err_ptr(unsafe {
            bindings::file_path(self.as_raw(), buf.as_mut_ptr().cast(), buf.len() as i32)
        })?;
        // SAFETY: On success `p` is a C string within `buf`.
        Ok(unsafe { CStr::from_char_ptr(p) })
    }

    /// Makes all written data durable and all that is known of the file: `vfs_fsync()`. Sleeps.
    ///
    /// EINVAL means that the file can't be synced and has nothing to lose: it is no error.
    pub fn fsync(&self) -> Result {
        self.sync(false)
    }

    /// Makes all written data durable and what is needed to find it again, as `fdatasync()`. Sleeps.
    ///
    /// As for EINVAL, see [`fsync`](Self::fsync).
    pub fn fdatasync(&self) -> Result {
        self.sync(true)
    }

    fn sync(&self, datasync: bool) -> Result {
        // SAFETY: We hold a reference to the file.
        match unsafe { bindings::vfs_fsync(self.as_raw(), datasync.into()) } {
            e if e == EINVAL.to_errno() => Ok(()),
            e => to_result(e),
        }
    }

    /// Writes back what is dirty in the page cache and waits for it: `filemap_write_and_wait_range()`.
    /// Sleeps.
    ///
    /// An error stays with the file: the next [`fsync`](Self::fsync) reports it, too.
    pub fn write_back(&self) -> Result {
        // SAFETY: We hold a reference to the file, whose mapping lives as long.
        to_result(unsafe { helpers::kx_file_write_back(self.as_raw()) })
    }

    /// Writes back and drops what the page cache holds of `len` bytes at `pos`, mapped pages, too, as
    /// direct I/O does before a write: `invalidate_inode_pages2_range()`. Sleeps.
    ///
    /// Fails with EBUSY if a page is in use. A write-back error stays with the file, as with
    /// [`write_back`](Self::write_back).
    pub fn invalidate_range(&self, pos: i64, len: u32) -> Result {
        if len == 0 {
            return Ok(());
        }
        // SAFETY: We hold a reference to the file, whose mapping lives as long.
        to_result(unsafe { helpers::kx_file_invalidate_range(self.as_raw(), pos, len) })
    }

    /// Drops what the page cache holds of it and need not: `invalidate_mapping_pages()`. Sleeps.
    pub fn drop_cache(&self) {
        // SAFETY: We hold a reference to the file, whose mapping lives as long.
        unsafe { bindings::invalidate_mapping_pages((*self.as_raw()).f_mapping, 0, usize::MAX) };
    }

    /// Punches or zeroes `len` bytes at `pos`, keeping the size: `vfs_fallocate()`. Sleeps.
    ///
    /// Fails with EOPNOTSUPP where the file system can't.
    pub fn fallocate(&self, mode: FallocMode, pos: i64, len: u32) -> Result {
        const KEEP_SIZE: i32 = 0x01;
        let mode = KEEP_SIZE
            | match mode {
                FallocMode::PunchHole => 0x02,
                FallocMode::ZeroRange => 0x10,
            };
        // SAFETY: We hold a reference to the file.
        to_result(unsafe { bindings::vfs_fallocate(self.as_raw(), mode, pos, len.into()) })
    }
}

impl Clone for BackingFile {
    fn clone(&self) -> Self {
        // SAFETY: We hold a reference, so another can be taken.
        unsafe { bindings::get_file(self.as_raw()) };
        Self(self.0)
    }
}

impl Drop for BackingFile {
    fn drop(&mut self) {
        // SAFETY: The reference is ours.
        unsafe { bindings::fput(self.as_raw()) };
    }
}
