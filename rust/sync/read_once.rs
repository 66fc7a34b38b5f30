// SPDX-License-Identifier: GPL-2.0

//! [`ReadOnce`]: relaxed accesses to an [`Atomic`] that are compiled in place.
//!
//! `Atomic::load()` calls a function of the kernel for each access. On the path of each request
//! that is several times the access itself.
//!
//! # Examples
//!
//! ```
//! use kernel::sync::atomic::Atomic;
//! use kernel_ext::sync::ReadOnce;
//!
//! /// How many requests are to be skipped. A race makes it less exact, no more.
//! struct Skip(Atomic<u32>);
//!
//! impl Skip {
//!     fn take(&self) -> bool {
//!         let left = self.0.read_once();
//!         if left > 0 {
//!             self.0.write_once(left - 1);
//!         }
//!         left > 0
//!     }
//! }
//! ```
//!
//! C header: [`include/asm-generic/rwonce.h`](srctree/include/asm-generic/rwonce.h)

use kernel::sync::atomic::{
    Atomic,
    AtomicType, //
};

/// Relaxed loads and stores: `READ_ONCE()` and `WRITE_ONCE()`. Any context.
pub trait ReadOnce {
    /// The type of the value.
    type Value;

    /// Loads the value as `load(Relaxed)` does.
    fn read_once(&self) -> Self::Value;

    /// Stores a value as `store(Relaxed)` does.
    fn write_once(&self, value: Self::Value);
}

impl<T: AtomicType> ReadOnce for Atomic<T> {
    type Value = T;

    #[inline(always)]
    fn read_once(&self) -> T {
        // SAFETY: `as_ptr()` is valid and aligned. All accesses to an `Atomic` are marked ones, and
        // a volatile one of this size is such an access in the kernel's memory model.
        unsafe { self.as_ptr().read_volatile() }
    }

    #[inline(always)]
    fn write_once(&self, value: T) {
        // SAFETY: As in `read_once`. Any value of the type may be stored.
        unsafe { self.as_ptr().write_volatile(value) };
    }
}
