// SPDX-License-Identifier: GPL-2.0

//! [`DiskData`], the data of a `struct gendisk`, and its [`GroupSlot`].

use crate::{
    block::mq::{
        DeviceData,
        QueueData,
        Request, //
    },
    helpers, //
};
use core::{
    any::TypeId,
    mem, //
};
use kernel::{
    bindings,
    error::to_result,
    ffi::c_void,
    new_condvar,
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        CondVar,
        Mutex, //
    }, //
};

/// The data of a disk: `private_data` points to it, and `queuedata` of the queue to `queue`. The
/// disk owns it, and `free_disk` frees it.
#[pin_data]
#[repr(C)]
pub(super) struct DiskData<T: DeviceData> {
    /// The type `T`. The first field, so that it can be read without knowing `T`.
    driver: TypeId,
    #[pin]
    pub(super) queue: QueueData<T>,
    #[pin]
    pub(super) group: GroupSlot,
}

impl<T: DeviceData> DiskData<T> {
    pub(super) fn new(device: Arc<T>) -> impl PinInit<Self> {
        pin_init!(Self {
            driver: TypeId::of::<T>(),
            queue <- QueueData::new(device, Request::<T>::end_deferred),
            group <- GroupSlot::new(),
        })
    }

    /// Returns whether the data is that of the driver `T`.
    ///
    /// # Safety
    ///
    /// The caller must pass the `private_data` of a disk that a `DiskRegistration` added.
    pub(super) unsafe fn is_of_driver(private_data: *const c_void) -> bool {
        // SAFETY: The caller passes a `DiskData` of some driver, which begins with the type.
        unsafe { *private_data.cast::<TypeId>() == TypeId::of::<T>() }
    }
}

/// The attribute group that is added to a disk after the disk itself: at most one at a time.
///
/// `del_gendisk()` removes the directory of the disk in sysfs, after which the group can neither be
/// created nor removed. So [`close`](Self::close) removes it before. The slot keeps its operations
/// apart without a lock that is held while sysfs waits for callbacks.
///
/// # Invariants
///
/// - While `state` is `Busy`, one task creates or removes the group.
/// - `state` is `Present` while the group is on the disk, and the group is valid for that long.
/// - After `Closed` the group is not on the disk, and `state` does not change.
#[pin_data]
pub(super) struct GroupSlot {
    #[pin]
    state: Mutex<State>,
    /// Notified when `state` is no longer `Busy`.
    #[pin]
    idle: CondVar,
}

enum State {
    Empty,
    Busy,
    Present(Group),
    Closed,
}

struct Group(*const bindings::attribute_group);

// SAFETY: Any task may create and remove a group, which sysfs only reads.
unsafe impl Send for Group {}

impl GroupSlot {
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- new_mutex!(State::Empty, "disk_group"),
            idle <- new_condvar!("disk_group"),
        })
    }

    /// Waits for a creation or removal that is under way, and returns the state, which is `Busy`
    /// from now on unless it is `Closed`.
    fn begin(&self) -> State {
        let mut state = self.state.lock();
        while matches!(*state, State::Busy) {
            self.idle.wait(&mut state);
        }
        match &*state {
            State::Closed => State::Closed,
            _ => mem::replace(&mut *state, State::Busy),
        }
    }

    fn end(&self, new: State) {
        *self.state.lock() = new;
        self.idle.notify_all();
    }

    /// Creates `group` on `disk`: `sysfs_create_group()`. Sleeps. Fails with EEXIST if there is a
    /// group, ENODEV if the slot is closed or the disk is not yet added, and ENOMEM.
    ///
    /// # Safety
    ///
    /// The caller must pass the disk that the slot belongs to, and keep `group` valid until
    /// [`remove`](Self::remove) returns.
    pub(super) unsafe fn create(
        &self,
        disk: *mut bindings::gendisk,
        group: *const bindings::attribute_group,
    ) -> Result {
        match self.begin() {
            State::Closed => Err(ENODEV),
            State::Empty => {
                // SAFETY: The slot is not closed, so a live disk has its directory in sysfs, and
                // `close` waits for this call. The caller passes a valid group.
                let ret = unsafe {
                    if bindings::disk_live(disk) {
                        to_result(helpers::kx_disk_create_group(disk, group))
                    } else {
                        // An attribute may call this before the disk is added, which may yet fail.
                        Err(ENODEV)
                    }
                };
                self.end(match ret {
                    Ok(()) => State::Present(Group(group)),
                    Err(_) => State::Empty,
                });
                ret
            }
            other => {
                self.end(other);
                Err(EEXIST)
            }
        }
    }

    /// Removes the group, if `close` has not: `sysfs_remove_group()`. Waits for the callbacks of
    /// its attributes. Sleeps.
    ///
    /// # Safety
    ///
    /// The caller must pass the disk that the slot belongs to.
    pub(super) unsafe fn remove(&self, disk: *mut bindings::gendisk) {
        // SAFETY: By the caller.
        unsafe { self.take(disk, State::Empty) };
    }

    /// Removes the group, if there is one, and refuses to create another. For a disk that is about
    /// to be deleted. Sleeps.
    ///
    /// # Safety
    ///
    /// The caller must pass the disk that the slot belongs to, before it is deleted.
    pub(super) unsafe fn close(&self, disk: *mut bindings::gendisk) {
        // SAFETY: By the caller.
        unsafe { self.take(disk, State::Closed) };
    }

    /// Calls `f`, unless the slot is closed, and before it is closed. Sleeps.
    pub(super) fn unless_closed(&self, f: impl FnOnce()) {
        let state = self.state.lock();
        if !matches!(*state, State::Closed) {
            f();
        }
    }

    /// # Safety
    ///
    /// As [`Self::remove`].
    unsafe fn take(&self, disk: *mut bindings::gendisk, then: State) {
        match self.begin() {
            State::Closed => (),
            State::Present(group) => {
                // SAFETY: The slot was not closed, so the disk has its directory in sysfs, and
                // `close` waits for this call. By the type invariant the group is on the disk.
                unsafe { helpers::kx_disk_remove_group(disk, group.0) };
                self.end(then);
            }
            State::Empty | State::Busy => self.end(then),
        }
    }
}
