// SPDX-License-Identifier: GPL-2.0

//! Files that back a block device.
//!
//! [`BackingFile`] owns a reference to a `struct file`. [`DioAlign`], [`Identity`] and
//! [`FallocMode`] are the values of its methods. I/O on the file is in `block::mq::kiocb` and
//! `block::mq::remap`.
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)

use crate::{
    block::bdev::BlockDevice,
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
/// The methods do not use the file position, so any task may call them. Unless their documentation
/// says otherwise, they can be called in any context and do not fail.
///
/// # Invariants
///
/// The value owns a reference to the file. The file keeps its inode, its `f_mapping`, its file
/// system and, if it is a block device, that device open.
pub struct BackingFile(NonNull<bindings::file>);

// SAFETY: The reference count is atomic, and no method uses the file position.
unsafe impl Send for BackingFile {}
// SAFETY: As above.
unsafe impl Sync for BackingFile {}

/// The alignment that direct I/O on a file requires, in bytes: `STATX_DIOALIGN`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DioAlign {
    /// The alignment of offsets and lengths.
    pub offset: u32,
    /// The alignment of memory.
    pub memory: u32,
    /// Whether the file system reported the values; otherwise they are a guess.
    pub reported: bool,
}

/// The identity of a file as `stat` shows it, with devices as `huge_encode_dev()` encodes them.
#[derive(Clone, Copy, Default)]
pub struct Identity {
    /// The device that the file is on.
    pub device: u64,
    /// The inode number of the file.
    pub inode: u64,
    /// The device that a device node refers to.
    pub rdevice: u64,
}

/// The operations of [`BackingFile::fallocate`]; none changes the size of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FallocMode {
    /// Deallocates the range: `FALLOC_FL_PUNCH_HOLE`.
    PunchHole,
    /// Zeroes the range and keeps it allocated: `FALLOC_FL_ZERO_RANGE`.
    ZeroRange,
}

