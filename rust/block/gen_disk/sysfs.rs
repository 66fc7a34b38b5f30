// SPDX-License-Identifier: GPL-2.0

//! Groups of attributes on a disk.
//!
//! C header: [`include/linux/sysfs.h`](srctree/include/linux/sysfs.h)

use crate::{
    block::gen_disk::{
        Disk,
        DiskRef,
        Operations, //
    },
    helpers, //
};
use kernel::{
    bindings,
    error::to_result,
    ffi::c_char,
    fmt,
    prelude::*,
    sync::Arc,
    types::Opaque, //
};

/// The page that an attribute is shown in. What does not fit is an error.
pub struct Page<'a> {
    buf: &'a mut [u8],
    len: usize,
}

impl Page<'_> {
    /// Appends bytes that need not be UTF-8, as those of a path.
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

/// One file in a group.
pub struct Attribute<T: Operations> {
    /// The name of the file.
    pub name: &'static CStr,
    /// Writes the value, with a newline. Sleeps.
    pub show: fn(&Disk<T>, &mut Page<'_>) -> Result,
    /// Takes a value, as written and without trailing white space. Sleeps. Read-only if `None`.
    pub store: Option<fn(&Disk<T>, &str) -> Result>,
}

#[repr(C)]
struct RawAttribute<T: Operations> {
    raw: Opaque<bindings::device_attribute>,
    attribute: &'static Attribute<T>,
}

/// A directory of attributes for disks: wraps `struct attribute_group`.
pub struct Directory<T: Operations> {
    raw: KBox<RawGroups>,
    _list: KVec<*mut bindings::attribute>,
    _attributes: KVec<RawAttribute<T>>,
}

struct RawGroups {
    group: bindings::attribute_group,
    /// The group, and a null.
    all: [*const bindings::attribute_group; 2],
}

// SAFETY: What it is made of is not changed, and its attributes are static.
unsafe impl<T: Operations> Send for Directory<T> {}
// SAFETY: As above.
unsafe impl<T: Operations> Sync for Directory<T> {}

impl<T: Operations> Directory<T> {
    /// A directory `name` with `attributes`, which nobody can see yet. Sleeps. Fails with ENOMEM.
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
            // SAFETY: `raw` is valid for writes and does not move any more, as the vector is full.
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

    /// A null-terminated array of this group alone, valid for as long as `self`.
    pub(crate) fn as_raw(&self) -> *const *const bindings::attribute_group {
        self.raw.all.as_ptr().cast()
    }

    /// # Safety
    ///
    /// For sysfs only: `dev` is that of a disk of ours, `attr` stands in a [`RawAttribute<T>`].
    unsafe extern "C" fn show(
        dev: *mut bindings::device,
        attr: *mut bindings::device_attribute,
        buf: *mut c_char,
    ) -> isize {
        // SAFETY: By the caller.
        let (disk, attribute) = unsafe { Self::resolve(dev, attr) };
        // SAFETY: sysfs passes a page to write to.
        let buf = unsafe { core::slice::from_raw_parts_mut(buf.cast(), bindings::PAGE_SIZE) };
        let mut page = Page { buf, len: 0 };
        match (attribute.show)(disk, &mut page) {
            Ok(()) => page.len as isize,
            Err(e) => e.to_errno() as isize,
        }
    }

    /// # Safety
    ///
    /// As [`Self::show`].
    unsafe extern "C" fn store(
        dev: *mut bindings::device,
        attr: *mut bindings::device_attribute,
        buf: *const c_char,
        count: usize,
    ) -> isize {
        // SAFETY: By the caller.
        let (disk, attribute) = unsafe { Self::resolve(dev, attr) };
        // SAFETY: sysfs passes `count` bytes.
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
    /// As [`Self::show`].
    unsafe fn resolve<'a>(
        dev: *mut bindings::device,
        attr: *mut bindings::device_attribute,
    ) -> (&'a Disk<T>, &'static Attribute<T>) {
        // SAFETY: The device of a disk; sysfs keeps it alive during the call.
        let disk = unsafe { Disk::<T>::from_raw(helpers::kx_dev_to_disk(dev)) };
        // SAFETY: `raw` is the first field, and the attribute is alive during the call.
        let raw = unsafe { &*attr.cast::<RawAttribute<T>>() };
        (disk, raw.attribute)
    }
}

/// A directory that can be seen on a disk, until this is dropped.
///
/// Dropping it sleeps until no attribute is being shown or stored; the caller must hold no lock
/// that they take. It must be dropped before the disk is deleted (`DiskRegistration`), which takes
/// away the directory that it is in.
pub struct Group<T: Operations> {
    disk: DiskRef<T>,
    directory: Arc<Directory<T>>,
}

impl<T: Operations> Group<T> {
    /// Shows `directory` on `disk`: `sysfs_create_group()`. Sleeps.
    ///
    /// The group keeps the disk in memory, so it must be dropped before the disk can be freed. Fails
    /// with ENOMEM or EEXIST.
    pub fn new(disk: &Disk<T>, directory: Arc<Directory<T>>) -> Result<Self> {
        // SAFETY: The disk is live, and all that the group names stays until `drop`.
        to_result(unsafe { helpers::kx_disk_create_group(disk.as_raw(), &directory.raw.group) })?;
        Ok(Self {
            disk: DiskRef::new(disk),
            directory,
        })
    }
}

impl<T: Operations> Drop for Group<T> {
    fn drop(&mut self) {
        // SAFETY: Created by `new` on this disk, which is not deleted yet, see above.
        unsafe { helpers::kx_disk_remove_group(self.disk.as_raw(), &self.directory.raw.group) };
    }
}
