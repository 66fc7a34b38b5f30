// SPDX-License-Identifier: GPL-2.0

//! [`PinnedFile`]: a file that is held still, with the extents that it lies on.

use super::{
    backing::BackingFile,
    pin_memory::{
        BioSet,
        PinMemory, //
    }, //
};
use crate::{
    block::bdev::BlockDevice,
    helpers,
    sync::{
        CacheLine,
        ReadOnce, //
    }, //
};
use core::mem;
use kernel::{
    bindings,
    error::Error,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed, //
        },
        Arc, //
    },
    types::Opaque, //
};

/// Why a file can't be held still: `enum kx_pin_refusal`, or an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PinRefusal {
    /// Its file system moves blocks, or has none: it is not ext4, xfs or btrfs.
    FileSystem,
    /// It is pinned already, or used as swap.
    InUse,
    /// It is encrypted or has fs-verity.
    Encrypted,
    /// It bypasses the page cache by mapping the device (DAX).
    Dax,
    /// Its data is in the journal or in the inode.
    Journaled,
    /// Its size is 0 or no multiple of the page.
    Size,
    /// It has more than 2^32 - 1 pages.
    TooLarge,
    /// A process may write it through a mapping.
    Mapped,
    /// Not all blocks are written.
    Holes,
    /// `->swap_activate()` failed with EINVAL: its extents are shared, compressed or copied on
    /// write.
    Refused,
    /// Extents begin or end within a page.
    Unaligned,
    /// The device has sequential zones.
    Zoned,
    /// A function failed.
    Failed(Error),
}

impl PinRefusal {
    fn from_raw(raw: i32) -> Self {
        use shim_layout as c;

        match raw as usize {
            _ if raw < 0 => Self::Failed(Error::from_errno(raw)),
            c::PIN_FILE_SYSTEM => Self::FileSystem,
            c::PIN_IN_USE => Self::InUse,
            c::PIN_ENCRYPTED => Self::Encrypted,
            c::PIN_DAX => Self::Dax,
            c::PIN_JOURNALED => Self::Journaled,
            c::PIN_SIZE => Self::Size,
            c::PIN_TOO_LARGE => Self::TooLarge,
            c::PIN_MAPPED => Self::Mapped,
            c::PIN_HOLES => Self::Holes,
            c::PIN_REFUSED => Self::Refused,
            c::PIN_UNALIGNED => Self::Unaligned,
            // C has no other value.
            _ => Self::Zoned,
        }
    }
}

impl From<kernel::alloc::AllocError> for PinRefusal {
    fn from(_: kernel::alloc::AllocError) -> Self {
        Self::Failed(ENOMEM)
    }
}

/// The place of a sector of a pinned file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The sector of the device.
    pub sector: u64,
    /// How many sectors of the file follow each other there.
    pub sectors: u64,
}

impl Run {
    /// Returns the place of a sector if it is in the extent `at`, which `end` follows.
    #[inline(always)]
    fn within(at: helpers::Extent, end: helpers::Extent, sector: u64) -> Option<Self> {
        let (skip, left) = (
            sector.wrapping_sub(at.start),
            end.start.wrapping_sub(sector),
        );
        (at.start <= sector && sector < end.start).then_some(Self {
            sector: at.lower.wrapping_add(skip),
            sectors: left,
        })
    }
}

/// A file that is held still, as `swapon()` does it: no block of it is allocated, freed or moved,
/// so that its extents can be read and written on their device.
///
/// `S_SWAPFILE` is set, and the kernel answers ETXTBSY or EPERM to what would change the file,
/// until [`release`](Self::release) or drop. All blocks are written and committed, and the page
/// cache is empty at first. Dropping it sleeps.
///
/// C headers: [`include/linux/fs.h`](srctree/include/linux/fs.h),
/// [`include/linux/swap.h`](srctree/include/linux/swap.h)
///
/// # Invariants
///
/// - `raw` was filled by `kx_pin()` for `file`. Its device and its extents stay until
///   `self` is dropped. The extents are sorted by `start`, the first one begins at 0, and one more
///   is the end.
/// - `S_SWAPFILE` of the file is ours while `held` is true.
/// - `work` is initialised. It is queued with a reference to `self` only, or by itself.
#[pin_data(PinnedDrop)]
pub struct PinnedFile {
    file: BackingFile,
    raw: helpers::RawPin,
    bios: Arc<BioSet>,
    held: Atomic<bool>,
    /// The extent that the last request was in, of any CPU.
    last: CacheLine<Atomic<usize>>,
    /// The file was written, and its mtime has not moved since.
    written: Atomic<i32>,
    #[pin]
    work: Opaque<bindings::delayed_work>,
}

// SAFETY: The file and its extents may be used by any task, and the rest is atomic.
unsafe impl Send for PinnedFile {}
// SAFETY: As above.
unsafe impl Sync for PinnedFile {}