impl BackingFile {
    /// Looks up a file descriptor of the current process with `fget()`. Fails with EBADF, also
    /// in a task that exits.
    pub fn from_fd(fd: u32) -> Result<Self> {
        // SAFETY: The function has no requirements.
        NonNull::new(unsafe { helpers::kx_file_get(fd) })
            .map(Self)
            .ok_or(EBADF)
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::file {
        self.0.as_ptr()
    }

    fn ops(&self, bit: usize) -> bool {
        // SAFETY: By the type invariant.
        unsafe { helpers::kx_file_ops(self.as_raw()) as usize & bit != 0 }
    }

    fn traits(&self, bit: usize) -> bool {
        // SAFETY: By the type invariant.
        unsafe { helpers::kx_file_traits(self.as_raw()) as usize & bit != 0 }
    }

    /// Returns whether the file has `->read_iter()`.
    pub fn has_read_iter(&self) -> bool {
        self.ops(shim_layout::OP_READ_ITER)
    }

    /// Returns whether the file has `->write_iter()`.
    pub fn has_write_iter(&self) -> bool {
        self.ops(shim_layout::OP_WRITE_ITER)
    }

    /// Returns whether the file has `->fsync()`.
    pub fn has_fsync(&self) -> bool {
        self.ops(shim_layout::OP_FSYNC)
    }

    /// Returns whether the file has `->fallocate()`, which may still support no mode.
    pub fn has_fallocate(&self) -> bool {
        self.ops(shim_layout::OP_FALLOCATE)
    }

    /// Returns whether the file is open for reading: `FMODE_READ`.
    pub fn readable(&self) -> bool {
        self.traits(shim_layout::FILE_READ)
    }

    /// Returns whether the file is open for writing: `FMODE_WRITE`.
    pub fn writable(&self) -> bool {
        self.traits(shim_layout::FILE_WRITE)
    }

    /// Returns whether the file supports direct I/O: `FMODE_CAN_ODIRECT`.
    pub fn can_direct(&self) -> bool {
        self.traits(shim_layout::FILE_CAN_DIRECT)
    }

    /// Creates the workqueue for deferred completions of direct I/O: `sb_init_dio_done_wq()`. The
    /// file system would otherwise create it in the first such I/O, inside the submission of
    /// another task and with the locks that this task holds. Sleeps. Fails with ENOMEM.
    pub fn prepare_direct(&self) -> Result {
        // SAFETY: By the type invariant.
        to_result(unsafe { helpers::kx_file_prepare_direct(self.as_raw()) })
    }

    /// Returns whether the file was opened for direct I/O: `O_DIRECT`.
    pub fn opened_direct(&self) -> bool {
        self.traits(shim_layout::FILE_DIRECT)
    }

    /// Returns whether the file is a regular file.
    pub fn is_regular(&self) -> bool {
        self.traits(shim_layout::FILE_REGULAR)
    }

    /// Returns whether the file is a block device.
    pub fn is_block(&self) -> bool {
        self.traits(shim_layout::FILE_BLOCK)
    }

    /// Returns whether the file supports IOCB_NOWAIT: `FMODE_NOWAIT`.
    pub fn can_nowait(&self) -> bool {
        self.traits(shim_layout::FILE_NOWAIT)
    }

    /// Returns whether it supports IOCB_NOWAIT for buffered writes: `FOP_BUFFER_WASYNC`.
    pub fn can_nowait_buffered_writes(&self) -> bool {
        self.traits(shim_layout::FILE_NOWAIT_CACHED)
    }

    /// Returns whether every write waits until it is durable: `IS_SYNC`.
    pub fn writes_sync(&self) -> bool {
        self.traits(shim_layout::FILE_SYNC)
    }

    /// Returns the block device that this file is.
    pub fn block_device(&self) -> Option<&BlockDevice> {
        // SAFETY: By the type invariant.
        let bdev = unsafe { helpers::kx_file_bdev(self.as_raw()) };
        // SAFETY: By the type invariant the file keeps the device open.
        (!bdev.is_null()).then(|| unsafe { BlockDevice::from_raw(bdev) })
    }

    /// Returns the block device that this file is, or that its file system is on.
    pub fn lower_device(&self) -> Option<&BlockDevice> {
        self.block_device().or_else(|| {
            // SAFETY: By the type invariant.
            let bdev = unsafe { helpers::kx_file_sb_bdev(self.as_raw()) };
            // SAFETY: By the type invariant the file keeps the file system mounted, which does not
            // change its `s_bdev` while it is mounted.
            (!bdev.is_null()).then(|| unsafe { BlockDevice::from_raw(bdev) })
        })
    }

    /// Returns the size in bytes. Asks the server of a network file system. Sleeps.
    pub fn size(&self) -> Result<i64> {
        let mut size = 0;
        // SAFETY: By the type invariant.
        to_result(unsafe { helpers::kx_file_size(self.as_raw(), &mut size) })?;
        Ok(size)
    }

    /// Returns the alignment for direct I/O as the file system reports it, else that of the lower
    /// device, else 512 bytes. Sleeps.
    pub fn dio_align(&self) -> DioAlign {
        let (mut offset, mut memory) = (512, 512);
        // SAFETY: By the type invariant.
        let reported =
            unsafe { helpers::kx_file_dio_align(self.as_raw(), &mut offset, &mut memory) };
        if !reported {
            if let Some(bdev) = self.lower_device() {
                (offset, memory) = bdev.dio_limits();
            }
        }
        DioAlign {
            offset,
            memory,
            reported,
        }
    }

    /// Returns the block size of the file system in bytes: `statfs()`. Sleeps.
    pub fn block_size(&self) -> Result<u32> {
        let mut size = 0;
        // SAFETY: By the type invariant.
        to_result(unsafe { helpers::kx_file_block_size(self.as_raw(), &mut size) })?;
        Ok(size)
    }

    /// Returns the file's identity as `stat` shows it. Sleeps.
    pub fn identity(&self) -> Result<Identity> {
        let mut id = Identity::default();
        // SAFETY: By the type invariant.
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

    /// Returns the path as `d_path()` does, with ` (deleted)` for an unlinked file. It is a part of
    /// `buf`. Fails with ENAMETOOLONG, and with ESRCH in a task that exits. Process
    /// context.
    pub fn path<'b>(&self, buf: &'b mut [u8]) -> Result<&'b CStr> {
        let len = i32::try_from(buf.len()).unwrap_or(i32::MAX);
        // SAFETY: By the type invariant, and `buf` is valid for writes of `len` bytes.
        let p = from_err_ptr(unsafe {
            helpers::kx_file_path(self.as_raw(), buf.as_mut_ptr().cast(), len)
        })?;
        // SAFETY: On success `p` is a C string within `buf`.
        Ok(unsafe { CStr::from_char_ptr(p) })
    }

