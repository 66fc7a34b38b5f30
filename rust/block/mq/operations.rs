// SPDX-License-Identifier: GPL-2.0

//! What a driver implements, and the `struct blk_mq_ops` made of it.

use super::{
    poll::PollVTable,
    InlineContext,
    NewRequest,
    Outcome,
    Pdu,
    QueueData,
    Request, //
};
use crate::helpers;
use core::marker::PhantomData;
use kernel::{
    bindings,
    error::Result,
    ffi::{
        c_int,
        c_uint, //
    },
    types::Opaque, //
};

/// The queue side of a block driver; the type itself is the driver's data for one disk.
///
/// C struct: `blk_mq_ops`.
pub trait Operations: Sized + Send + Sync + 'static {
    /// The driver's part of each request, made when the tags are allocated.
    type RequestData: Default + Send;

    /// What every request in flight can read without a lock; see [`InFlight::published`].
    ///
    /// [`InFlight::published`]: super::InFlight::published
    type Published: Send + Sync;

    /// A request arrives, as `queue_rq`, alone or as one of a batch. Runs in the context of the
    /// submitter, and may sleep for a lock or memory, but should not wait for I/O.
    ///
    /// The [`Outcome`] can only be had by starting the request.
    fn queue_rq(&self, hctx: &HwCtx<Self>, rq: NewRequest<Self>, task: &InlineContext) -> Outcome;

    /// I/O that [`crate::block::mq::kiocb::submit`] left under way has ended. Any context, also a hard
    /// interrupt: must not sleep. `result` is the number of bytes that were transferred.
    ///
    /// A reference to the driver's data that is held beyond the end of the request must be dropped in
    /// the same read section of RCU that it was taken in, or in process context: else it may be the
    /// last one.
    fn io_done(rq: Request<Self>, result: Result<u32>);
}

/// A hardware queue: wraps `struct blk_mq_hw_ctx`.
///
/// # Invariants
///
/// The hctx is live for as long as the reference.
#[repr(transparent)]
pub struct HwCtx<T>(Opaque<bindings::blk_mq_hw_ctx>, PhantomData<T>);

impl<T: Operations> HwCtx<T> {
    /// The index of this hardware queue. Any context.
    pub fn index(&self) -> u32 {
        // SAFETY: By the type invariant the hctx is live; its number does not change.
        unsafe { (*self.0.get()).queue_num }
    }

    /// The driver's data for the disk. Any context.
    pub fn device(&self) -> &T {
        // SAFETY: The hctx is live, so its queue is, and the queue's data lives as long as it.
        unsafe { &QueueData::<T>::from_queue((*self.0.get()).queue).device }
    }
}

pub(super) struct OperationsVTable<T: Operations>(PhantomData<T>);

impl<T: Operations> OperationsVTable<T> {
    /// # Safety
    ///
    /// For the block layer only: `hctx` and `bd` are live, and the request in `bd` is handed over.
    unsafe extern "C" fn queue_rq(
        hctx: *mut bindings::blk_mq_hw_ctx,
        bd: *const bindings::blk_mq_queue_data,
    ) -> bindings::blk_status_t {
        // SAFETY: The block layer passes a live hctx, over which `HwCtx` is transparent.
        let hctx = unsafe { &*hctx.cast::<HwCtx<T>>() };
        // SAFETY: The block layer passes a valid `bd`, and hands over the request, which is of a tag
        // set of ours.
        let (rq, first) = unsafe { (NewRequest::from_raw((*bd).rq), (*bd).rq) };

        // SAFETY: The request is live until the closure has it.
        unsafe {
            InlineContext::with(first, 0, |task| {
                hctx.device().queue_rq(hctx, rq, task).into_status()
            })
        }
    }

    /// # Safety
    ///
    /// For the block layer only: the requests in `list` are of one queue, and are handed over.
    unsafe extern "C" fn queue_rqs(list: *mut bindings::rq_list) {
        // SAFETY: The block layer passes a valid list, of requests of one queue.
        let (batch, first) = unsafe { (helpers::kx_rq_list_count(list), (*list).head) };
        // SAFETY: As above, and it is not empty.
        if first.is_null() || unsafe { helpers::kx_plug_postpone(list, batch) } {
            return;
        }
        let next = || {
            // SAFETY: The block layer passes a valid list.
            let rq = unsafe { helpers::kx_rq_list_pop(list) };
            // SAFETY: The block layer hands over the request, which is of a tag set of ours.
            (!rq.is_null()).then(|| unsafe { NewRequest::<T>::from_raw(rq) })
        };
        // SAFETY: The request is live until the closure has it, and all of them are of its queue.
        unsafe {
            InlineContext::with(first, batch, |task| {
                while let Some(rq) = next() {
                    let hctx = rq.hctx();
                    // It was started, which is the only way to an outcome, so it is not given back.
                    let Outcome(_) = hctx.device().queue_rq(hctx, rq, task);
                }
            })
        }
    }

    /// # Safety
    ///
    /// For the block layer only: `rq` is one that [`Request::complete`] gave up.
    unsafe extern "C" fn complete(rq: *mut bindings::request) {
        // SAFETY: It is started, and was given up for this.
        unsafe { Request::<T>::from_raw(rq) }.end(Ok(()));
    }

    /// # Safety
    ///
    /// For the block layer only: `rq` is being allocated, with the room that the tag set asked for.
    unsafe extern "C" fn init_request(
        _set: *mut bindings::blk_mq_tag_set,
        rq: *mut bindings::request,
        _hctx_idx: c_uint,
        _numa_node: c_int,
    ) -> c_int {
        // SAFETY: The room behind `rq` is ours and not yet in use.
        unsafe { Pdu::<T>::init(rq) };
        0
    }

    /// # Safety
    ///
    /// For the block layer only: `rq` went through `init_request` and is being freed.
    unsafe extern "C" fn exit_request(
        _set: *mut bindings::blk_mq_tag_set,
        rq: *mut bindings::request,
        _hctx_idx: c_uint,
    ) {
        // SAFETY: Initialised by `init_request`, and nobody owns the request any more.
        unsafe { core::ptr::drop_in_place(Pdu::<T>::of(rq)) };
    }

    const VTABLE: bindings::blk_mq_ops = {
        let mut ops: bindings::blk_mq_ops = pin_init::zeroed();
        ops.queue_rq = Some(Self::queue_rq);
        ops.queue_rqs = Some(Self::queue_rqs);
        ops.complete = Some(Self::complete);
        ops.map_queues = Some(PollVTable::<T>::map_queues);
        ops.poll = Some(PollVTable::<T>::poll);
        ops.init_request = Some(Self::init_request);
        ops.exit_request = Some(Self::exit_request);
        ops
    };

    pub(super) const fn build() -> &'static bindings::blk_mq_ops {
        &Self::VTABLE
    }

    /// The size of what stands behind each request, in bytes.
    pub(super) const CMD_SIZE: usize = core::mem::size_of::<Pdu<T>>();
}
