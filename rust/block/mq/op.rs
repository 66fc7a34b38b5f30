// SPDX-License-Identifier: GPL-2.0

//! [`Op`] and [`RequestFlags`]: the two parts of `cmd_flags`.

use crate::iov::Direction;
use kernel::bindings;

/// The operation of a request: `req_op()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// Fills the bvecs from the device.
    Read,
    /// Writes the bvecs to the device.
    Write,
    /// Makes all completed writes durable. Has no data and no sector.
    Flush,
    /// Gives the space of the range back.
    Discard,
    /// Makes the range read back as zeroes.
    WriteZeroes,
    /// Any other operation.
    Other,
}

impl Op {
    pub(super) fn from_raw(cmd_flags: bindings::blk_opf_t) -> Self {
        match cmd_flags & ((1 << bindings::REQ_OP_BITS) - 1) {
            bindings::req_op_REQ_OP_READ => Op::Read,
            bindings::req_op_REQ_OP_WRITE => Op::Write,
            bindings::req_op_REQ_OP_FLUSH => Op::Flush,
            bindings::req_op_REQ_OP_DISCARD => Op::Discard,
            bindings::req_op_REQ_OP_WRITE_ZEROES => Op::WriteZeroes,
            _ => Op::Other,
        }
    }

    /// Returns the direction of the data, for a read or write.
    pub fn direction(self) -> Option<Direction> {
        match self {
            Op::Read => Some(Direction::Dest),
            Op::Write => Some(Direction::Source),
            _ => None,
        }
    }

    /// Returns whether the operation changes the device.
    pub fn is_write(self) -> bool {
        matches!(self, Op::Write | Op::Discard | Op::WriteZeroes)
    }
}

/// The `REQ_*` flags of a request.
#[derive(Clone, Copy)]
pub struct RequestFlags(pub(super) bindings::blk_opf_t);

impl RequestFlags {
    /// Returns whether `REQ_FUA` is set: the data must be durable when the request ends.
    pub fn fua(self) -> bool {
        self.0 & (1 << bindings::req_flag_bits___REQ_FUA) != 0
    }

    /// Returns whether the operation changes the device: `op_is_write()`.
    pub fn is_write(self) -> bool {
        self.0 & 1 != 0
    }

    /// Returns whether `REQ_ATOMIC` is set: the write is all or nothing.
    pub fn atomic(self) -> bool {
        self.0 & (1 << bindings::req_flag_bits___REQ_ATOMIC) != 0
    }

    /// Returns whether `REQ_POLLED` is set: the submitter polls for the completion.
    pub fn polled(self) -> bool {
        self.0 & (1 << bindings::req_flag_bits___REQ_POLLED) != 0
    }

    /// Returns whether `REQ_NOUNMAP` is set: the zeroes must keep their space.
    pub fn nounmap(self) -> bool {
        self.0 & (1 << bindings::req_flag_bits___REQ_NOUNMAP) != 0
    }
}
