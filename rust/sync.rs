// SPDX-License-Identifier: GPL-2.0

//! A mutex with a killable wait, a spinlock for data that interrupts use, and atomics without
//! calls.
//!
//! [`KillableMutex`] wraps `struct mutex` and [`IrqLock`] wraps `spinlock_t`. Each owns the value
//! that it protects. `kernel::sync` has no `mutex_lock_killable()`. [`ReadOnce`] is for `Atomic`.
//!
//! Series: 7.3 has `kernel::sync::SpinLockIrq`, 7.2 has no lock taken with `spin_lock_irqsave()`.
//!
//! # Examples
//!
//! ```
//! use kernel::prelude::*;
//! use kernel_ext::{
//!     block::mq::{
//!         DeviceData,
//!         Request,
//!         RequestList, //
//!     },
//!     new_irq_lock,
//!     new_killable_mutex,
//!     sync::{
//!         IrqLock,
//!         KillableMutex, //
//!     }, //
//! };
//!
//! #[pin_data]
//! struct Device<T: DeviceData> {
//!     #[pin]
//!     bound: KillableMutex<bool>,
//!     /// `io_done` adds requests, also in interrupts.
//!     #[pin]
//!     waiting: IrqLock<RequestList<T>>,
//! }
//!
//! impl<T: DeviceData> Device<T> {
//!     fn new() -> impl PinInit<Self> {
//!         pin_init!(Self {
//!             bound <- new_killable_mutex!(false, "example_bound"),
//!             waiting <- new_irq_lock!(RequestList::default(), "example_waiting"),
//!         })
//!     }
//!
//!     /// Sleeps. Fails with EBUSY, and with EINTR if the task is killed.
//!     fn bind(&self) -> Result {
//!         let mut bound = self.bound.lock_killable()?;
//!         if core::mem::replace(&mut *bound, true) {
//!             return Err(EBUSY);
//!         }
//!         Ok(())
//!     }
//!
//!     /// Any context.
//!     fn queue(&self, rq: Request<T>) {
//!         self.waiting.with(|waiting| waiting.push(rq));
//!     }
//!
//!     /// Fails the first request. Any context.
//!     fn fail_next(&self) {
//!         // End the request without the lock: that may complete requests above.
//!         if let Some(rq) = self.waiting.with(|waiting| waiting.pop()) {
//!             rq.end(Err(EIO));
//!         }
//!     }
//! }
//! ```
//!
//! C headers: [`include/linux/mutex.h`](srctree/include/linux/mutex.h),
//! [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h)

mod cache_line;
mod read_once;

pub(crate) use cache_line::CacheLine;
pub use read_once::ReadOnce;

use crate::helpers;
use core::{
    cell::UnsafeCell,
    ops::{
        Deref,
        DerefMut, //
    }, //
};
use kernel::{
    bindings,
    error::to_result,
    prelude::*,
    sync::LockClassKey,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// A value protected by a `struct mutex`, with `mutex_lock_killable()`.
///
/// # Invariants
///
/// `mutex` is initialised and pinned. `data` is accessed through a [`KillableGuard`] only.
#[pin_data]
pub struct KillableMutex<T> {
    #[pin]
    mutex: Opaque<bindings::mutex>,
    data: UnsafeCell<T>,
}

// SAFETY: The mutex owns the value, which may be sent.
unsafe impl<T: Send> Send for KillableMutex<T> {}
// SAFETY: By the type invariant one task at a time accesses the value.
unsafe impl<T: Send> Sync for KillableMutex<T> {}

impl<T> KillableMutex<T> {
    /// Creates a mutex; see [`new_killable_mutex!`](crate::new_killable_mutex).
    pub fn new(
        data: T,
        name: &'static CStr,
        key: Pin<&'static LockClassKey>,
    ) -> impl PinInit<Self> {
        pin_init!(Self {
            mutex <- Opaque::ffi_init(|slot| {
                // SAFETY: `slot` is valid and pinned, and the name and the key are static.
                unsafe { bindings::__mutex_init(slot, name.as_char_ptr(), key.as_ptr()) }
            }),
            data: UnsafeCell::new(data),
        })
    }

    /// Takes the mutex. Sleeps. Fails with EINTR if the task is killed.
    pub fn lock_killable(&self) -> Result<KillableGuard<'_, T>> {
        // SAFETY: By the type invariant the mutex is initialised.
        to_result(unsafe { helpers::kx_mutex_lock_killable(self.mutex.get()) })?;
        Ok(KillableGuard(self, NotThreadSafe))
    }

    /// Takes the mutex. Sleeps.
    pub fn lock(&self) -> KillableGuard<'_, T> {
        // SAFETY: By the type invariant the mutex is initialised.
        unsafe { bindings::mutex_lock(self.mutex.get()) };
        KillableGuard(self, NotThreadSafe)
    }
}

