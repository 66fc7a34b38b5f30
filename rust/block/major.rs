// SPDX-License-Identifier: GPL-2.0

//! Block major numbers.
//!
//! [`MajorRegistration`] is a registered major (`__register_blkdev()`). The driver owns it, and
//! dropping it unregisters the major. [`Probe`] is the `probe` callback of `__register_blkdev()`,
//! which makes disks on demand; the registration holds a reference to the type that implements it.
//!
//! # Examples
//!
//! ```
//! use kernel::{
//!     prelude::*,
//!     str::CString,
//!     sync::Arc, //
//! };
//! use kernel_ext::block::major::{
//!     MajorRegistration,
//!     Probe, //
//! };
//!
//! struct Control {
//!     max_disks: u32,
//! }
//!
//! # impl Control {
//! #     fn add_disk(&self, _number: u32) -> Result {
//! #         Ok(())
//! #     }
//! # }
//! #
//! impl Probe for Control {
//!     fn probe(&self, minor: u32) {
//!         if minor < self.max_disks {
//!             // On an error there is no disk, and the open fails with ENXIO.
//!             let _ = self.add_disk(minor);
//!         }
//!     }
//! }
//!
//! let mut major = MajorRegistration::new(0, CString::try_from_fmt(fmt!("example"))?)?;
//! let control = Arc::new(Control { max_disks: 8 }, GFP_KERNEL)?;
//! // The disks need `major.number()`. Until this call an open of a node adds no disk.
//! major.probe_with(control);
//! # Ok::<(), Error>(())
//! ```
//!
//! C header: [`include/linux/blkdev.h`](srctree/include/linux/blkdev.h)

use crate::helpers;
use core::ptr;
use kernel::{
    bindings,
    error::Error,
    ffi::c_void,
    prelude::*,
    str::CString,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        Arc, //
    }, //
};

/// The callback for opens of device nodes that have no disk: `probe` of `__register_blkdev()`.
pub trait Probe: Send + Sync + 'static {
    /// Handles the open of a node with minor `minor` that has no disk. An implementation may add
    /// that disk. Sleeps; `major_names_lock` is held, so a major can be neither registered nor
    /// unregistered here.
    fn probe(&self, minor: u32);
}

/// Whether the module has a registration. `probe` has no argument for the driver, so a module can
/// have only one.
static TAKEN: Atomic<bool> = Atomic::new(false);

/// The [`Probe`] that is called, or null.
static PROBED: Atomic<*mut c_void> = Atomic::new(ptr::null_mut());

/// A registered block major: wraps `__register_blkdev()`.
///
/// Dropping it unregisters the major and sleeps.
///
/// # Invariants
///
/// - It is the only one of the module, and [`TAKEN`] is set.
/// - `major` is registered under `name`.
/// - While the major is registered, [`PROBED`] is the pointer of `probed`, or null if that is
///   `None`.
pub struct MajorRegistration<P: Probe> {
    major: u32,
    name: CString,
    probed: Option<Arc<P>>,
}

impl<P: Probe> MajorRegistration<P> {
    /// Registers `major` under `name`, or a free major if it is 0. Sleeps.
    ///
    /// Fails with EBUSY if the major is registered, none is free, or the module has a registration;
    /// with EINVAL for a major that is too large or a name of more than 15 bytes; and with ENOMEM.
    pub fn new(major: u32, name: CString) -> Result<Self> {
        // `__register_blkdev()` would truncate a longer name, and `unregister_blkdev()` not find
        // it.
        if name.to_bytes().len() > 15 {
            return Err(EINVAL);
        }
        if TAKEN.xchg(true, Acquire) {
            return Err(EBUSY);
        }
        // SAFETY: `__register_blkdev()` copies `name`. The callback stays valid: the module
        // unregisters the major, by dropping the registration, before it is unloaded.
        let ret = unsafe {
            bindings::__register_blkdev(major, name.as_char_ptr(), Some(Self::probe_callback))
        };
        if ret < 0 {
            TAKEN.store(false, Release);
            return Err(Error::from_errno(ret));
        }
        Ok(Self {
            major: if ret > 0 { ret as u32 } else { major },
            name,
            probed: None,
        })
    }

    /// Returns the major number.
    pub fn number(&self) -> u32 {
        self.major
    }

    /// Calls `probed` from now on for opens of nodes without a disk. Only the first call has an
    /// effect. Any context.
    pub fn probe_with(&mut self, probed: Arc<P>) {
        if self.probed.is_none() {
            PROBED.store(Arc::as_ptr(&probed).cast_mut().cast(), Release);
            self.probed = Some(probed);
        }
    }

    /// # Safety
    ///
    /// For the block layer only. The caller must hold `major_names_lock`, and the major must be
    /// registered.
    unsafe extern "C" fn probe_callback(dev: bindings::dev_t) {
        let target = PROBED.load(Acquire).cast::<P>();
        // SAFETY: By the invariant of the registration, which holds a reference to `probed` until
        // after `unregister_blkdev()`. That takes `major_names_lock`, which the caller holds.
        if let Some(probed) = unsafe { target.as_ref() } {
            // SAFETY: No requirements.
            probed.probe(unsafe { helpers::kx_minor(dev) });
        }
    }
}

impl<P: Probe> Drop for MajorRegistration<P> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the major is registered under this name.
        unsafe { bindings::unregister_blkdev(self.major, self.name.as_char_ptr()) };
        PROBED.store(ptr::null_mut(), Release);
        TAKEN.store(false, Release);
    }
}
