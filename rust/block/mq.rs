// SPDX-License-Identifier: GPL-2.0

//! Multi-queue block drivers.
//!
//! The driver implements [`Operations`] (`struct blk_mq_ops`) on the type of its data for one disk,
//! and allocates a [`TagSet`] (`struct blk_mq_tag_set`), which owns the requests. Behind each
//! `struct request` the tag set allocates a `Pdu` with the driver's data for the request.
//!
//! A request goes through these types, each of which owns it:
//!
//! - [`NewRequest`]: the block layer has handed it to [`Operations::queue_rq`]. The driver starts
//!   it.
//! - [`Request`]: started. The driver ends it once. In between it may put the request on a
//!   [`RequestList`] for its workers.
//! - A kiocb ([`kiocb::submit`]), a clone of its bio ([`remap::submit`]) or bios
//!   ([`lower::submit`]), while the request is passed to a file or a block device. The ownership
//!   comes back from the call or through [`Operations::io_done`] or [`Operations::lower_done`].
//!
//! [`InFlight`] is a borrowed request that is started and not ended. [`InlineContext`] is the state
//! of a task that submits I/O for a request from within `queue_rq`. [`FrozenQueue`] keeps the queue
//! of a disk frozen (`blk_mq_freeze_queue()`).
//!
//! # Examples
//!
//! A driver without data: reads find zeroes.
//!
//! ```
//! use kernel::prelude::*;
//! use kernel_ext::{
//!     block::mq::{
//!         kiocb,
//!         DeviceData,
//!         HwCtx,
//!         InlineContext,
//!         NewRequest,
//!         Op,
//!         Operations,
//!         Outcome,
//!         Request,
//!         TagSet,
//!         TagSetConfig, //
//!     },
//!     errno, //
//! };
//!
//! struct NullDisk;
//!
//! impl DeviceData for NullDisk {
//!     type RequestData = ();
//!     type Published = ();
//! }
//!
//! impl Operations for NullDisk {
//!     fn queue_rq(
//!         &self,
//!         _hctx: &HwCtx<Self>,
//!         rq: NewRequest<Self>,
//!         _task: &InlineContext,
//!     ) -> Outcome {
//!         // Only `start` returns an `Outcome`. The driver owns the request from here on, and may
//!         // also keep it and end it later, in any context.
//!         let (rq, outcome) = rq.start();
//!         match rq.op() {
//!             Op::Read => {
//!                 kiocb::zero_rest(&rq, 0);
//!                 rq.end(Ok(()));
//!             }
//!             Op::Write | Op::Flush => rq.end(Ok(())),
//!             _ => rq.end(Err(errno::opnotsupp())),
//!         }
//!         outcome
//!     }
//!
//!     // Not called, as `queue_rq` passes no request to a file or device.
//!     fn io_done(rq: Request<Self>, result: Result<u32>) {
//!         rq.end(result.map(|_| ()));
//!     }
//! }
//!
//! let config = TagSetConfig {
//!     depth: 128,
//!     poll_queues: 0,
//! };
//! let _tags = KBox::pin_init(TagSet::<NullDisk>::new(config), GFP_KERNEL)?;
//! # Ok::<(), Error>(())
//! ```
//!
//! C header: [`include/linux/blk-mq.h`](srctree/include/linux/blk-mq.h)

mod deferred;
mod device_data;
mod flush_class;
mod hctx;
mod inline_context;
pub mod kiocb;
mod list;
pub mod lower;
mod op;
mod operations;
mod pdu;
mod poll;
mod queue;
pub mod remap;
mod request;
mod tag_set;
mod trace;

pub use device_data::DeviceData;
pub use hctx::HwCtx;
pub use inline_context::{
    Guard,
    InlineContext, //
};
pub use list::RequestList;
pub use op::{
    Op,
    RequestFlags, //
};
pub use operations::Operations;
pub use queue::{
    DeviceGuard,
    FrozenQueue, //
};
pub(crate) use queue::{
    QueueData,
    RequestQueue, //
};
pub use request::{
    InFlight,
    NewRequest,
    Outcome,
    Request, //
};
pub use tag_set::{
    TagSet,
    TagSetConfig, //
};
