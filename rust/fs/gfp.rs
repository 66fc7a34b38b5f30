// SPDX-License-Identifier: GPL-2.0

//! How the page cache of a backing file allocates.
//!
//! C header: [`include/linux/pagemap.h`](srctree/include/linux/pagemap.h)

use super::BackingFile;
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

/// The page caches that are restricted, and how often: several devices may have one file.
#[pin_data]
pub struct GfpTable {
    #[pin]
    /// By the address of the `struct address_space`, which a [`RestrictedGfp`] keeps alive.
    entries: KillableMutex<RBTree<usize, Entry>>,
}

struct Entry {
    users: usize,
    /// The mask before the first of them.
    old: u32,
}

impl GfpTable {
    /// An empty table.
    pub fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            entries <- new_killable_mutex!(RBTree::new(), "gfp_table"),
        })
    }
}

/// The page cache of a file allocates without `__GFP_IO` and `__GFP_FS` until the last of these for
/// it is dropped.
///
/// Or reclaim on behalf of the backing file would enter the device on top of it and wait for
/// itself. Wraps `mapping_set_gfp_mask()`.
pub struct RestrictedGfp {
    table: Arc<GfpTable>,
    file: BackingFile,
}

fn mapping(file: &BackingFile) -> usize {
    // SAFETY: We hold a reference to the file.
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
                // SAFETY: We hold a reference to the file.
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

impl Drop for RestrictedGfp {
    fn drop(&mut self) {
        let mut entries = self.table.entries.lock();
        let mapping = mapping(&self.file);
        let Some(entry) = entries.get_mut(&mapping) else {
            return;
        };
        entry.users -= 1;
        if entry.users == 0 {
            // SAFETY: We hold a reference to the file, whose mask was this before the first user.
            unsafe { helpers::kx_file_restore_gfp(self.file.as_raw(), entry.old) };
            entries.remove(&mapping);
        }
    }
}
