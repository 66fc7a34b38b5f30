// SPDX-License-Identifier: GPL-2.0

//! This module, and references to it.
//!
//! [`THIS_MODULE`] is the C macro of that name. [`ModuleRef`] owns a reference that keeps the
//! module loaded. In code that is built into the kernel the pointer is null, and a reference keeps
//! nothing.
//!
//! # Examples
//!
//! ```
//! use kernel::prelude::*;
//! use kernel_ext::{
//!     fs::BackingFile,
//!     module::ModuleRef, //
//! };
//!
//! /// A file that a device is bound to. The module can't be unloaded until this is dropped.
//! struct Bound {
//!     file: BackingFile,
//!     _module: ModuleRef,
//! }
//!
//! /// Takes the file of an ioctl, whose opener keeps the module loaded until this returns.
//! fn bind(fd: u32) -> Result<Bound> {
//!     Ok(Bound {
//!         file: BackingFile::from_fd(fd)?,
//!         _module: ModuleRef::new()?,
//!     })
//! }
//! ```
//!
//! C header: [`include/linux/module.h`](srctree/include/linux/module.h)

#[cfg(MODULE)]
use kernel::types::Opaque;
use kernel::{
    bindings,
    prelude::*,
    ThisModule, //
};

#[cfg(MODULE)]
#[expect(improper_ctypes)] // Empty structs of C.
extern "C" {
    static __this_module: Opaque<bindings::module>;
}

/// The module that this crate is linked into: `THIS_MODULE`. Null if it is built into the kernel.
///
/// Series: the `THIS_MODULE` that `module!` defines is of another type and path in 7.3.
// SAFETY: modpost defines `__this_module`, which lives as long as the code that refers to it.
#[cfg(MODULE)]
pub static THIS_MODULE: ThisModule = unsafe { ThisModule::from_ptr(__this_module.get()) };

/// `THIS_MODULE` of code that is built into the kernel.
// SAFETY: The C macro is NULL there, too.
#[cfg(not(MODULE))]
pub static THIS_MODULE: ThisModule = unsafe { ThisModule::from_ptr(core::ptr::null_mut()) };

/// The name of the module, as a literal: `KBUILD_MODNAME`.
#[doc(hidden)]
#[macro_export]
macro_rules! module_name {
    () => {
        "rloop"
    };
}

/// A reference to this module, which keeps it loaded until it is dropped.
///
/// # Invariants
///
/// The value owns one reference to this module, taken with `try_module_get()`.
pub struct ModuleRef(());

impl ModuleRef {
    /// Takes a reference: `try_module_get()`. Any context. Fails with ENODEV if the module is being
    /// unloaded, which an opener of its device prevents.
    pub fn new() -> Result<Self> {
        // SAFETY: `THIS_MODULE` is null or the module of this code, which is loaded while its code
        // runs.
        if unsafe { bindings::try_module_get(THIS_MODULE.as_ptr()) } {
            Ok(Self(()))
        } else {
            Err(ENODEV)
        }
    }
}

impl Drop for ModuleRef {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the reference belongs to `self`.
        unsafe { bindings::module_put(THIS_MODULE.as_ptr()) };
    }
}
