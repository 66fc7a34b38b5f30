// SPDX-License-Identifier: GPL-2.0

//! What the driver keeps for each request, in the request's pdu.

/// The two kinds of I/O that exclude each other on one file; see `io/dio_exclusion.rs`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IoKind {
    DirectWrite,
    Cached,
}

/// The index of a worker pool of the device; see `io/workers.rs`.
#[derive(Clone, Copy)]
pub(crate) struct PoolIndex(pub(crate) u8);

/// How far a read or write has got.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing is counted, and no I/O has been submitted.
    #[default]
    New,
    /// Its bio was submitted nowait to a lower device, which may still refuse it.
    NowaitRemap,
    /// A kiocb was submitted with IOCB_NOWAIT, which may still be refused.
    NowaitKiocb,
    /// It is counted, and every further submission may sleep.
    Started,
    /// Its bios were submitted nowait to a lower device (`io/lower.rs`), which may still refuse
    /// them.
    NowaitLower,
    /// The I/O has ended, and pages of its range have to be dropped from the page cache of the
    /// file.
    Stale,
}

/// The driver's data for a request.
#[derive(Default)]
pub(crate) struct Cmd {
    pub(crate) phase: Phase,
    /// What is left is transferred with IOCB_DIRECT.
    pub(crate) direct: bool,
    /// What is left goes through the page cache, whatever the mode of the device.
    pub(crate) buffered: bool,
    /// Bytes transferred so far. With [`Phase::Stale`]: the errno of the I/O that has ended, 0 for
    /// none.
    pub(crate) done: u32,
    /// The pool that it is or was queued to, if it has needed a worker.
    pub(crate) pool: Option<PoolIndex>,
    /// The kind of I/O that it has begun and not ended.
    pub(crate) active: Option<IoKind>,
    /// The kind of I/O that it waits to begin.
    pub(crate) pending: Option<IoKind>,
}
