// SPDX-License-Identifier: GPL-2.0

//! This module, and references to it.
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
/// The one that `module!` makes is of another kind and in another place in each series.
// SAFETY: modpost makes `__this_module`, which lives as long as the code that names it.
pub static THIS_MODULE: ThisModule = unsafe { ThisModule::from_ptr(__this_module.get()) };

/// Keeps this module loaded until it is dropped.
pub struct ModuleRef(());

impl ModuleRef {
    /// Takes another reference where the module is in use already, as by an opener of its device:
    /// `__module_get()`. Any context. In the module's exit it keeps nothing.
    pub fn new() -> Self {
        // SAFETY: It is our own module, which is there while its code runs.
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
        // SAFETY: The reference was taken by `new`.
        unsafe { bindings::module_put(THIS_MODULE.as_ptr()) };
    }
}
