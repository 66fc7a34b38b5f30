// SPDX-License-Identifier: GPL-2.0

//! [`PinMemory`]: what pinning a file needs of memory, allocated beforehand.

use crate::helpers;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    error::Error,
    prelude::*,
    sync::Arc, //
};

/// What [`PinnedFile::new`](super::PinnedFile::new) needs, for a caller that freezes a queue before
/// it: to allocate and to free it waits for locks of the kernel under which other tasks reclaim
/// memory, and they may wait for that queue.
///
/// It stays with its task. Dropping it sleeps.
///
/// # Invariants
///
/// `page` was mapped by `kx_user_page_map()` in the address space of the current task.
pub struct PinMemory {
    bios: Arc<BioSet>,
    page: usize,
    /// Neither `Send` nor `Sync`.
    _p: PhantomData<*mut ()>,
}

impl PinMemory {
    /// Allocates it. Sleeps; no queue may be frozen. Fails with ENOMEM, and with ESRCH in a task
    /// without an address space.
    pub fn new() -> Result<Self> {
        let bios = BioSet::new()?;
        // SAFETY: No requirements.
        let page = unsafe { helpers::kx_user_page_map() };
        if page as isize <= 0 && page as isize >= -(bindings::MAX_ERRNO as isize) {
            return Err(Error::from_errno(page as i32));
        }
        // INVARIANT: Mapped above.
        Ok(Self {
            bios,
            page,
            _p: PhantomData,
        })
    }

    pub(super) fn bios(&self) -> &Arc<BioSet> {
        &self.bios
    }

    pub(super) fn page(&self) -> usize {
        self.page
    }
}

impl Drop for PinMemory {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, and the value has not left its task.
        unsafe { helpers::kx_user_page_unmap(self.page) };
    }
}

/// Bios for requests that are split: wraps `struct bio_set`.
///
/// # Invariants
///
/// The pointer is to a bio set of `kx_bios_alloc()`, which `self` owns.
pub(super) struct BioSet(NonNull<bindings::bio_set>);

// SAFETY: Any task may allocate from and free a bio set.
unsafe impl Send for BioSet {}
// SAFETY: As above.
unsafe impl Sync for BioSet {}

impl BioSet {
    fn new() -> Result<Arc<Self>> {
        // SAFETY: No requirements.
        let bios = NonNull::new(unsafe { helpers::kx_bios_alloc() }).ok_or(ENOMEM)?;
        // INVARIANT: Allocated above.
        Ok(Arc::new(Self(bios), GFP_KERNEL)?)
    }

    pub(super) fn as_raw(&self) -> *mut bindings::bio_set {
        self.0.as_ptr()
    }
}

impl Drop for BioSet {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. All bios have been freed, as each is a part of a request
        // that has ended.
        unsafe { helpers::kx_bios_free(self.0.as_ptr()) };
    }
}
