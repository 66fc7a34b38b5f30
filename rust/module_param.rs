// SPDX-License-Identifier: GPL-2.0

//! Module parameters that are readable in `/sys/module/<module>/parameters`.
//!
//! [`IntParam`] is an `int` and [`StrParam`] a `charp` parameter.
//! [`module_param!`](crate::module_param!) defines one as a static and adds its `struct
//! kernel_param` to the module. The parameters of the `kernel` crate are not shown in sysfs, and
//! none is a string.
//!
//! Built into the kernel, a parameter has the name `<module>.<name>` on the kernel's command line.
//! [`core_param!`](crate::core_param!) adds the name without the module's.
//!
//! # Examples
//!
//! ```
//! use kernel::prelude::*;
//! use kernel_ext::{
//!     module_param,
//!     module_param::{
//!         IntParam,
//!         StrParam, //
//!     }, //
//! };
//!
//! module_param!(
//!     static DEPTH: IntParam = IntParam::new(128),
//!     "depth",
//!     "Requests that can be in flight per device. Default: 128"
//! );
//! module_param!(
//!     static NAME: StrParam = StrParam::new(c"example"),
//!     "name",
//!     "Prefix of the names of the disks"
//! );
//!
//! /// Reads the parameters, at load. Any `int` is accepted, so check the range.
//! fn read() -> Result<(u32, &'static CStr)> {
//!     match DEPTH.get() {
//!         depth @ 1..=10240 => Ok((depth as u32, NAME.get())),
//!         _ => Err(EINVAL),
//!     }
//! }
//! ```
//!
//! C header: [`include/linux/moduleparam.h`](srctree/include/linux/moduleparam.h)

use crate::module::THIS_MODULE;
use kernel::{
    bindings,
    ffi::{
        c_char,
        c_int, //
    },
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// An `int` parameter.
#[repr(C)]
pub struct IntParam {
    value: Atomic<i32>,
    given: Atomic<i32>,
}

impl IntParam {
    /// Creates a parameter with a default value.
    pub const fn new(default: i32) -> Self {
        Self {
            value: Atomic::new(default),
            given: Atomic::new(0),
        }
    }

    /// Returns the value. Any context.
    pub fn get(&self) -> i32 {
        self.value.load(Relaxed)
    }

    /// Overrides the value, as sysfs shows it. Any context.
    pub fn set(&self, value: i32) {
        self.value.store(value, Relaxed);
    }

    /// Returns the value if the user gave one. Any context.
    pub fn given(&self) -> Option<i32> {
        (self.given.load(Relaxed) != 0).then(|| self.get())
    }

    /// `kernel_param_ops::set`.
    ///
    /// # Safety
    ///
    /// - The caller must be the module loader.
    /// - `kp` must be the `struct kernel_param` of an `IntParam`.
    /// - `val` must be null or a C string.
    unsafe extern "C" fn parse(val: *const c_char, kp: *const bindings::kernel_param) -> c_int {
        // SAFETY: By the requirements of this function. `value` is the first field, where C expects
        // an `int`.
        unsafe {
            let this = (*kp).__bindgen_anon_1.arg.cast::<IntParam>();
            let ret = bindings::param_set_int(val, kp);
            if ret == 0 {
                (*this).given.store(1, Relaxed);
            }
            ret
        }
    }
}

/// A string parameter.
///
/// # Invariants
///
/// The pointer is to a C string that stays valid and unchanged until after the module's exit.
#[repr(transparent)]
pub struct StrParam(Atomic<*mut c_char>);

impl StrParam {
    /// Creates a parameter with a default value.
    pub const fn new(default: &'static CStr) -> Self {
        Self(Atomic::new(
            kernel::str::as_char_ptr_in_const_context(default).cast_mut(),
        ))
    }

    /// Returns the value. It does not change after load, as sysfs does not accept writes. Any
    /// context.
    pub fn get(&'static self) -> &'static CStr {
        // SAFETY: By the type invariant: the string is the default, or `param_set_charp()` set it
        // at load. That never writes to the old string, and `param_free_charp()` runs after the
        // module's exit. At boot it is a part of the kernel's command line, which is kept.
        unsafe { CStr::from_char_ptr(self.0.load(Relaxed)) }
    }
}

/// A type of parameter.
///
/// # Safety
///
/// `OPS` must be the operations for a `struct kernel_param` whose `arg` points to a `Self`.
#[doc(hidden)]
pub unsafe trait Param: Sync + 'static {
    const OPS: &'static bindings::kernel_param_ops;
}

// SAFETY: `parse` takes an `IntParam`. `param_get_int()` reads its first field, an `int`.
unsafe impl Param for IntParam {
    const OPS: &'static bindings::kernel_param_ops = &bindings::kernel_param_ops {
        flags: 0,
        set: Some(Self::parse),
        get: Some(bindings::param_get_int),
        free: None,
    };
}

