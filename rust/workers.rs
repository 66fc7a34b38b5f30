// SPDX-License-Identifier: GPL-2.0

//! Numbered workers of an object.
//!
//! A [`WorkArray`] owns an array of `struct work_struct`. The driver queues an item by its number
//! to a [`Workqueue`], for an object that implements [`WorkArrayOps`]. A queued item holds a
//! reference to the array and one to the object.
//!
//! # Examples
//!
//! ```
//! use kernel::{
//!     prelude::*,
//!     sync::{
//!         atomic::{
//!             Atomic,
//!             Full, //
//!         },
//!         Arc, //
//!     }, //
//! };
//! use kernel_ext::{
//!     workers::{
//!         WorkArray,
//!         WorkArrayOps, //
//!     },
//!     workqueue::{
//!         Priority,
//!         Workqueue, //
//!     }, //
//! };
//!
//! const WORKERS: usize = 4;
//!
//! /// A device with a count of pending commands for each worker.
//! struct Device {
//!     pending: [Atomic<u32>; WORKERS],
//! }
//!
//! impl WorkArrayOps for Device {
//!     fn work(this: &Arc<Self>, number: usize) {
//!         // Take all commands: a worker that is started several times before it runs, runs once.
//!         let commands = this.pending[number].xchg(0, Full);
//!         for _ in 0..commands {
//!             // Serve a command here.
//!         }
//!     }
//! }
//!
//! /// Adds a command for worker 2. Any context.
//! fn queue(device: &Arc<Device>, workers: &Arc<WorkArray<Device, WORKERS>>, wq: &Workqueue) {
//!     // `Full`: counted before `start` reads whether the item is queued.
//!     device.pending[2].fetch_add(1, Full);
//!     WorkArray::start(workers, 2, device, wq);
//! }
//!
//! let workers = WorkArray::<Device, WORKERS>::new()?;
//! let wq = Workqueue::new(fmt!("example"), Priority::Normal)?;
//! # let pending = [const { Atomic::new(0) }; WORKERS];
//! let device = Arc::new(Device { pending }, GFP_KERNEL)?;
//! queue(&device, &workers, &wq);
//! workers.flush();
//! # Ok::<(), Error>(())
//! ```
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use crate::{
    helpers,
    workqueue::Workqueue, //
};
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::{
    bindings,
    container_of,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full, //
        },
        Arc, //
    },
    types::Opaque, //
};

/// The operations of an object with workers.
pub trait WorkArrayOps: Send + Sync + Sized + 'static {
    /// Does the work of worker `number`. May sleep.
    fn work(this: &Arc<Self>, number: usize);
}

/// `N` work items: an array of `struct work_struct`.
///
/// # Invariants
///
/// - The array has `N` items, all initialised, each with its index as `number`.
/// - `owner` of an item is null, or came from [`Arc::into_raw`] and holds that reference.
/// - An item that is queued, or whose callback has not started yet, holds a reference to the array.
#[pin_data]
pub struct WorkArray<T: WorkArrayOps, const N: usize> {
    #[pin]
    items: Opaque<[Item<T>; N]>,
    _p: PhantomData<T>,
}

#[repr(C)]
struct Item<T> {
    work: bindings::work_struct,
    owner: Atomic<*mut T>,
    number: usize,
}

// SAFETY: Any task may queue work items, and owners may be sent and shared.
unsafe impl<T: WorkArrayOps, const N: usize> Send for WorkArray<T, N> {}
// SAFETY: Only the workqueue changes `work`, with its own synchronisation, and `owner` is atomic.
unsafe impl<T: WorkArrayOps, const N: usize> Sync for WorkArray<T, N> {}

