// SPDX-License-Identifier: GPL-2.0

//! A mutex that a killed task stops waiting for, and a spinlock that interrupts may take.
//!
//! C headers: [`include/linux/mutex.h`](srctree/include/linux/mutex.h),
//! [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h)

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

/// A `struct mutex` around a value, with `mutex_lock_killable()`.
#[pin_data]
pub struct KillableMutex<T> {
    #[pin]
    mutex: Opaque<bindings::mutex>,
    data: UnsafeCell<T>,
}

// SAFETY: The value moves with the mutex.
unsafe impl<T: Send> Send for KillableMutex<T> {}
// SAFETY: The mutex lets one task at a time reach the value.
unsafe impl<T: Send> Sync for KillableMutex<T> {}

impl<T> KillableMutex<T> {
    /// Makes one; see [`new_killable_mutex!`](crate::new_killable_mutex).
    pub fn new(
        data: T,
        name: &'static CStr,
        key: Pin<&'static LockClassKey>,
    ) -> impl PinInit<Self> {
        pin_init!(Self {
            mutex <- Opaque::ffi_init(|slot| {
                // SAFETY: `slot` is valid and pinned, name and key are static.
                unsafe { bindings::__mutex_init(slot, name.as_char_ptr(), key.as_ptr()) }
            }),
            data: UnsafeCell::new(data),
        })
    }

    /// Takes the mutex; fails with EINTR when the task is killed. Sleeps.
    pub fn lock_killable(&self) -> Result<KillableGuard<'_, T>> {
        // SAFETY: Initialised by `new`.
        to_result(unsafe { helpers::kx_mutex_lock_killable(self.mutex.get()) })?;
        Ok(KillableGuard(self, NotThreadSafe))
    }

    /// Takes the mutex. Sleeps.
    pub fn lock(&self) -> KillableGuard<'_, T> {
        // SAFETY: Initialised by `new`.
        unsafe { bindings::mutex_lock(self.mutex.get()) };
        KillableGuard(self, NotThreadSafe)
    }
}

/// The mutex is held.
#[must_use]
pub struct KillableGuard<'a, T>(&'a KillableMutex<T>, NotThreadSafe);

// SAFETY: `&KillableGuard` gives out `&T` and nothing else.
unsafe impl<T: Sync> Sync for KillableGuard<'_, T> {}

impl<T> Deref for KillableGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: The mutex is held.
        unsafe { &*self.0.data.get() }
    }
}

impl<T> DerefMut for KillableGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: The mutex is held, and `self` is borrowed mutably.
        unsafe { &mut *self.0.data.get() }
    }
}

impl<T> Drop for KillableGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: Held by this task.
        unsafe { bindings::mutex_unlock(self.0.mutex.get()) };
    }
}

/// Makes a [`KillableMutex`] with a lock class of its own.
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

/// A `spinlock_t` around a value, taken with interrupts off: for what interrupts use, too.
#[pin_data]
pub struct IrqLock<T> {
    #[pin]
    lock: Opaque<bindings::spinlock_t>,
    /// A kernel without SMP has no spinlocks, and a lock that is taken twice would be had twice.
    #[cfg(not(CONFIG_SMP))]
    held: core::cell::Cell<bool>,
    data: UnsafeCell<T>,
}

// SAFETY: The value moves with the lock.
unsafe impl<T: Send> Send for IrqLock<T> {}
// SAFETY: The lock lets one CPU at a time reach the value.
unsafe impl<T: Send> Sync for IrqLock<T> {}

impl<T> IrqLock<T> {
    /// Makes one; see [`new_irq_lock!`](crate::new_irq_lock).
    pub fn new(
        data: T,
        name: &'static CStr,
        key: Pin<&'static LockClassKey>,
    ) -> impl PinInit<Self> {
        pin_init!(Self {
            lock <- Opaque::ffi_init(|slot| {
                // SAFETY: `slot` is valid and pinned, name and key are static.
                unsafe { bindings::__spin_lock_init(slot, name.as_char_ptr(), key.as_ptr()) }
            }),
            #[cfg(not(CONFIG_SMP))]
            held: core::cell::Cell::new(false),
            data: UnsafeCell::new(data),
        })
    }

    /// Calls `f` with the lock held: `spin_lock_irqsave()`. Any context; `f` must not sleep, and must
    /// not take the lock again: that never returns, and is a panic where the kernel has no SMP.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: Initialised by `new`.
        let flags = unsafe { helpers::kx_spin_lock_irqsave(self.lock.get()) };
        // Interrupts are off, so only `f` of an outer call can be what has set it.
        #[cfg(not(CONFIG_SMP))]
        assert!(!self.held.replace(true));
        // SAFETY: The lock is held, and not by an outer call: see above, and with SMP that would not
        // have got here.
        let ret = f(unsafe { &mut *self.data.get() });
        #[cfg(not(CONFIG_SMP))]
        self.held.set(false);
        // SAFETY: Held by this CPU; the flags are those from before.
        unsafe { helpers::kx_spin_unlock_irqrestore(self.lock.get(), flags) };
        ret
    }
}

/// Makes an [`IrqLock`] with a lock class of its own.
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

/// Whether the current task has `CAP_SYS_ADMIN`. Any process context.
pub fn capable_sys_admin() -> bool {
    // SAFETY: No requirements.
    unsafe { helpers::kx_capable_sys_admin() }
}
