// SPDX-License-Identifier: GPL-2.0

//! The data plane: from the arrival of a request to its completion.
//!
//! [`dispatch`] takes a request from blk-mq, and [`choose`] decides about its way. [`rw`] serves
//! reads and writes: nowait in the submitting task where the lower file or device allows that, else
//! from a worker. [`discard`] serves flush, discard and write-zeroes of a file. [`lower`] serves
//! those of a block device, and all requests of a pinned file, as bios. [`workers`] distributes
//! requests to workers by cgroup, and [`dio_exclusion`] keeps direct writes and cached I/O of one
//! file apart. [`cmd`] is the driver's part of a request.

mod choose;
pub(crate) mod cmd;
pub(crate) mod dio_exclusion;
pub(crate) mod discard;
pub(crate) mod dispatch;
pub(crate) mod lower;
pub(crate) mod rw;
pub(crate) mod workers;

use crate::{
    backing::Backing,
    stats::WorkerReason, //
};
use cmd::{
    Cmd,
    IoKind, //
};
use dio_exclusion::DioExclusion;
use kernel::{
    fmt,
    prelude::*,
    sync::Arc, //
};
use kernel_ext::{
    block::mq::{
        DeviceData,
        Operations,
        Request, //
    },
    workers::{
        WorkArray,
        WorkArrayOps, //
    },
    workqueue::{
        Priority,
        Workqueue, //
    }, //
};
use workers::{
    CgroupSlots,
    HighpriWorkers,
    PoolClass,
    WORKERS, //
};

/// A device whose requests the data plane serves.
pub(crate) trait IoDevice:
    Operations + DeviceData<RequestData = Cmd, Published = Backing> + WorkArrayOps
{
    fn io(&self) -> &IoEngine<Self>;

    /// Logs that a request was failed because the device has no backing any more. Any context.
    fn report_late(&self);
}

/// A request that a worker has to serve, and why.
pub(crate) struct ForWorker<T: IoDevice> {
    rq: Request<T>,
    why: WorkerReason,
}

/// The data plane of one device: its queues of requests and the workers that serve them.
#[pin_data]
pub(crate) struct IoEngine<T: IoDevice> {
    #[pin]
    slots: CgroupSlots<T>,
    #[pin]
    exclusion: DioExclusion<T>,
    workers: Arc<WorkArray<T, WORKERS>>,
    wq: Workqueue,
    highpri: Arc<HighpriWorkers>,
}

impl<T: IoDevice> IoEngine<T> {
    /// `name` is that of the workqueue. Sleeps. Fails with ENOMEM.
    pub(crate) fn new<'a>(
        name: fmt::Arguments<'a>,
        highpri: Arc<HighpriWorkers>,
    ) -> impl PinInit<Self, Error> + 'a
    where
        T: 'a,
    {
        try_pin_init!(Self {
            slots <- CgroupSlots::new(),
            exclusion <- DioExclusion::new(),
            workers: WorkArray::new()?,
            wq: Workqueue::new(name, Priority::Normal)?,
            highpri,
        })
    }

    /// Queues a request to a worker of its device, and counts and traces why. Any context.
    pub(crate) fn queue(ForWorker { rq, why }: ForWorker<T>) {
        let Some(backing) = rq.published() else {
            return fail_late(rq);
        };
        // A request that a worker has had is counted.
        if rq.data().pool.is_none() {
            backing.stats.count_worker(why);
            rq.trace_fallback(why.name());
        }
        Self::enqueue(rq);
    }

    fn enqueue(rq: Request<T>) {
        // Once the request is queued it may end and its disk be deleted: the guard keeps the
        // device.
        let device = rq.device_guard();
        let io = device.io();
        let pinned = rq.published().is_some_and(|backing| backing.pin.is_some());
        let class = PoolClass::of(&rq, pinned, &io.highpri);
        let Some((worker, class)) = io.slots.enqueue(rq, class) else {
            return;
        };
        let wq = match class {
            PoolClass::DirectHighpri => io.highpri.get(),
            _ => &io.wq,
        };
        WorkArray::start(&io.workers, worker, &device, wq);
    }

    /// The next request for a worker, which must return if there is none.
    fn dequeue(&self, worker: usize) -> Option<Request<T>> {
        self.slots.dequeue(worker, &self.highpri)
    }

    /// Begins I/O of a request as one of `kind`. Gives the request back if the I/O may begin, else
    /// keeps it and queues it to a worker when it may. Any context.
    fn start_io(&self, rq: Request<T>, kind: IoKind) -> Option<Request<T>> {
        self.exclusion.start_io(rq, kind)
    }

    /// Ends I/O that [`start_io`](Self::start_io) began. Any context.
    fn end_io(&self) {
        let mut admitted = self.exclusion.end_io();
        while let Some(rq) = admitted.pop() {
            // A worker of it has begun the I/O.
            Self::enqueue(rq);
        }
    }

    /// The workqueue of the device.
    fn wq(&self) -> &Workqueue {
        &self.wq
    }

    /// Waits until no worker of the device runs. For a device that gets no requests any more.
    /// Sleeps.
    pub(crate) fn drain(&self) {
        self.workers.flush();
        self.wq.flush();
    }
}

/// Fails a request that finds no backing: I/O that crossed the last close. Any context.
fn fail_late<T: IoDevice>(rq: Request<T>) {
    rq.device().report_late();
    rq.end(Err(EIO));
}