impl<T: WorkArrayOps, const N: usize> WorkArray<T, N> {
    /// Allocates an array with `N` idle items. Sleeps. Fails with ENOMEM.
    pub fn new() -> Result<Arc<Self>> {
        let init = pin_init!(Self {
            items <- Opaque::ffi_init(|slot: *mut [Item<T>; N]| {
                for number in 0..N {
                    // SAFETY: `slot` is valid for `N` items, which stay in place.
                    unsafe {
                        let item = slot.cast::<Item<T>>().add(number);
                        helpers::kx_init_work(&raw mut (*item).work, Self::callback);
                        (&raw mut (*item).owner).write(Atomic::new(ptr::null_mut()));
                        (&raw mut (*item).number).write(number);
                    }
                }
            }),
            _p: PhantomData,
        });
        Arc::pin_init(init, GFP_KERNEL)
    }

    /// Queues item `number` with `queue_work()`, so that [`WorkArrayOps::work`] is called for
    /// `owner`.
    ///
    /// If the item is running, it runs once more afterwards, in the same thread. If it is queued
    /// already, it runs once, for the owner that it was queued with. Ignores a number that is not
    /// below `N`. Any context.
    pub fn start(this: &Arc<Self>, number: usize, owner: &Arc<T>, wq: &Workqueue) {
        if number >= N {
            return;
        }
        // SAFETY: By the type invariant, as `number` is below `N`.
        let item = unsafe { this.items.get().cast::<Item<T>>().add(number) };
        let new = Arc::into_raw(owner.clone()).cast_mut();
        // SAFETY: As above.
        let place = unsafe { &(*item).owner };
        // A callback that takes the owner later must find what the caller has stored before. A
        // failed cmpxchg orders nothing, so an owner that is there is replaced by itself.
        let mut queued: *mut T = ptr::null_mut();
        loop {
            let owner = if queued.is_null() { new } else { queued };
            match place.cmpxchg(queued, owner, Full) {
                Ok(_) => break,
                Err(now) => queued = now,
            }
        }
        if !queued.is_null() {
            // This is not the last reference, as the caller has another.
            // SAFETY: The pointer came from `into_raw` above and was not stored.
            drop(unsafe { Arc::from_raw(new) });
        }
        let kept = Arc::into_raw(this.clone());
        // SAFETY: By the type invariant the item is initialised. The reference in `kept` keeps it
        // valid while it is queued.
        if !unsafe { helpers::kx_queue_work(wq.as_raw(), &raw mut (*item).work) } {
            // This is not the last reference, as the caller has another.
            // SAFETY: The item was queued already and has a reference of its own, so `kept` was not
            // stored.
            drop(unsafe { Arc::from_raw(kept) });
        }
    }

    /// Waits until no item is queued or running: `flush_work()`. Sleeps.
    pub fn flush(&self) {
        for number in 0..N {
            // SAFETY: By the type invariant the array has `N` items, all initialised.
            unsafe {
                let item = self.items.get().cast::<Item<T>>().add(number);
                bindings::flush_work(&raw mut (*item).work);
            }
        }
    }

    /// The function of each work item.
    ///
    /// # Safety
    ///
    /// - The caller must be the workqueue.
    /// - `work` must be that of an item that [`start`](Self::start) queued.
    unsafe extern "C" fn callback(work: *mut bindings::work_struct) {
        let item: *mut Item<T> = work.cast();
        // SAFETY: `work` is the first field of an `Item`, which is item `number` of the array in a
        // `Self`; `Opaque` is transparent over that array. By the type invariant the item has a
        // reference to the array, which passes to `this`.
        let (this, number) = unsafe {
            let number = (*item).number;
            let items = item.sub(number).cast::<Opaque<[Item<T>; N]>>();
            let this: *mut Self = container_of!(items, Self, items);
            (Arc::from_raw(this.cast_const()), number)
        };
        // SAFETY: `this` keeps the item valid.
        let owner = unsafe { (*item).owner.xchg(ptr::null_mut(), Full) };
        // The owner is null if `start` queued the item again before the previous run took the
        // owner. That run served both.
        if !owner.is_null() {
            // SAFETY: By the type invariant the pointer holds a reference, which `xchg` moved here.
            let owner = unsafe { Arc::from_raw(owner) };
            T::work(&owner, number);
        }
        drop(this);
    }
}
