// SPDX-License-Identifier: GPL-2.0

//! Block major numbers.
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

/// What a driver does when a device node is opened that has no disk.
pub trait Probe: Send + Sync + 'static {
    /// `minor` of the major is opened and has no disk: make one, or don't. Sleeps; the lock of the
    /// table of majors is held, so no major can be registered or given back here.
    fn probe(&self, minor: u32);
}

/// Whether the module has a registration. The callback of C has no argument, so that there can be
/// one only.
static TAKEN: Atomic<bool> = Atomic::new(false);

/// Who is probed.
static PROBED: Atomic<*mut c_void> = Atomic::new(ptr::null_mut());

/// A block major that is ours until this is dropped: wraps `__register_blkdev()`.
///
/// # Invariants
///
/// It is the only one of the module, and [`TAKEN`] is set. [`PROBED`] is the pointer of `probed`, or
/// null if that is `None`.
pub struct MajorRegistration<P: Probe> {
    major: u32,
    name: CString,
    probed: Option<Arc<P>>,
}

impl<P: Probe> MajorRegistration<P> {
    /// Registers `major` under `name`, or a free one for 0. Sleeps.
    ///
    /// Fails with EBUSY when another driver has it, none is free, or the module has one already; with
    /// EINVAL for a name of more than 15 bytes, and with ENOMEM.
    pub fn new(major: u32, name: CString) -> Result<Self> {
        // A longer one would be cut, and then not be found again at the end.
        if name.to_bytes().len() > 15 {
            return Err(EINVAL);
        }
        if TAKEN.xchg(true, Acquire) {
            return Err(EBUSY);
        }
        // SAFETY: `name` is copied, and the callback stays as long as the module that drops this.
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

    /// The number.
    pub fn number(&self) -> u32 {
        self.major
    }

    /// From now on `probed` is told of nodes that are opened without a disk. Done once: a second
    /// one is not told. Any context.
    pub fn probe_with(&mut self, probed: Arc<P>) {
        if self.probed.is_none() {
            PROBED.store(Arc::as_ptr(&probed).cast_mut().cast(), Release);
            self.probed = Some(probed);
        }
    }

    /// # Safety
    ///
    /// For the block layer only, which holds the lock of the table of majors.
    unsafe extern "C" fn probe_callback(dev: bindings::dev_t) {
        let target = PROBED.load(Acquire).cast::<P>();
        // SAFETY: By the invariant of the registration that this callback belongs to, which keeps
        // `probed` until the callback is unregistered, which takes the lock that is held here.
        if let Some(probed) = unsafe { target.as_ref() } {
            // SAFETY: No requirements.
            probed.probe(unsafe { helpers::kx_minor(dev) });
        }
    }
}

impl<P: Probe> Drop for MajorRegistration<P> {
    fn drop(&mut self) {
        // SAFETY: Registered by `new` with this number and name.
        unsafe { bindings::unregister_blkdev(self.major, self.name.as_char_ptr()) };
        PROBED.store(ptr::null_mut(), Release);
        TAKEN.store(false, Release);
    }
}
