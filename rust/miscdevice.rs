// SPDX-License-Identifier: GPL-2.0

//! Misc devices with a fixed minor.
//!
//! [`Registration`] owns a `struct miscdevice`, its `struct file_operations` and the driver's data,
//! on which [`Operations`] is implemented. `kernel::miscdevice` always takes a dynamic minor.
//!
//! C header: [`include/linux/miscdevice.h`](srctree/include/linux/miscdevice.h)

use crate::{
    helpers,
    module::THIS_MODULE, //
};
use kernel::{
    bindings,
    error::to_result,
    ffi::{
        c_long,
        c_uint,
        c_ulong, //
    },
    prelude::*,
    str::CString,
    types::Opaque, //
};

/// The operations of a misc device that has only ioctls. The implementing type is the device's
/// data.
pub trait Operations: Send + Sync + 'static {
    /// Handles an ioctl of a 64-bit or a 32-bit program. Returns the ioctl's value. Sleeps.
    fn ioctl(&self, cmd: u32, arg: usize) -> Result<i32>;
}

#[repr(C)]
struct Inner<T> {
    /// The first field, as `misc_open()` stores its address in `->private_data` of the file.
    misc: Opaque<bindings::miscdevice>,
    fops: bindings::file_operations,
    name: CString,
    data: T,
}

/// A registered misc device, deregistered when this is dropped: wraps `struct miscdevice`.
///
/// An open file holds a reference to the module, not to the registration. So the module's data must
/// own the registration and drop it in the module's exit, and after [`new`](Self::new) the module's
/// init must not fail.
///
/// # Invariants
///
/// The device is registered. It and all that it points to stay in place until `drop`, and no file
/// is open on it then.
pub struct Registration<T: Operations>(Pin<KBox<Inner<T>>>);

// SAFETY: Any task may deregister a misc device, and its data is `Send`.
unsafe impl<T: Operations> Send for Registration<T> {}
// SAFETY: `&Registration` gives access to the data only, which is `Sync`.
unsafe impl<T: Operations> Sync for Registration<T> {}

impl<T: Operations> Registration<T> {
    /// Registers `/dev/<name>` with the given minor, or a dynamic one for `None`. Each open file
    /// keeps this module loaded. Sleeps.
    ///
    /// Fails with EBUSY if the minor is taken, and with ENOMEM.
    pub fn new(name: CString, minor: Option<u32>, data: T) -> Result<Self> {
        let mut fops: bindings::file_operations = pin_init::zeroed();
        fops.owner = THIS_MODULE.as_ptr();
        fops.open = Some(bindings::nonseekable_open);
        fops.unlocked_ioctl = Some(Self::ioctl);
        fops.compat_ioctl = Some(Self::ioctl);
        fops.llseek = Some(helpers::kx_noop_llseek);

        let mut misc: bindings::miscdevice = pin_init::zeroed();
        misc.minor = minor.unwrap_or(bindings::MISC_DYNAMIC_MINOR) as i32;
        let inner = KBox::new(
            Inner {
                misc: Opaque::new(misc),
                fops,
                name,
                data,
            },
            GFP_KERNEL,
        )?;
        // SAFETY: The device is not registered yet, so no other task uses it. All that it points to
        // stays in the box.
        unsafe {
            (*inner.misc.get()).name = inner.name.as_char_ptr();
            (*inner.misc.get()).fops = &inner.fops;
        }
        // SAFETY: The device and all that it points to stay in place until `drop`.
        to_result(unsafe { bindings::misc_register(inner.misc.get()) })?;
        Ok(Self(KBox::into_pin(inner)))
    }

    /// Returns the data of the device.
    pub fn data(&self) -> &T {
        &self.0.data
    }

    /// `unlocked_ioctl` and `compat_ioctl`.
    ///
    /// # Safety
    ///
    /// - The caller must be the VFS.
    /// - `file` must be open on a device that [`new`](Self::new) registered.
    unsafe extern "C" fn ioctl(file: *mut bindings::file, cmd: c_uint, arg: c_ulong) -> c_long {
        // SAFETY: `misc_open()` stored the address of `misc`, the first field of `Inner<T>`. The
        // open file keeps the module loaded, so by the type invariant of `Registration` the device
        // is still registered.
        let inner = unsafe { &*(*file).private_data.cast::<Inner<T>>() };
        match inner.data.ioctl(cmd, arg) {
            Ok(value) => value as c_long,
            Err(e) => e.to_errno() as c_long,
        }
    }
}

impl<T: Operations> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the device is registered.
        unsafe { bindings::misc_deregister(self.0.misc.get()) };
    }
}
