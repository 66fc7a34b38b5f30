// SPDX-License-Identifier: GPL-2.0

//! Misc devices with a fixed minor.
//!
//! [`Registration`] owns a registered `struct miscdevice`. The device and the driver's data, on
//! which [`Operations`] is implemented, are shared with the open files. `kernel::miscdevice` always
//! takes a dynamic minor.
//!
//! # Examples
//!
//! ```
//! use kernel::{
//!     fmt,
//!     prelude::*,
//!     str::CString, //
//! };
//! use kernel_ext::miscdevice;
//!
//! struct Node;
//!
//! impl miscdevice::Operations for Node {
//!     fn ioctl(&self, cmd: u32, _arg: usize) -> Result<i32> {
//!         match cmd {
//!             0x4c82 => Ok(0),
//!             _ => Err(ENOTTY),
//!         }
//!     }
//! }
//!
//! let name = CString::try_from_fmt(fmt!("example-control"))?;
//! let _node = miscdevice::Registration::new(name, None, Node)?;
//! # Ok::<(), Error>(())
//! ```
//!
//! C header: [`include/linux/miscdevice.h`](srctree/include/linux/miscdevice.h)

use crate::{
    helpers,
    module::THIS_MODULE, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop, //
};
use kernel::{
    bindings,
    error::to_result,
    ffi::{
        c_int,
        c_long,
        c_uint,
        c_ulong, //
    },
    prelude::*,
    str::CString,
    sync::Arc,
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
    name: CString,
    data: T,
}

// SAFETY: Only the misc core changes `misc`, with a lock of its own, and the data is `Send`.
unsafe impl<T: Send> Send for Inner<T> {}
// SAFETY: As above, and the data is `Sync`.
unsafe impl<T: Sync> Sync for Inner<T> {}

/// A registered misc device, deregistered when this is dropped: wraps `struct miscdevice`.
///
/// Each open file has a reference to the data, which it may use for longer than the registration.
///
/// # Invariants
///
/// The device in `Inner` is registered. It does not move, and stays for as long as the registration
/// or a file that was opened on it.
pub struct Registration<T: Operations>(Arc<Inner<T>>);

impl<T: Operations> Registration<T> {
    /// Registers `/dev/<name>` with the given minor, or a dynamic one for `None`. Each open file
    /// keeps this module loaded. Sleeps.
    ///
    /// Fails with EBUSY if the minor is taken, and with ENOMEM.
    pub fn new(name: CString, minor: Option<u32>, data: T) -> Result<Self> {
        let mut misc: bindings::miscdevice = pin_init::zeroed();
        misc.minor = minor.unwrap_or(bindings::MISC_DYNAMIC_MINOR) as i32;
        misc.fops = Fops::<T>::build();
        let inner = Arc::new(
            Inner {
                misc: Opaque::new(misc),
                name,
                data,
            },
            GFP_KERNEL,
        )?;
        // SAFETY: The device is not registered yet, so no other task uses it. The name is on the
        // heap, and stays as long as the device.
        unsafe { (*inner.misc.get()).name = inner.name.as_char_ptr() };
        // SAFETY: The device and its name stay in place until `drop` has deregistered it.
        to_result(unsafe { bindings::misc_register(inner.misc.get()) })?;
        // INVARIANT: Registered just now.
        Ok(Self(inner))
    }

    /// Returns the data of the device. Any context.
    pub fn data(&self) -> &T {
        &self.0.data
    }
}

impl<T: Operations> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the device is registered. `misc_open()` holds the lock that
        // this takes until `open` has its reference.
        unsafe { bindings::misc_deregister(self.0.misc.get()) };
    }
}

/// The `struct file_operations` of a misc device with data `T`.
struct Fops<T: Operations>(PhantomData<T>);

impl<T: Operations> Fops<T> {
    /// # Safety
    ///
    /// For the misc core only. The caller must pass a `file` whose `->private_data` is the device
    /// of a [`Registration<T>`], which is not deregistered during the call.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `->private_data` is the address of `misc`, the first field of an `Inner<T>`, to
        // which the registration has a reference during the call.
        unsafe {
            let inner = ManuallyDrop::new(Arc::from_raw((*file).private_data.cast::<Inner<T>>()));
            (*file).private_data = Arc::into_raw(Arc::clone(&inner)).cast_mut().cast();
            bindings::nonseekable_open(inode, file)
        }
    }

    /// # Safety
    ///
    /// For the VFS only. The caller must pass a `file` that [`open`](Self::open) opened, and not
    /// use it again.
    unsafe extern "C" fn release(_inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `open` stored a reference, which passes to this call.
        drop(unsafe { Arc::from_raw((*file).private_data.cast::<Inner<T>>()) });
        0
    }

    /// `unlocked_ioctl` and `compat_ioctl`.
    ///
    /// # Safety
    ///
    /// For the VFS only. The caller must pass a `file` that [`open`](Self::open) opened.
    unsafe extern "C" fn ioctl(file: *mut bindings::file, cmd: c_uint, arg: c_ulong) -> c_long {
        // SAFETY: `open` stored a reference, which `release` drops.
        let inner = unsafe { &*(*file).private_data.cast::<Inner<T>>() };
        match inner.data.ioctl(cmd, arg) {
            Ok(value) => value as c_long,
            Err(e) => e.to_errno() as c_long,
        }
    }

    const VTABLE: bindings::file_operations = {
        let mut fops: bindings::file_operations = pin_init::zeroed();
        fops.owner = THIS_MODULE.as_ptr();
        fops.open = Some(Self::open);
        fops.release = Some(Self::release);
        fops.unlocked_ioctl = Some(Self::ioctl);
        fops.compat_ioctl = Some(Self::ioctl);
        fops.llseek = Some(helpers::kx_noop_llseek);
        fops
    };

    const fn build() -> &'static bindings::file_operations {
        &Self::VTABLE
    }
}
