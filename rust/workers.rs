// SPDX-License-Identifier: GPL-2.0

//! The workers of an object: work items of its own, told apart by their numbers.
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

/// What has workers.
pub trait WorkArrayOps: Send + Sync + Sized + 'static {
    /// Does what there is to do for the worker of this number. May sleep.
    fn work(this: &Arc<Self>, number: usize);
}

/// So many workers: an array of `struct work_struct`.
///
/// # Invariants
///
/// `owner` of an item is null, or came from [`Arc::into_raw`] and holds that reference. An item that
/// is queued holds one to the array.
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

// SAFETY: Work items may be used by any task, and owners may be sent and shared.
unsafe impl<T: WorkArrayOps, const N: usize> Send for WorkArray<T, N> {}
// SAFETY: Items are changed by the workqueue, which synchronises that, and by atomics.
unsafe impl<T: WorkArrayOps, const N: usize> Sync for WorkArray<T, N> {}

impl<T: WorkArrayOps, const N: usize> WorkArray<T, N> {
    /// Sleeps. Fails with ENOMEM.
    pub fn new() -> Result<Arc<Self>> {
        let init = pin_init!(Self {
            items <- Opaque::ffi_init(|slot: *mut [Item<T>; N]| {
                for number in 0..N {
                    // SAFETY: `slot` is valid for `N` items, which stay where they are.
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

    /// Queues the item `number`, so that [`WorkArrayOps::work`] is called for `owner`: `queue_work()`. An item
    /// that runs is called again after that, in the same thread; an item that is queued already is called
    /// once, for the owner that it was queued with. Any context.
    pub fn start(this: &Arc<Self>, number: usize, owner: &Arc<T>, wq: &Workqueue) {
        if number >= N {
            return;
        }
        // SAFETY: The array has so many, all initialised by `new`.
        let item = unsafe { this.items.get().cast::<Item<T>>().add(number) };
        let new = Arc::into_raw(owner.clone()).cast_mut();
        // SAFETY: As above.
        if unsafe { (*item).owner.cmpxchg(ptr::null_mut(), new, Full) }.is_err() {
            // Not the last one, as the caller has another.
            // SAFETY: It came from `into_raw` above and was not stored.
            drop(unsafe { Arc::from_raw(new) });
        }
        let kept = Arc::into_raw(this.clone());
        // SAFETY: Initialised, and while it is queued the reference above keeps it.
        if !unsafe { helpers::kx_queue_work(wq.as_raw(), &raw mut (*item).work) } {
            // Not the last one, as above.
            // SAFETY: The item was queued already, with a reference of its own.
            drop(unsafe { Arc::from_raw(kept) });
        }
    }

    /// Waits until none is at work or called: `flush_work()`. Sleeps.
    pub fn flush(&self) {
        for number in 0..N {
            // SAFETY: The array has so many, all initialised by `new`.
            unsafe {
                let item = self.items.get().cast::<Item<T>>().add(number);
                bindings::flush_work(&raw mut (*item).work);
            }
        }
    }

    /// # Safety
    ///
    /// For the workqueue only: `work` is that of an item that [`start`](Self::start) queued.
    unsafe extern "C" fn callback(work: *mut bindings::work_struct) {
        let item: *mut Item<T> = work.cast();
        // SAFETY: The work item comes first in an `Item`, which is the one of its number in an array,
        // over which `Opaque` is transparent, in a `Self`. `start` left us a reference to that.
        let (this, number) = unsafe {
            let number = (*item).number;
            let items = item.sub(number).cast::<Opaque<[Item<T>; N]>>();
            let this: *mut Self = container_of!(items, Self, items);
            (Arc::from_raw(this.cast_const()), number)
        };
        // SAFETY: It is there for as long as `this`.
        let owner = unsafe { (*item).owner.xchg(ptr::null_mut(), Full) };
        // None if it was started again just before it took the owner for the first time.
        if !owner.is_null() {
            // SAFETY: By the invariant the reference is ours now.
            let owner = unsafe { Arc::from_raw(owner) };
            T::work(&owner, number);
        }
        drop(this);
    }
}