/// A locked [`KillableMutex`], unlocked when this is dropped.
///
/// # Invariants
///
/// The task that has the guard holds the mutex. The guard does not leave that task.
#[must_use]
pub struct KillableGuard<'a, T>(&'a KillableMutex<T>, NotThreadSafe);

// SAFETY: `&KillableGuard` gives access to `&T` only.
unsafe impl<T: Sync> Sync for KillableGuard<'_, T> {}

impl<T> Deref for KillableGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: By the type invariant the task holds the mutex.
        unsafe { &*self.0.data.get() }
    }
}

impl<T> DerefMut for KillableGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: By the type invariant the task holds the mutex, and `self` is borrowed mutably.
        unsafe { &mut *self.0.data.get() }
    }
}

impl<T> Drop for KillableGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant this task holds the mutex.
        unsafe { bindings::mutex_unlock(self.0.mutex.get()) };
    }
}

/// Creates a [`KillableMutex`] with its own lock class.
#[macro_export]
macro_rules! new_killable_mutex {
    ($data:expr, $name:literal $(,)?) => {
        $crate::sync::KillableMutex::new(
            $data,
            ::kernel::c_str!($name),
            ::kernel::static_lock_class!(),
        )
    };
}

/// A value protected by a `spinlock_t`, which is taken with interrupts disabled, so that interrupts
/// may use the value, too.
///
/// # Invariants
///
/// `lock` is initialised and pinned. `data` is accessed only by the CPU that holds the lock, with
/// interrupts disabled, and by one call of [`with`](Self::with) at a time.
#[pin_data]
pub struct IrqLock<T> {
    #[pin]
    lock: Opaque<bindings::spinlock_t>,
    /// Whether the lock is held. Without SMP a spinlock has no state, so that a nested call would
    /// get a second mutable reference to the value.
    #[cfg(not(CONFIG_SMP))]
    held: core::cell::Cell<bool>,
    data: UnsafeCell<T>,
}

// SAFETY: The lock owns the value, which may be sent.
unsafe impl<T: Send> Send for IrqLock<T> {}
// SAFETY: By the type invariant one CPU at a time accesses the value.
unsafe impl<T: Send> Sync for IrqLock<T> {}

impl<T> IrqLock<T> {
    /// Creates a lock; see [`new_irq_lock!`](crate::new_irq_lock).
    pub fn new(
        data: T,
        name: &'static CStr,
        key: Pin<&'static LockClassKey>,
    ) -> impl PinInit<Self> {
        pin_init!(Self {
            lock <- Opaque::ffi_init(|slot| {
                // SAFETY: `slot` is valid and pinned, and the name and the key are static.
                unsafe { bindings::__spin_lock_init(slot, name.as_char_ptr(), key.as_ptr()) }
            }),
            #[cfg(not(CONFIG_SMP))]
            held: core::cell::Cell::new(false),
            data: UnsafeCell::new(data),
        })
    }

    /// Calls `f` with the lock held: `spin_lock_irqsave()`. Any context.
    ///
    /// `f` must not sleep and must not take the same lock: a nested call deadlocks, or panics on a
    /// kernel without SMP.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: By the type invariant the lock is initialised.
        let flags = unsafe { helpers::kx_spin_lock_irqsave(self.lock.get()) };
        // Interrupts are disabled, so `held` is set only if this call is nested in `f` of another.
        #[cfg(not(CONFIG_SMP))]
        assert!(!self.held.replace(true));
        // SAFETY: This CPU holds the lock. No outer call does: without SMP by the assertion, and
        // with SMP taking the lock would not have returned.
        let ret = f(unsafe { &mut *self.data.get() });
        #[cfg(not(CONFIG_SMP))]
        self.held.set(false);
        // SAFETY: This CPU holds the lock, and the flags are those of taking it.
        unsafe { helpers::kx_spin_unlock_irqrestore(self.lock.get(), flags) };
        ret
    }
}

/// Creates an [`IrqLock`] with its own lock class.
#[macro_export]
macro_rules! new_irq_lock {
    ($data:expr, $name:literal $(,)?) => {
        $crate::sync::IrqLock::new(
            $data,
            ::kernel::c_str!($name),
            ::kernel::static_lock_class!(),
        )
    };
}
