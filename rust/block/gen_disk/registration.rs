// SPDX-License-Identifier: GPL-2.0

//! [`DiskRegistration`]: adding and deleting a disk.

use super::{
    data::DiskData,
    disk::Disk,
    fops::{
        FopsVTable,
        Operations, //
    },
    sysfs::Directory, //
};
use crate::{
    block::{
        limits::Limits,
        mq::TagSet, //
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

/// The configuration of a new disk.
pub struct DiskConfig<'a> {
    /// The name in /dev and /sys/block.
    pub name: fmt::Arguments<'a>,
    /// The major number, which must be registered.
    pub major: u32,
    /// The first minor number.
    pub minor: u32,
    /// The count of minor numbers: the first one is that of the disk, the others are those of its
    /// partitions. Further partitions get numbers of the extended range. At least 1, at most 256.
    pub minors: u32,
    /// Whether the kernel scans for partitions.
    pub partscan: bool,
    /// The initial limits of the queue.
    pub limits: Limits,
}

/// A disk that has been added, and can be opened until this is dropped.
///
/// Dropping it calls `del_gendisk()`, frees the tag set and calls `put_disk()`. It sleeps until no
/// request is in flight and no completion runs. `free_disk` frees the driver's data with the last
/// reference to the disk, which an opener may hold.
///
/// # Invariants
///
/// - `disk` was added with the operations of `T`, is not deleted, and satisfies the invariants of
///   [`Disk<T>`]. The registration owns the reference to it that `__blk_mq_alloc_disk()` returned.
/// - `tags` is the tag set of the queue of `disk`, and `Some` until `drop`.
pub struct DiskRegistration<T: Operations> {
    disk: *mut bindings::gendisk,
    /// The groups that the disk was added with: they stay in sysfs until it is deleted.
    _directory: Arc<Directory<T>>,
    /// Taken in `drop`, between `del_gendisk()` and `put_disk()`.
    tags: Option<Pin<KBox<TagSet<T>>>>,
}

// SAFETY: Any task may delete a disk.
unsafe impl<T: Operations> Send for DiskRegistration<T> {}
// SAFETY: `&DiskRegistration` only gives out `&Disk`, whose methods the block layer synchronises.
unsafe impl<T: Operations> Sync for DiskRegistration<T> {}

impl<T: Operations> DiskRegistration<T> {
    /// Allocates and adds a disk: `blk_mq_alloc_disk()` and `device_add_disk()`. Sleeps.
    ///
    /// The disk has `directory` in sysfs from the start. It reports media-change events, as a drive
    /// whose medium is inserted later. It does not throttle writeback (`wbt_lat_usec`) until a user
    /// enables that: the lower device throttles.
    ///
    /// Fails with ENOMEM, with EINVAL for a name, number or limit that the block layer refuses, and
    /// with the other errors of `device_add_disk()`.
    pub fn new(
        mut config: DiskConfig<'_>,
        directory: Arc<Directory<T>>,
        tags: Pin<KBox<TagSet<T>>>,
        device: Arc<T>,
    ) -> Result<Self> {
        let data = KBox::pin_init(DiskData::<T>::new(device), GFP_KERNEL)?;
        let queue_data = core::ptr::from_ref(&data.queue).cast_mut().cast();
        let data = data.into_foreign();
        let free_data = ScopeGuard::new(|| {
            // SAFETY: `data` came from `into_foreign` above, and no disk that was added has it on
            // this path.
            drop(unsafe { <Pin<KBox<DiskData<T>>>>::from_foreign(data) });
        });
        // SAFETY: The tag set is allocated, and `drop` frees it after the queue is last used. On
        // failure the queue goes first, as locals are dropped before the parameters.
        let disk = from_err_ptr(unsafe {
            bindings::__blk_mq_alloc_disk(
                tags.as_raw(),
                &mut config.limits.0,
                queue_data,
                static_lock_class!().as_ptr(),
            )
        })?;
        let put_disk = ScopeGuard::new_with_data(disk, |disk| {
            // SAFETY: The reference is the one of the allocation above. The disk is not added on
            // this path, so `free_disk` is not called.
            unsafe { bindings::put_disk(disk) };
        });

        // SAFETY: The disk is not added yet, so nothing else refers to it.
        let name = unsafe { &mut (*disk).disk_name };
        NullTerminatedFormatter::new(name)
            .ok_or(EINVAL)?
            .write_fmt(config.name)
            .map_err(|_| EINVAL)?;
        // SAFETY: As above. The major, the data and the operations are those of the same driver
        // `T`.
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
        // SAFETY: The disk is set up as the invariants of `Disk` demand, and its operations may be
        // called from here on. `directory` stays until the disk is deleted.
        to_result(unsafe {
            bindings::device_add_disk(core::ptr::null_mut(), disk, directory.as_raw().cast_mut())
        })?;
        put_disk.dismiss();
        free_data.dismiss();
        // INVARIANT: The disk was added with the operations of `T` and with `tags`, and the guard
        // no longer owns its reference.
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
        // SAFETY: By the type invariant; the registration holds a reference for as long as `self`.
        unsafe { Disk::from_raw(self.disk) }
    }
}

impl<T: Operations> Drop for DiskRegistration<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the disk was added and is not deleted yet.
        unsafe {
            self.data().group.close(self.disk);
            bindings::del_gendisk(self.disk);
        }
        // No request is in flight, but the completion of the last one may not have returned yet. It
        // uses the driver's data in an RCU read section that began before that request ended. Wait
        // for it.
        // SAFETY: No requirements but a context that may sleep.
        unsafe { bindings::synchronize_rcu_expedited() };
        self.queue().data().deferred().flush();
        self.queue().data().forget_tags();
        drop(self.tags.take());
        // SAFETY: By the type invariant the registration owns the reference. `free_disk` frees the
        // driver's data.
        unsafe { bindings::put_disk(self.disk) };
    }
}
