// SPDX-License-Identifier: GPL-2.0

//! Misc devices with a minor of one's choice.
//!
//! The `kernel` crate's misc devices always get a dynamic minor.
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

/// What a misc device that only knows ioctls does; the type itself is its data.
pub trait Operations: Send + Sync + 'static {
    /// An ioctl, of a 64-bit or a 32-bit program alike. Sleeps. Returns the ioctl's value.
    fn ioctl(&self, cmd: u32, arg: usize) -> Result<i32>;
}

#[repr(C)]
struct Inner<T> {
    /// First, as `misc_open()` makes it the private data of the file.
    misc: Opaque<bindings::miscdevice>,
    fops: bindings::file_operations,
    name: CString,
    data: T,
}

/// A misc device that can be opened, until this is dropped: wraps `struct miscdevice`.
///
/// Who has it open keeps the module, not this: it is for the module's own data, which goes in the
/// module's exit, and for the end of its init, which must not fail behind it.
pub struct Registration<T: Operations>(Pin<KBox<Inner<T>>>);

// SAFETY: A misc device may be deregistered by any task, and its data is `Send`.
unsafe impl<T: Operations> Send for Registration<T> {}
// SAFETY: `&Registration` only gives out the data, which is `Sync`.
unsafe impl<T: Operations> Sync for Registration<T> {}

impl<T: Operations> Registration<T> {
    /// Registers `/dev/<name>`, whose openers keep this module loaded, with the given minor, or a dynamic one for `None`. Sleeps.
    ///
    /// Fails with EBUSY if the minor is taken.
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
        // SAFETY: Not registered yet, so it is ours alone; all that it names stays in the box.
        unsafe {
            (*inner.misc.get()).name = inner.name.as_char_ptr();
            (*inner.misc.get()).fops = &inner.fops;
        }
        // SAFETY: The device and all that it names stay in place until `drop`.
        to_result(unsafe { bindings::misc_register(inner.misc.get()) })?;
        Ok(Self(KBox::into_pin(inner)))
    }

    /// The data of the device.
    pub fn data(&self) -> &T {
        &self.0.data
    }

    /// # Safety
    ///
    /// For the VFS only: `file` is open on a device that `new` registered.
    unsafe extern "C" fn ioctl(file: *mut bindings::file, cmd: c_uint, arg: c_ulong) -> c_long {
        // SAFETY: `misc_open()` put the device there, which is the first field of `Inner<T>`. The
        // open file keeps the module, and until that goes the registration is not dropped, see there.
        let inner = unsafe { &*(*file).private_data.cast::<Inner<T>>() };
        match inner.data.ioctl(cmd, arg) {
            Ok(value) => value as c_long,
            Err(e) => e.to_errno() as c_long,
        }
    }
}

impl<T: Operations> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: Registered by `new`.
        unsafe { bindings::misc_deregister(self.0.misc.get()) };
    }
}
