// SPDX-License-Identifier: GPL-2.0

//! Sysfs attributes of disks.
//!
//! - [`Attribute`] is a file: a name and its functions (`struct device_attribute`).
//! - [`Directory`] is a named group of them (`struct attribute_group`), made once for all disks of
//!   a driver and shared by reference.
//! - [`Group`] is a directory that has been created on a disk (`sysfs_create_group()`). It holds
//!   references to both, and dropping it removes the directory. A directory that is to stay for the
//!   life of a disk is passed to [`DiskRegistration`](super::DiskRegistration) instead.
//! - [`Page`] is the buffer that an attribute is shown in. sysfs owns it.
//!
//! # Examples
//!
//! ```
//! use core::fmt::Write;
//! use kernel::{
//!     prelude::*,
//!     sync::{
//!         atomic::{
//!             Atomic,
//!             Relaxed, //
//!         },
//!         Arc, //
//!     }, //
//! };
//! use kernel_ext::block::gen_disk::{
//!     sysfs::{
//!         Attribute,
//!         Directory,
//!         Group,
//!         Page, //
//!     },
//!     Disk, //
//! };
//! # use kernel_ext::block::{
//! #     bdev::{
//! #         BlockDevice,
//! #         OpenMode, //
//! #     },
//! #     gen_disk,
//! #     mq, //
//! # };
//!
//! struct Device {
//!     limit: Atomic<u32>,
//! }
//!
//! # impl mq::DeviceData for Device {
//! #     type RequestData = ();
//! #     type Published = ();
//! # }
//! #
//! # impl mq::Operations for Device {
//! #     fn queue_rq(
//! #         &self,
//! #         _hctx: &mq::HwCtx<Self>,
//! #         rq: mq::NewRequest<Self>,
//! #         _task: &mq::InlineContext,
//! #     ) -> mq::Outcome {
//! #         let (rq, outcome) = rq.start();
//! #         rq.end(Ok(()));
//! #         outcome
//! #     }
//! #
//! #     fn io_done(rq: mq::Request<Self>, result: Result<u32>) {
//! #         rq.end(result.map(|_| ()));
//! #     }
//! # }
//! #
//! # impl gen_disk::Operations for Device {
//! #     fn open(&self, _: &Disk<Self>, _: OpenMode) -> Result {
//! #         Ok(())
//! #     }
//! #
//! #     fn last_close(&self, _: &Disk<Self>, _: &gen_disk::Closed<'_, Self>) {}
//! #
//! #     fn ioctl(
//! #         &self,
//! #         _: &Disk<Self>,
//! #         _: &BlockDevice,
//! #         _: OpenMode,
//! #         _: u32,
//! #         _: usize,
//! #     ) -> Result {
//! #         Err(ENOTTY)
//! #     }
//! #
//! #     fn compat_ioctl(
//! #         &self,
//! #         _: &Disk<Self>,
//! #         _: &BlockDevice,
//! #         _: OpenMode,
//! #         _: u32,
//! #         _: usize,
//! #     ) -> Result {
//! #         Err(ENOIOCTLCMD)
//! #     }
//! # }
//! #
//! static ATTRIBUTES: &[Attribute<Device>] = &[
//!     Attribute {
//!         name: c"openers",
//!         show: |disk, page| line(page, disk.openers()),
//!         store: None,
//!     },
//!     Attribute {
//!         name: c"limit",
//!         show: |disk, page| line(page, disk.device().limit.load(Relaxed)),
//!         store: Some(|disk, text| {
//!             let limit = text.parse().map_err(|_| EINVAL)?;
//!             disk.device().limit.store(limit, Relaxed);
//!             Ok(())
//!         }),
//!     },
//! ];
//!
//! fn line(page: &mut Page<'_>, value: u32) -> Result {
//!     writeln!(page, "{value}").map_err(|_| EFBIG)
//! }
//!
//! /// Shows the attributes until the group is dropped. That waits for them, so the caller must not
//! /// hold a lock that they take. Sleeps.
//! fn bind(disk: &Disk<Device>, directory: Arc<Directory<Device>>) -> Result<Group<Device>> {
//!     Group::new(disk, directory)
//! }
//!
//! // One directory serves all disks.
//! let _directory = Arc::new(Directory::new(c"example", ATTRIBUTES)?, GFP_KERNEL)?;
//! # Ok::<(), Error>(())
//! ```
//!
//! C header: [`include/linux/sysfs.h`](srctree/include/linux/sysfs.h)

