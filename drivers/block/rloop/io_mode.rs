// SPDX-License-Identifier: GPL-2.0

//! [`IoMode`]: how reads and writes reach the backing, and why not directly.

/// The path of reads and writes to the backing file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IoMode {
    /// Through the page cache of the file.
    Buffered(NotDirect),
    /// With IOCB_DIRECT. Every request is aligned for it.
    Direct,
    /// With IOCB_DIRECT if the request is aligned for it, otherwise through the page cache. Direct
    /// writes and cached I/O exclude each other.
    DirectMixed(NotAligned),
    /// As bios with another sector and device, submitted to a block device.
    Remap,
}

/// Why direct I/O is not in effect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotDirect {
    /// The file has no direct I/O.
    Unsupported,
    /// The offset is no multiple of the unit of direct I/O, so no request is aligned.
    Offset,
    /// It is possible, but not requested.
    NotRequested,
}

/// Why not every request is aligned for direct I/O.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAligned {
    /// The file system does not report the unit of direct I/O.
    NotReported,
    /// The logical block size is no multiple of the unit.
    BlockSize,
}

impl IoMode {
    /// Returns whether requests may bypass the page cache of the file.
    pub(crate) fn is_direct(self) -> bool {
        !matches!(self, IoMode::Buffered(_))
    }

    /// Returns whether direct writes and cached I/O exclude each other.
    pub(crate) fn is_mixed(self) -> bool {
        matches!(self, IoMode::DirectMixed(_))
    }
}
