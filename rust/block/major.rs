// SPDX-License-Identifier: GPL-2.0

//! Block major numbers.
//!
//! C header: [`include/linux/blkdev.h`](srctree/include/linux/blkdev.h)

use crate::helpers;
use core::marker::PhantomData;
use kernel::{bindings, error::Error, prelude::*, str::CString};

/// What a driver does when a device node is opened that has no disk.
pub trait Probe {
    /// `minor` of the major is opened and has no disk: make one, or don't. Sleeps.
    fn probe(minor: u32);
}

/// No disk is made.
pub struct NoProbe;

impl Probe for NoProbe {
    fn probe(_minor: u32) {}
}

/// A block major that is ours until this is dropped: wraps `__register_blkdev()`.
pub struct MajorRegistration<P: Probe> {
    major: u32,
    name: CString,
    _p: PhantomData<P>,
}

impl<P: Probe> MajorRegistration<P> {
    /// Registers `major` under `name`, or a free one for 0. Sleeps.
    ///
    /// Fails with EBUSY when another driver has it or none is free, with EINVAL for a name of more
    /// than 15 bytes, and with ENOMEM.
    pub fn new(major: u32, name: CString) -> Result<Self> {
        // A longer one would be cut, and then not be found again at the end.
        if name.to_bytes().len() > 15 {
            return Err(EINVAL);
        }
        // SAFETY: `name` is copied, and the callback stays as long as the module that drops this.
        let ret = unsafe {
            bindings::__register_blkdev(major, name.as_char_ptr(), Some(Self::probe_callback))
        };
        match ret {
            e if e < 0 => Err(Error::from_errno(e)),
            0 => Ok(Self {
                major,
                name,
                _p: PhantomData,
            }),
            dynamic => Ok(Self {
                major: dynamic as u32,
                name,
                _p: PhantomData,
            }),
        }
    }

    /// The number.
    pub fn number(&self) -> u32 {
        self.major
    }

    /// # Safety
    ///
    /// For the block layer only.
    unsafe extern "C" fn probe_callback(dev: bindings::dev_t) {
        // SAFETY: No requirements.
        P::probe(unsafe { helpers::kx_minor(dev) });
    }
}

impl<P: Probe> Drop for MajorRegistration<P> {
    fn drop(&mut self) {
        // SAFETY: Registered by `new` with this number and name.
        unsafe { bindings::unregister_blkdev(self.major, self.name.as_char_ptr()) };
    }
}