use super::{
    disk::{
        Disk,
        DiskRef, //
    },
    fops::Operations, //
};
use crate::helpers;
use kernel::{
    bindings,
    ffi::c_char,
    fmt,
    prelude::*,
    sync::Arc,
    types::Opaque, //
};

/// The page that an attribute is shown in. A write that does not fit fails.
pub struct Page<'a> {
    buf: &'a mut [u8],
    len: usize,
}

impl Page<'_> {
    /// Appends bytes, such as those of a path, which need not be UTF-8. Any context. Fails with
    /// EFBIG if they do not fit.
    pub fn write_bytes(&mut self, bytes: &[u8]) -> Result {
        let end = self.len + bytes.len();
        self.buf
            .get_mut(self.len..end)
            .ok_or(EFBIG)?
            .copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }
}

impl fmt::Write for Page<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.write_bytes(s.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// A file in a [`Directory`].
pub struct Attribute<T: Operations> {
    /// The name of the file.
    pub name: &'static CStr,
    /// Writes the value and a newline to the page. Sleeps.
    pub show: fn(&Disk<T>, &mut Page<'_>) -> Result,
    /// Sets the value from the text that was written, without trailing white space. Sleeps. `None`:
    /// the file is read-only.
    pub store: Option<fn(&Disk<T>, &str) -> Result>,
}

/// A `struct device_attribute` and the [`Attribute`] that it was made of.
#[repr(C)]
struct RawAttribute<T: Operations> {
    raw: Opaque<bindings::device_attribute>,
    attribute: &'static Attribute<T>,
}

/// A directory of attributes for disks: wraps `struct attribute_group`.
///
/// # Invariants
///
/// - `raw.group` names a null-terminated list of the `raw` fields of `_attributes`, and `raw.all`
///   names `raw.group`. All of this is on the heap, and nothing changes it after `new`.
/// - Each element of `_attributes` is initialised, with the callbacks of `Self`.
pub struct Directory<T: Operations> {
    raw: KBox<RawGroups>,
    _list: KVec<*mut bindings::attribute>,
    _attributes: KVec<RawAttribute<T>>,
}

struct RawGroups {
    group: bindings::attribute_group,
    /// `group` and a null.
    all: [*const bindings::attribute_group; 2],
}

// SAFETY: By the type invariant nothing changes the parts, and the attributes are static.
unsafe impl<T: Operations> Send for Directory<T> {}
// SAFETY: As above.
unsafe impl<T: Operations> Sync for Directory<T> {}

impl<T: Operations> Directory<T> {
    /// Makes a directory `name` with `attributes`, which is on no disk yet. Sleeps. Fails with
    /// ENOMEM.
    pub fn new(name: &'static CStr, attributes: &'static [Attribute<T>]) -> Result<Self> {
        let mut raws = KVec::with_capacity(attributes.len(), GFP_KERNEL)?;
        let mut list = KVec::with_capacity(attributes.len() + 1, GFP_KERNEL)?;
        for attribute in attributes {
            raws.push(
                RawAttribute {
                    raw: Opaque::uninit(),
                    attribute,
                },
                GFP_KERNEL,
            )?;
        }
        for raw in raws.iter() {
            let writable = raw.attribute.store.is_some();
            // SAFETY: `raw` is valid for writes. It does not move again: the vector has its full
            // length.
            unsafe {
                helpers::kx_device_attribute_init(
                    raw.raw.get(),
                    raw.attribute.name.as_char_ptr(),
                    if writable { 0o644 } else { 0o444 },
                    Some(Self::show),
                    if writable { Some(Self::store) } else { None },
                );
                list.push(&raw mut (*raw.raw.get()).attr, GFP_KERNEL)?;
            }
        }
        list.push(core::ptr::null_mut(), GFP_KERNEL)?;

        let mut group: bindings::attribute_group = pin_init::zeroed();
        group.name = name.as_char_ptr();
        group.__bindgen_anon_2.attrs = list.as_mut_ptr();
        let all = [core::ptr::null(); 2];
        let mut raw = KBox::new(RawGroups { group, all }, GFP_KERNEL)?;
        raw.all[0] = &raw.group;
        Ok(Self {
            raw,
            _list: list,
            _attributes: raws,
        })
    }

    /// Returns a null-terminated array of this group alone. It is valid for as long as `self`.
    pub(crate) fn as_raw(&self) -> *const *const bindings::attribute_group {
        self.raw.all.as_ptr().cast()
    }

    /// # Safety
    ///
    /// For sysfs only. The caller must:
    ///
    /// - pass the `dev` of a [`Disk<T>`] and keep it alive during the call,
    /// - pass an `attr` in a [`RawAttribute<T>`] and keep it alive during the call,
    /// - pass a page as `buf`.
    unsafe extern "C" fn show(
        dev: *mut bindings::device,
        attr: *mut bindings::device_attribute,
        buf: *mut c_char,
    ) -> isize {
        // SAFETY: The caller upholds the same requirements for `dev` and `attr`.
        let (disk, attribute) = unsafe { Self::resolve(dev, attr) };
        // SAFETY: The caller passes a page, which only this call writes to.
        let buf = unsafe { core::slice::from_raw_parts_mut(buf.cast(), bindings::PAGE_SIZE) };
        let mut page = Page { buf, len: 0 };
        match (attribute.show)(disk, &mut page) {
            Ok(()) => page.len as isize,
            Err(e) => e.to_errno() as isize,
        }
    }

    /// # Safety
    ///
    /// For sysfs only. As [`Self::show`] for `dev` and `attr`; and the caller must pass `count`
    /// bytes as `buf`.
    unsafe extern "C" fn store(
        dev: *mut bindings::device,
        attr: *mut bindings::device_attribute,
        buf: *const c_char,
        count: usize,
    ) -> isize {
        // SAFETY: The caller upholds the same requirements for `dev` and `attr`.
        let (disk, attribute) = unsafe { Self::resolve(dev, attr) };
        // SAFETY: The caller passes `count` bytes.
        let bytes = unsafe { core::slice::from_raw_parts(buf.cast::<u8>(), count) };
        let ret = match (attribute.store, core::str::from_utf8(bytes)) {
            (Some(store), Ok(text)) => store(disk, text.trim_end()),
            _ => Err(EINVAL),
        };
        match ret {
            Ok(()) => count as isize,
            Err(e) => e.to_errno() as isize,
        }
    }

    /// # Safety
    ///
    /// As [`Self::show`] for `dev` and `attr`. The caller must not use the disk after the callback.
    unsafe fn resolve<'a>(
        dev: *mut bindings::device,
        attr: *mut bindings::device_attribute,
    ) -> (&'a Disk<T>, &'static Attribute<T>) {
        // SAFETY: `dev` is that of a `Disk<T>`, and sysfs keeps it alive during the callback.
        let disk = unsafe { Disk::<T>::from_raw(helpers::kx_dev_to_disk(dev)) };
        // SAFETY: `raw` is the first field of `RawAttribute`, and sysfs keeps the attribute alive
        // during the callback.
        let raw = unsafe { &*attr.cast::<RawAttribute<T>>() };
        (disk, raw.attribute)
    }
}

/// A [`Directory`] on a disk, until this is dropped.
///
/// Dropping it waits for the callbacks of all attributes, so it sleeps, and the caller must not
/// hold a lock that they take. If the disk is deleted before, that removes the directory.
///
/// # Invariants
///
/// The slot of `disk` was filled with the group of `_directory`, and nothing else empties it than
/// `drop` and deleting the disk.
pub struct Group<T: Operations> {
    disk: DiskRef<T>,
    _directory: Arc<Directory<T>>,
}

impl<T: Operations> Group<T> {
    /// Creates `directory` on `disk`: `sysfs_create_group()`. Sleeps. Fails with EEXIST if the disk
    /// has another group, ENODEV if it is not yet added or is deleted, and ENOMEM.
    ///
    /// The group keeps the disk in memory, so the owner must drop it for the disk to be released.
    pub fn new(disk: &Disk<T>, directory: Arc<Directory<T>>) -> Result<Self> {
        // SAFETY: The slot is that of the disk. By the invariant of `Directory` the group is valid,
        // and `drop` calls `remove` before the reference to `directory` is dropped.
        unsafe {
            disk.data()
                .group
                .create(disk.as_raw(), &directory.raw.group)
        }?;
        // INVARIANT: `create` filled the slot.
        Ok(Self {
            disk: DiskRef::new(disk),
            _directory: directory,
        })
    }
}

impl<T: Operations> Drop for Group<T> {
    fn drop(&mut self) {
        // SAFETY: The slot is that of the disk.
        unsafe { self.disk.data().group.remove(self.disk.as_raw()) };
    }
}
