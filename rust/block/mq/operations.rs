// SPDX-License-Identifier: GPL-2.0

//! [`Operations`]: `struct blk_mq_ops`, which a driver implements, and the table that is made of
//! it.

use super::{
    device_data::DeviceData,
    flush_class::ClassedTagSet,
    hctx::HwCtx,
    inline_context::InlineContext,
    pdu::Pdu,
    poll::PollVTable,
    request::{
        NewRequest,
        Outcome,
        Request, //
    }, //
};
use crate::helpers;
use core::marker::PhantomData;
use kernel::{
    bindings,
    error::Result,
    ffi::{
        c_int,
        c_uint, //
    }, //
};

/// The queue operations of a driver. C struct: `blk_mq_ops`.
///
/// The type that implements them is the driver's data for one disk.
pub trait Operations: DeviceData {
    /// Starts and serves a request, alone or as one of a batch: `queue_rq`. Runs in the task that
    /// submits the request. May sleep for a lock or memory, but should not wait for I/O.
    ///
    /// Only [`NewRequest::start`] returns an [`Outcome`], so an implementation must start the
    /// request.
    fn queue_rq(&self, hctx: &HwCtx<Self>, rq: NewRequest<Self>, task: &InlineContext) -> Outcome;

    /// Handles the completion of I/O that [`kiocb::submit`](super::kiocb::submit) or
    /// [`remap::submit`](super::remap::submit) left in flight. `result` is the number of bytes that
    /// were transferred. Any context, also a hard interrupt: must not sleep.
    ///
    /// A reference to the driver's data that outlives the request must be dropped in the RCU read
    /// section that it was taken in, or in process context: elsewhere it may be the last one.
    fn io_done(rq: Request<Self>, result: Result<u32>);

    /// Handles the end of the bios of a request that [`lower::submit`](super::lower::submit) or
    /// [`lower::try_submit`](super::lower::try_submit) submitted. As [`io_done`](Self::io_done).
    fn lower_done(rq: Request<Self>, result: Result) {
        rq.end(result);
    }
}

/// The `struct blk_mq_ops` of the driver `T`.
pub(super) struct OperationsVTable<T: Operations>(PhantomData<T>);

impl<T: Operations> OperationsVTable<T> {
    /// # Safety
    ///
    /// For the block layer only. The caller must pass a live `hctx` of a tag set for `T` and a
    /// valid `bd`, and hand over the request in `bd`.
    unsafe extern "C" fn queue_rq(
        hctx: *mut bindings::blk_mq_hw_ctx,
        bd: *const bindings::blk_mq_queue_data,
    ) -> bindings::blk_status_t {
        // SAFETY: The caller passes a live hctx of a tag set for `T`.
        let hctx = unsafe { HwCtx::<T>::from_raw(hctx) };
        // SAFETY: The caller passes a valid `bd` and hands over its request, which is of a tag set
        // for `T`.
        let (rq, first) = unsafe { (NewRequest::from_raw((*bd).rq), (*bd).rq) };

        // SAFETY: The request is live until the closure takes it.
        unsafe {
            InlineContext::with(first, 0, |task| {
                hctx.device().queue_rq(hctx, rq, task).into_status()
            })
        }
    }

    /// # Safety
    ///
    /// For the block layer only. The caller must pass a valid list of requests of one queue, of a
    /// tag set for `T`, and hand them over.
    unsafe extern "C" fn queue_rqs(list: *mut bindings::rq_list) {
        // SAFETY: The caller passes a valid list of requests of one queue.
        let (batch, first) = unsafe { (helpers::kx_rq_list_count(list), (*list).head) };
        // SAFETY: As above. The list is not empty: `first` is not null.
        if first.is_null() || unsafe { helpers::kx_plug_postpone(list, batch) } {
            return;
        }
        let next = || {
            // SAFETY: The caller passes a valid list.
            let rq = unsafe { helpers::kx_rq_list_pop(list) };
            // SAFETY: The caller hands over the request, which is of a tag set for `T`.
            (!rq.is_null()).then(|| unsafe { NewRequest::<T>::from_raw(rq) })
        };
        // SAFETY: The request is live until the closure takes it, and all of them are of its queue.
        unsafe {
            InlineContext::with(first, batch, |task| {
                while let Some(rq) = next() {
                    let hctx = rq.hctx();
                    // Leave nothing on the list: an outcome proves that the request was started.
                    let Outcome(_) = hctx.device().queue_rq(hctx, rq, task);
                }
            })
        }
    }

    /// # Safety
    ///
    /// For the block layer only. The caller must pass a request that [`Request::complete`] gave up.
    unsafe extern "C" fn complete(rq: *mut bindings::request) {
        // SAFETY: The request is started, and `Request::complete` gave it up for this call.
        unsafe { Request::<T>::from_raw(rq) }.end(Ok(()));
    }

    /// # Safety
    ///
    /// For the block layer only. The caller must pass a request of a tag set for `T` that is being
    /// allocated, with [`Self::CMD_SIZE`] bytes behind it.
    unsafe extern "C" fn init_request(
        _set: *mut bindings::blk_mq_tag_set,
        rq: *mut bindings::request,
        _hctx_idx: c_uint,
        _numa_node: c_int,
    ) -> c_int {
        // SAFETY: The caller has allocated the room behind `rq`, which is not in use yet.
        unsafe { Pdu::<T>::init(rq) };
        0
    }

    /// # Safety
    ///
    /// For the block layer only. The caller must pass a request that went through `init_request`
    /// and is being freed.
    unsafe extern "C" fn exit_request(
        _set: *mut bindings::blk_mq_tag_set,
        rq: *mut bindings::request,
        _hctx_idx: c_uint,
    ) {
        // SAFETY: `init_request` initialised the area. The request is being freed, so it has no
        // owner.
        unsafe { core::ptr::drop_in_place(Pdu::<T>::of(rq)) };
    }

    const VTABLE: bindings::blk_mq_ops = {
        let mut ops: bindings::blk_mq_ops = pin_init::zeroed();
        ops.queue_rq = Some(Self::queue_rq);
        ops.queue_rqs = Some(Self::queue_rqs);
        ops.complete = Some(Self::complete);
        ops.map_queues = Some(PollVTable::<T>::map_queues);
        ops.poll = Some(PollVTable::<T>::poll);
        ops.init_hctx = Some(ClassedTagSet::init_hctx);
        ops.init_request = Some(Self::init_request);
        ops.exit_request = Some(Self::exit_request);
        ops
    };

    pub(super) const fn build() -> &'static bindings::blk_mq_ops {
        &Self::VTABLE
    }

    /// The size in bytes of the area behind each request.
    pub(super) const CMD_SIZE: u32 = Pdu::<T>::SIZE;
}
