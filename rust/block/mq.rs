// SPDX-License-Identifier: GPL-2.0

//! Multi-queue block drivers: the life of a request.
//!
//! The block layer hands a request to [`Operations::queue_rq`]; the driver starts it, owns it as a
//! [`Request`], and ends it once. In between it may leave it to its workers, in a [`RequestList`], or
//! pass it to a file ([`crate::block::mq::kiocb::submit`]), which takes the ownership and gives it back
//! through a callback.
//!
//! C header: [`include/linux/blk-mq.h`](srctree/include/linux/blk-mq.h)

mod deferred;
mod inline_context;
pub mod kiocb;
mod list;
mod operations;
mod pdu;
mod poll;
mod queue;
pub mod remap;
mod request;
mod tag_set;

pub use inline_context::InlineContext;
pub use list::RequestList;
pub use operations::{HwCtx, Operations};
pub(crate) use pdu::{Pdu, INLINE_BVECS};
pub use queue::FrozenQueue;
pub(crate) use queue::QueueData;
pub use request::{InFlight, NewRequest, Op, Outcome, Request, RequestFlags};
pub use tag_set::{TagSet, TagSetConfig};
