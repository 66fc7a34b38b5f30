// SPDX-License-Identifier: GPL-2.0

//! A disk's birth and death.

use super::{
    fops::FopsVTable,
    sysfs::Directory,
    Disk,
    Operations, //
};
use crate::{
    block::{
        limits::Limits,
        mq::{
            QueueData,
            TagSet, //
        }, //
    },
    helpers, //
};
use core::ops::Deref;
use kernel::{
    bindings,
    error::{
        from_err_ptr,
        to_result, //
    },
    fmt::{
        self,
        Write, //
    },
    prelude::*,
    str::NullTerminatedFormatter,
    sync::{
        static_lock_class,
        Arc, //
    },
    types::{
        ForeignOwnable,
        ScopeGuard, //
    }, //
};

/// How a disk is made.
pub struct DiskConfig<'a> {
    /// Its name in /dev and /sys/block.
    pub name: fmt::Arguments<'a>,
    /// Its major number, which must be registered.
    pub major: u32,
    /// Its first minor number.
    pub minor: u32,
    /// Its minor numbers: the first is its own, the others are its partitions'. Those that get none
    /// have numbers of the extended range. At least 1, at most 256.
    pub minors: u32,
    /// Whether partitions are scanned for.
    pub partscan: bool,
    /// The limits to begin with.
    pub limits: Limits,
}

/// A disk that can be opened, until this is dropped.
///
/// Dropping it is `del_gendisk()`, freeing the tags, and `put_disk()`: it sleeps until no request
/// is in flight and no completion runs. The driver's data goes when the last opener is gone.
pub struct DiskRegistration<T: Operations> {
    disk: *mut bindings::gendisk,
    /// The disk shows it until it is deleted.
    _directory: Arc<Directory<T>>,
    /// Dropped by hand: between `del_gendisk()` and `put_disk()`.
    tags: Option<Pin<KBox<TagSet<T>>>>,
}

// SAFETY: A disk may be deleted by any task.
unsafe impl<T: Operations> Send for DiskRegistration<T> {}
// SAFETY: `&DiskRegistration` gives out `&Disk`, whose methods are synchronised by the block layer.
unsafe impl<T: Operations> Sync for DiskRegistration<T> {}

impl<T: Operations> DiskRegistration<T> {
    /// Allocates the disk and shows it: `blk_mq_alloc_disk()` and `device_add_disk()`. Sleeps.
    ///
    /// It shows `directory` from the start. With media-change events, as for a drive whose medium comes
    /// later, and without throttling of writeback (`wbt_lat_usec`) until a user turns it on: what lies
    /// below does that.
    /// Fails with ENOMEM, or EINVAL for a name or number that the block layer doesn't take.
    pub fn new(
        mut config: DiskConfig<'_>,
        directory: Arc<Directory<T>>,
        tags: Pin<KBox<TagSet<T>>>,
        device: Arc<T>,
    ) -> Result<Self> {
        let data = KBox::pin_init(QueueData::<T>::new(device), GFP_KERNEL)?.into_foreign();
        let free_data = ScopeGuard::new(|| {
            // SAFETY: From `into_foreign` above; no disk has it on this path.
            drop(unsafe { <Pin<KBox<QueueData<T>>>>::from_foreign(data) });
        });
        // SAFETY: The tag set is valid and outlives the queue, see `drop`.
        let disk = from_err_ptr(unsafe {
            bindings::__blk_mq_alloc_disk(
                tags.as_raw(),
                &mut config.limits.0,
                data,
                static_lock_class!().as_ptr(),
            )
        })?;
        let put_disk = ScopeGuard::new_with_data(disk, |disk| {
            // SAFETY: Allocated above, and not added on this path: `free_disk` is not called.
            unsafe { bindings::put_disk(disk) };
        });

        // SAFETY: Nobody else has the disk before it is added.
        let name = unsafe { &mut (*disk).disk_name };
        NullTerminatedFormatter::new(name)
            .ok_or(EINVAL)?
            .write_fmt(config.name)
            .map_err(|_| EINVAL)?;
        // SAFETY: As above; the major, the data and the operations fit each other.
        unsafe {
            (*disk).major = config.major as i32;
            (*disk).first_minor = config.minor as i32;
            (*disk).minors = config.minors as i32;
            (*disk).private_data = data;
            (*disk).fops = FopsVTable::<T>::build();
            helpers::kx_disk_set_media_change_events(disk);
            helpers::kx_disk_set_partscan(disk, config.partscan);
            helpers::kx_disk_leave_wbt_off(disk);
        }
        // SAFETY: The disk is ready: from here its operations can be called. The directory stays until
        // it is deleted.
        to_result(unsafe {
            bindings::device_add_disk(core::ptr::null_mut(), disk, directory.as_raw().cast_mut())
        })?;
        put_disk.dismiss();
        free_data.dismiss();
        Ok(Self {
            disk,
            _directory: directory,
            tags: Some(tags),
        })
    }
}

impl<T: Operations> Deref for DiskRegistration<T> {
    type Target = Disk<T>;

    fn deref(&self) -> &Disk<T> {
        // SAFETY: The disk lives for as long as `self`, and is set up as the invariants say.
        unsafe { Disk::from_raw(self.disk) }
    }
}

impl<T: Operations> Drop for DiskRegistration<T> {
    fn drop(&mut self) {
        // SAFETY: Added by `new`; deleted only here.
        unsafe { bindings::del_gendisk(self.disk) };
        // No request is in flight, but completions may still be on their way back from the last one. A
        // read section of RCU that has begun before that one ended still has the driver's data.
        // SAFETY: No requirements but a context that may sleep.
        unsafe { bindings::synchronize_rcu_expedited() };
        self.queue_data().flush_deferred();
        drop(self.tags.take());
        // SAFETY: The reference that `new` got. `free_disk` frees the driver's data.
        unsafe { bindings::put_disk(self.disk) };
    }
}