/// How long after a write the mtime of the file moves at the latest, in milliseconds.
const TIME_DELAY: u32 = 1000;

impl PinnedFile {
    /// Holds a file still. Writes back and drops its page cache. Sleeps.
    ///
    /// No request that writes the file through its file operations may be in flight or follow, as
    /// it would fail with ETXTBSY. If the file is refused, it is unchanged.
    pub fn new(file: &BackingFile, memory: &PinMemory) -> Result<Arc<Self>, PinRefusal> {
        let mut raw = helpers::RawPin::default();
        // SAFETY: By its type invariant `file` holds a reference. `raw` is valid for writes, and by
        // the type invariant of `memory` the page is one of the current task.
        match unsafe { helpers::kx_pin(file.as_raw(), memory.page(), &mut raw) } {
            0 => (),
            refusal => return Err(PinRefusal::from_raw(refusal)),
        }
        let held = Held(file, raw);
        // INVARIANT: `kx_pin()` filled `raw` and set `S_SWAPFILE`. `work` is initialised here.
        let this = Arc::pin_init(
            pin_init!(Self {
                file: file.clone(),
                raw,
                bios: memory.bios().clone(),
                held: Atomic::new(true),
                last: CacheLine(Atomic::new(0)),
                written: Atomic::new(0),
                work <- Opaque::ffi_init(|work: *mut bindings::delayed_work| {
                    // SAFETY: `work` is valid for writes, and pinned.
                    unsafe { helpers::kx_init_delayed_work(work, Self::update_time) }
                }),
            }),
            GFP_KERNEL,
        );
        match this {
            Ok(this) => {
                mem::forget(held);
                Ok(this)
            }
            Err(e) => Err(PinRefusal::Failed(e)),
        }
    }

    /// Lets the file go: every program may change it again. No request may use its extents any more
    /// or again. Sleeps.
    pub fn release(&self) {
        if !self.held.xchg(false, Full) {
            return;
        }
        // SAFETY: By the type invariants `work` is initialised.
        unsafe { helpers::kx_cancel_delayed_work(self.work.get()) };
        self.move_time();
        // SAFETY: By the type invariant the file was held until here.
        unsafe { helpers::kx_unpin(self.file.as_raw()) };
    }

    /// Returns the file.
    pub fn file(&self) -> &BackingFile {
        &self.file
    }

    /// Returns the device that all extents are on. Any context.
    pub fn device(&self) -> &BlockDevice {
        // SAFETY: By the type invariants. A partition keeps its disk.
        unsafe { BlockDevice::from_raw(self.raw.bdev) }
    }

    pub(crate) fn bios(&self) -> *mut bindings::bio_set {
        self.bios.as_raw()
    }

    /// Returns the number of extents. Any context.
    pub fn extents(&self) -> usize {
        self.raw.nr as usize
    }

    /// Returns an extent, or the end for [`extents`](Self::extents).
    ///
    /// # Safety
    ///
    /// `index` must not exceed the number of extents.
    #[inline(always)]
    unsafe fn extent(&self, index: usize) -> helpers::Extent {
        // SAFETY: By the type invariants there is one extent more than `nr`.
        unsafe { *self.raw.extents.add(index) }
    }

    /// Returns the size that the extents cover, in 512-byte sectors. Any context.
    pub fn sectors(&self) -> u64 {
        // SAFETY: That is the end.
        unsafe { self.extent(self.extents()) }.start
    }

    /// Finds the place of a sector of the file. Returns `None` behind the last one. Any context.
    #[inline(always)]
    pub fn find(&self, sector: u64) -> Option<Run> {
        let last = self.last.read_once();
        if last < self.extents() {
            // SAFETY: Both are extents, or the second one is the end.
            let (at, end) = unsafe { (self.extent(last), self.extent(last.wrapping_add(1))) };
            if let Some(run) = Run::within(at, end, sector) {
                return Some(run);
            }
        }
        self.search(sector)
    }

    #[inline(never)]
    fn search(&self, sector: u64) -> Option<Run> {
        let (mut low, mut high) = (0, self.extents());
        while high.wrapping_sub(low) > 1 {
            let middle = low.midpoint(high);
            // SAFETY: It is between the first one and the end.
            if unsafe { self.extent(middle) }.start <= sector {
                low = middle;
            } else {
                high = middle;
            }
        }
        // Each value of any CPU is one of an extent.
        self.last.write_once(low);
        // SAFETY: `kx_pin()` succeeds with an extent at least, so both are extents, or the second
        // one is the end.
        let (at, end) = unsafe { (self.extent(low), self.extent(high)) };
        Run::within(at, end, sector)
    }