    /// Makes all written data and all metadata durable: `vfs_fsync()`. Sleeps.
    ///
    /// EINVAL, of a file that does not support syncing and has nothing to lose, is no error.
    pub fn fsync(&self) -> Result {
        self.sync(false)
    }

    /// Makes all written data durable, and the metadata to read it back, as `fdatasync()`. Sleeps.
    ///
    /// EINVAL is no error; see [`fsync`](Self::fsync).
    pub fn fdatasync(&self) -> Result {
        self.sync(true)
    }

    fn sync(&self, datasync: bool) -> Result {
        // SAFETY: By the type invariant.
        match unsafe { bindings::vfs_fsync(self.as_raw(), datasync.into()) } {
            e if e == EINVAL.to_errno() => Ok(()),
            e => to_result(e),
        }
    }

    /// Writes back the dirty pages and waits for that: `filemap_write_and_wait_range()`. Sleeps.
    ///
    /// The file keeps an error, so that the next [`fsync`](Self::fsync) reports it, too.
    pub fn write_back(&self) -> Result {
        // SAFETY: By the type invariant.
        to_result(unsafe { helpers::kx_file_write_back(self.as_raw()) })
    }

    /// Writes back and drops the page cache of `len` bytes at `pos`, including mapped pages, as
    /// direct I/O does before a write: `invalidate_inode_pages2_range()`. Sleeps.
    ///
    /// Fails with EBUSY if a page is in use. The file keeps a write-back error, as with
    /// [`write_back`](Self::write_back).
    pub fn invalidate_range(&self, pos: i64, len: u32) -> Result {
        if len == 0 {
            return Ok(());
        }
        // SAFETY: By the type invariant.
        to_result(unsafe { helpers::kx_file_invalidate_range(self.as_raw(), pos, len) })
    }

    /// Drops clean, unused pages from the page cache: `invalidate_mapping_pages()`. Sleeps.
    pub fn drop_cache(&self) {
        // SAFETY: By the type invariant the file keeps `f_mapping` valid.
        unsafe { bindings::invalidate_mapping_pages((*self.as_raw()).f_mapping, 0, usize::MAX) };
    }

    /// Punches or zeroes `len` bytes at `pos` and keeps the size: `vfs_fallocate()`. Sleeps.
    ///
    /// Fails with EOPNOTSUPP if the file system does not support the mode.
    pub fn fallocate(&self, mode: FallocMode, pos: i64, len: u32) -> Result {
        let mode = match mode {
            FallocMode::PunchHole => shim_layout::FALLOC_PUNCH_HOLE,
            FallocMode::ZeroRange => shim_layout::FALLOC_ZERO_RANGE,
        };
        let mode = (shim_layout::FALLOC_KEEP_SIZE | mode) as i32;
        // SAFETY: By the type invariant.
        to_result(unsafe { bindings::vfs_fallocate(self.as_raw(), mode, pos, len.into()) })
    }
}

impl Clone for BackingFile {
    fn clone(&self) -> Self {
        // SAFETY: By the type invariant there is a reference, so another can be taken.
        unsafe { bindings::get_file(self.as_raw()) };
        Self(self.0)
    }
}

impl Drop for BackingFile {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the reference belongs to `self`.
        unsafe { bindings::fput(self.as_raw()) };
    }
}