// SAFETY: The functions take a `char **`, over which `StrParam` is transparent.
unsafe impl Param for StrParam {
    const OPS: &'static bindings::kernel_param_ops = &bindings::kernel_param_ops {
        flags: 0,
        set: Some(bindings::param_set_charp),
        get: Some(bindings::param_get_charp),
        free: Some(bindings::param_free_charp),
    };
}

/// Wraps `struct kernel_param` to make it [`Sync`].
#[doc(hidden)]
#[repr(transparent)]
pub struct KernelParam(bindings::kernel_param);

// SAFETY: Only the C code of the kernel accesses it, and serialises that itself.
unsafe impl Sync for KernelParam {}

impl KernelParam {
    /// The mode of a parameter in sysfs: its value changes only at load.
    #[doc(hidden)]
    pub const READABLE: u16 = 0o444;

    /// The mode of a parameter that is not in sysfs.
    #[doc(hidden)]
    pub const HIDDEN: u16 = 0;

    /// Describes `param`.
    #[doc(hidden)]
    pub const fn new<P: Param>(name: &'static CStr, param: &'static P, perm: u16) -> Self {
        Self(bindings::kernel_param {
            name: kernel::str::as_char_ptr_in_const_context(name),
            mod_: THIS_MODULE.as_ptr(),
            ops: P::OPS,
            perm,
            level: -1,
            flags: 0,
            __bindgen_anon_1: bindings::kernel_param__bindgen_ty_1 {
                arg: core::ptr::from_ref(param).cast_mut().cast(),
            },
        })
    }
}

/// Declares a parameter: `module_param!(static NAME: IntParam = ..., "name", "description")`.
///
/// The type is [`IntParam`] or [`StrParam`]. Its mode in sysfs is 0444: readable by all users and
/// not writable.
#[macro_export]
macro_rules! module_param {
    (@entry $var:ident, $name:literal, $desc:literal, $type:literal) => {
        const _: () = {
            #[link_section = "__param"]
            #[used(compiler)]
            static PARAM: $crate::module_param::KernelParam =
                $crate::module_param::KernelParam::new(
                    if ::core::cfg!(MODULE) {
                        ::kernel::c_str!($name)
                    } else {
                        ::kernel::c_str!(concat!($crate::module_name!(), ".", $name))
                    },
                    &$var,
                    $crate::module_param::KernelParam::READABLE,
                );
            $crate::module_param!(@modinfo concat!("parm=", $name, ":", $desc, "\0"));
            $crate::module_param!(@modinfo concat!("parmtype=", $name, ":", $type, "\0"));
        };
    };
    (@modinfo $text:expr) => {
        const _: () = {
            const TEXT: &str = if ::core::cfg!(MODULE) {
                $text
            } else {
                concat!($crate::module_name!(), ".", $text)
            };
            #[link_section = ".modinfo"]
            #[used(compiler)]
            static INFO: [u8; TEXT.len()] = $crate::module_param::bytes(TEXT);
        };
    };
    (
        $(#[$meta:meta])*
        $vis:vis static $var:ident: IntParam = $init:expr, $name:literal, $desc:literal
    ) => {
        $(#[$meta])*
        $vis static $var: $crate::module_param::IntParam = $init;
        $crate::module_param!(@entry $var, $name, $desc, "int");
    };
    (
        $(#[$meta:meta])*
        $vis:vis static $var:ident: StrParam = $init:expr, $name:literal, $desc:literal
    ) => {
        $(#[$meta])*
        $vis static $var: $crate::module_param::StrParam = $init;
        $crate::module_param!(@entry $var, $name, $desc, "charp");
    };
}

/// Makes a parameter known without the name of the module, too, on the command line of a kernel
/// that the module is built into: `core_param!(NAME, "name")`, as the C macro of that name.
///
/// In a module it is nothing.
#[macro_export]
macro_rules! core_param {
    ($var:ident, $name:literal) => {
        #[cfg(not(MODULE))]
        const _: () = {
            #[link_section = "__param"]
            #[used(compiler)]
            static PARAM: $crate::module_param::KernelParam =
                $crate::module_param::KernelParam::new(
                    ::kernel::c_str!($name),
                    &$var,
                    $crate::module_param::KernelParam::HIDDEN,
                );
        };
    };
}

#[doc(hidden)]
pub const fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let mut out = [0; N];
    let mut i = 0;
    while i < N {
        out[i] = text.as_bytes()[i];
        i += 1;
    }
    out
}