    /// Takes freeze protection of the file system for a write, and records that the mtime has to
    /// move. Fails with EROFS if the file system is read-only by now. If it is frozen: sleeps, or
    /// with `nowait` fails with EAGAIN. `kx_lower_ended()` gives it back.
    #[inline(always)]
    pub(crate) fn start_write(&self, nowait: bool) -> Result {
        // SAFETY: By the type invariant of `file`.
        match unsafe { helpers::kx_pin_start_write(self.file.as_raw(), nowait) } {
            0 => (),
            errno => return Err(Error::from_errno(errno)),
        }
        if self.written.read_once() == 0 {
            self.note_written();
        }
        Ok(())
    }

    #[cold]
    fn note_written(&self) {
        if self.written.xchg(1, Full) == 0 {
            // SAFETY: By the type invariants `work` is initialised.
            unsafe { helpers::kx_queue_delayed_work(self.work.get(), TIME_DELAY) };
        }
    }

    /// Moves the mtime now, in a worker, if the file was written and its mtime is not of this
    /// second. For a caller with a request in flight. Any context.
    pub fn touch(&self) {
        // SAFETY: By the type invariant of `file`, and as in `note_written`.
        unsafe {
            if self.written.load(Acquire) != 0 && !helpers::kx_pin_is_touched(self.file.as_raw()) {
                helpers::kx_hasten_delayed_work(self.work.get());
            }
        }
    }

    /// Returns the super block whose protection `kx_lower_ended()` gives back. Any context.
    pub(crate) fn super_block(&self) -> *mut bindings::super_block {
        // SAFETY: By the type invariant of `file` the inode is valid, and does not change its
        // super block.
        unsafe { (*(*self.file.as_raw()).f_inode).i_sb }
    }

    fn move_time(&self) {
        if self.written.xchg(0, Full) != 0 {
            // SAFETY: By the type invariant of `file`.
            if !unsafe { helpers::kx_pin_update_time(self.file.as_raw()) } {
                self.written.store(1, Relaxed);
            }
        }
    }

    /// # Safety
    ///
    /// For the workqueue only.
    unsafe extern "C" fn update_time(work: *mut bindings::work_struct) {
        // SAFETY: Every work item with this function is `work` of a `delayed_work`.
        let work = unsafe { kernel::container_of!(work, bindings::delayed_work, work) };
        let work = work.cast::<Opaque<bindings::delayed_work>>();
        // SAFETY: That is in a `PinnedFile`, which waits for it when it is dropped.
        let this = unsafe { &*kernel::container_of!(work, Self, work) };
        this.move_time();
        if this.written.load(Relaxed) != 0 && this.held.load(Acquire) {
            // The file system is frozen. `cancel_delayed_work_sync()` keeps an item from being
            // queued by itself.
            // SAFETY: By the type invariants `work` is initialised.
            unsafe { helpers::kx_queue_delayed_work(this.work.get(), TIME_DELAY) };
        }
    }
}

#[pinned_drop]
impl PinnedDrop for PinnedFile {
    fn drop(self: Pin<&mut Self>) {
        self.release();
        let mut raw = self.raw;
        // SAFETY: By the type invariants. There is no reference that could queue `work` again, also
        // if it was queued after `release`. No request uses the extents any more.
        unsafe {
            helpers::kx_cancel_delayed_work(self.work.get());
            helpers::kx_pin_free(&mut raw);
        }
    }
}

/// A pin that has no [`PinnedFile`] yet.
struct Held<'a>(&'a BackingFile, helpers::RawPin);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // SAFETY: `kx_pin()` has succeeded for the file, and nothing uses the extents.
        unsafe {
            helpers::kx_unpin(self.0.as_raw());
            helpers::kx_pin_free(&mut self.1);
        }
    }
}

impl BackingFile {
    /// Returns whether any page of the file is cached: `nrpages`. Any context.
    #[inline(always)]
    pub fn has_cached_pages(&self) -> bool {
        // As READ_ONCE().
        // SAFETY: By the type invariant the file keeps `f_mapping` valid.
        unsafe { (&raw const (*(*self.as_raw()).f_mapping).nrpages).read_volatile() != 0 }
    }

    /// Returns whether a page of `len` bytes at `pos` is cached. Any context.
    pub fn range_is_cached(&self, pos: i64, len: u32) -> bool {
        // SAFETY: By the type invariant.
        len > 0 && unsafe { helpers::kx_file_range_is_cached(self.as_raw(), pos, len) }
    }

    /// Returns whether the page cache has what a flush of the device does not make durable: dirty
    /// pages, or the error of a write-back that the next [`fsync`](Self::fsync) reports. Any
    /// context.
    pub fn needs_sync(&self) -> bool {
        // SAFETY: By the type invariant.
        unsafe { helpers::kx_file_needs_sync(self.as_raw()) }
    }
}
