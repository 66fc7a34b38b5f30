// SPDX-License-Identifier: GPL-2.0

//! This module, and references to it.
//!
//! [`THIS_MODULE`] is the C macro of that name. [`ModuleRef`] owns a reference that keeps the
//! module loaded.
//!
//! C header: [`include/linux/module.h`](srctree/include/linux/module.h)

use kernel::{
    bindings,
    types::Opaque,
    ThisModule, //
};

#[allow(improper_ctypes)] // Empty structs of C.
extern "C" {
    static __this_module: Opaque<bindings::module>;
}

/// The module that this crate is linked into: `THIS_MODULE`.
///
/// The `THIS_MODULE` that `module!` defines differs in type and path between the supported series.
// SAFETY: modpost defines `__this_module`, which lives as long as the code that refers to it.
pub static THIS_MODULE: ThisModule = unsafe { ThisModule::from_ptr(__this_module.get()) };

/// A reference to this module, which keeps it loaded until it is dropped.
///
/// # Invariants
///
/// The value owns one reference to this module, taken with `__module_get()`.
pub struct ModuleRef(());

impl ModuleRef {
    /// Takes a reference with `__module_get()`. Any context.
    ///
    /// The module must be in use already, for example by an opener of its device. In the module's
    /// exit the reference does not prevent unloading.
    pub fn new() -> Self {
        // SAFETY: `THIS_MODULE` is the module of this code, which is loaded while its code runs.
        unsafe { bindings::__module_get(THIS_MODULE.as_ptr()) };
        Self(())
    }
}

impl Default for ModuleRef {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for ModuleRef {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the reference belongs to `self`.
        unsafe { bindings::module_put(THIS_MODULE.as_ptr()) };
    }
}
