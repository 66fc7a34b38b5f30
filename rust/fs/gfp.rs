// SPDX-License-Identifier: GPL-2.0

//! Allocation mask of the page cache of a backing file.
//!
//! A driver owns one [`GfpTable`]. Each [`RestrictedGfp`] owns references to the table and to a
//! file, and restricts `->gfp_mask` of the file's `struct address_space` while it exists.
//!
//! C header: [`include/linux/pagemap.h`](srctree/include/linux/pagemap.h)

use super::backing::BackingFile;
use crate::{
    helpers,
    new_killable_mutex,
    sync::KillableMutex, //
};
use kernel::{
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    },
    sync::Arc, //
};

/// The restricted page caches, with the number of users of each: several devices may be bound to
/// one file.
#[pin_data]
pub struct GfpTable {
    #[pin]
    /// The key is the address of the `struct address_space`, which a [`RestrictedGfp`] keeps alive.
    entries: KillableMutex<RBTree<usize, Entry>>,
}

struct Entry {
    users: usize,
    /// The mask before the first user restricted it.
    old: u32,
}

impl GfpTable {
    /// Creates an empty table.
    pub fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            entries <- new_killable_mutex!(RBTree::new(), "gfp_table"),
        })
    }
}

/// Makes the page cache of a file allocate without `__GFP_IO` and `__GFP_FS`, until the last
/// restriction of that file is dropped. Wraps `mapping_set_gfp_mask()`.
///
/// Otherwise, reclaim in an allocation for the backing file would enter the device on top of it,
/// and that would wait for the allocation.
///
/// # Invariants
///
/// The entry of the file's `struct address_space` in `table` counts this user, and its `old` is the
/// mask before the first user. The mask lacks `__GFP_IO` and `__GFP_FS` until the count is 0.
pub struct RestrictedGfp {
    table: Arc<GfpTable>,
    file: BackingFile,
}

fn mapping(file: &BackingFile) -> usize {
    // SAFETY: By its type invariant `file` holds a reference.
    unsafe { helpers::kx_file_mapping_id(file.as_raw()) }
}

impl RestrictedGfp {
    /// Restricts the page cache of `file`. Sleeps. Fails with ENOMEM.
    pub fn new(table: &Arc<GfpTable>, file: &BackingFile) -> Result<Self> {
        let mut entries = table.entries.lock();
        let mapping = mapping(file);
        match entries.get_mut(&mapping) {
            Some(entry) => entry.users += 1,
            None => {
                let node = RBTreeNodeReservation::new(GFP_KERNEL)?;
                // SAFETY: By its type invariant `file` holds a reference. The table is locked.
                let old = unsafe { helpers::kx_file_restrict_gfp(file.as_raw()) };
                entries.insert(node.into_node(mapping, Entry { users: 1, old }));
            }
        }
        drop(entries);
        Ok(Self {
            table: table.clone(),
            file: file.clone(),
        })
    }
}

impl RestrictedGfp {
    /// Returns whether the page cache has several restrictions, each that of a device. Sleeps.
    pub fn is_shared(&self) -> bool {
        let mut entries = self.table.entries.lock();
        let entry = entries.get_mut(&mapping(&self.file));
        entry.is_some_and(|entry| entry.users > 1)
    }
}

impl Drop for RestrictedGfp {
    fn drop(&mut self) {
        let mut entries = self.table.entries.lock();
        let mapping = mapping(&self.file);
        let Some(entry) = entries.get_mut(&mapping) else {
            return;
        };
        entry.users -= 1;
        if entry.users == 0 {
            // SAFETY: By its type invariant `file` holds a reference, and by that of `self` the
            // mask was `old` before the first user. The table is locked.
            unsafe { helpers::kx_file_restore_gfp(self.file.as_raw(), entry.old) };
            entries.remove(&mapping);
        }
    }
}
