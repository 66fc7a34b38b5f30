// SPDX-License-Identifier: GPL-2.0

//! References to a module.
//!
//! C header: [`include/linux/module.h`](srctree/include/linux/module.h)

use kernel::{bindings, ThisModule};

/// Keeps a module loaded until this is dropped.
pub struct ModuleRef(&'static ThisModule);

impl ModuleRef {
    /// Takes another reference to a module that is in use already, as by an opener of its device:
    /// `__module_get()`. Any context.
    pub fn new(module: &'static ThisModule) -> Self {
        // SAFETY: A `ThisModule` is a valid module, or null if built in, which C allows.
        unsafe { bindings::__module_get(module.as_ptr()) };
        Self(module)
    }
}

impl Drop for ModuleRef {
    fn drop(&mut self) {
        // SAFETY: The reference was taken by `new`.
        unsafe { bindings::module_put(self.0.as_ptr()) };
    }
}

// SAFETY: The count of a module may be changed by any task.
unsafe impl Send for ModuleRef {}
// SAFETY: `&ModuleRef` offers nothing.
unsafe impl Sync for ModuleRef {}
