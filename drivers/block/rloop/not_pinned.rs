// SPDX-License-Identifier: GPL-2.0

//! [`NotPinned`]: why the file of a device is not pinned.

use kernel::{
    fmt,
    prelude::*, //
};
use kernel_ext::fs::PinRefusal;

/// Why a device is not pinned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotPinned {
    /// The user has not asked for it.
    NotRequested,
    /// The backing is a block device.
    BlockDevice,
    /// The offset is no multiple of the page.
    Offset,
    /// The logical block size is less than that of the disk below.
    BlockSize,
    /// Another loop device has the file.
    Shared,
    /// The file can't be held still.
    File(PinRefusal),
}

impl From<Error> for NotPinned {
    fn from(e: Error) -> Self {
        Self::File(PinRefusal::Failed(e))
    }
}

impl NotPinned {
    /// The error of a store to `rloop/pin`.
    pub(crate) fn to_error(self) -> Error {
        match self {
            Self::Shared | Self::File(PinRefusal::InUse | PinRefusal::Mapped) => EBUSY,
            Self::File(PinRefusal::TooLarge) => EFBIG,
            Self::File(PinRefusal::Failed(e)) => e,
            _ => EINVAL,
        }
    }
}

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRequested => "not requested",
            Self::BlockDevice => "a block device needs none",
            Self::Offset => "the offset is no multiple of the page",
            Self::BlockSize => "the disk below needs another logical block size",
            Self::Shared => "another loop device has the file",
            Self::File(refusal) => match refusal {
                PinRefusal::FileSystem => "the file system moves blocks or has none",
                PinRefusal::InUse => "the file is pinned or used as swap",
                PinRefusal::Encrypted => "the file is encrypted or has fs-verity",
                PinRefusal::Dax => "the file has DAX",
                PinRefusal::Journaled => "the file has no direct I/O (journaled or inline data)",
                PinRefusal::Size => "the size of the file is no multiple of the page",
                PinRefusal::TooLarge => "the file is larger than the kernel can hold still",
                PinRefusal::Mapped => "the file is mapped writable",
                PinRefusal::Holes => "the file has holes or unwritten extents",
                PinRefusal::Refused => {
                    "the file system refused (shared, compressed or copied extents)"
                }
                PinRefusal::Unaligned => "extents are no multiples of the page",
                PinRefusal::Zoned => "the disk below is zoned",
                PinRefusal::Failed(e) => return write!(f, "error {}", -e.to_errno()),
            },
        })
    }
}
