// SPDX-License-Identifier: GPL-2.0

//! A loop device and the states that it can be in.

use crate::{
    backing::Backing,
    config::sysfs::Directories,
    io::{
        cmd::{
            Cmd,
            Host, //
        },
        dio_exclusion::{
            Gate,
            Gated, //
        },
        dispatch,
        rw,
        workers::{
            self,
            Laned,
            Lanes,
            Urgent, //
        }, //
    },
    params::Params,
    uapi, //
};
use core::mem;
use kernel::{
    new_spinlock,
    pr_warn,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        SpinLock, //
    }, //
};
use kernel_ext::{
    block::mq::{
        HwCtx,
        NewRequest,
        Operations,
        Outcome,
        Request,
        Submitter, //
    },
    fs::{
        GfpTable,
        RestrictedGfp, //
    },
    module::ModuleRef,
    new_killable_mutex,
    sync::{
        KillableGuard,
        KillableMutex, //
    },
    sysfs::Group,
    workers::{
        Employer,
        Workers, //
    },
    workqueue::{
        Priority,
        Workqueue, //
    }, //
};

/// What all devices of the module share.
#[pin_data]
pub(crate) struct Setup {
    /// The prefix of the disks' names.
    pub(crate) prefix: &'static str,
    /// Whether devices are direct by default.
    pub(crate) dio: bool,
    /// A device has 2 to the power of this minors, see `max_part`.
    pub(crate) part_shift: u32,
    /// Held while a device is put on top of another loop device, and while one begins to go, so
    /// that a chain of loop devices does not change while it is walked. Taken before [`State`]'s.
    #[pin]
    pub(crate) nesting: KillableMutex<()>,
    /// The backing files whose page caches are restricted.
    pub(crate) gfp: Arc<GfpTable>,
    pub(crate) directories: Directories,
    urgent: Urgent,
}

impl Setup {
    pub(crate) fn new(prefix: &'static str, params: Params) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            prefix,
            dio: params.dio,
            part_shift: params.part_shift,
            nesting <- new_killable_mutex!((), "rloop_nesting"),
            gfp: Arc::pin_init(GfpTable::new(), GFP_KERNEL)?,
            directories: Directories::new()?,
            urgent: Urgent::new()?,
        })
    }

    /// With minors for partitions, all devices are scanned for them.
    pub(crate) fn scans_always(&self) -> bool {
        self.part_shift > 0
    }
}

/// A loop device; the data of its disk.
#[pin_data]
pub(crate) struct LoopDevice {
    pub(crate) number: u32,
    pub(crate) setup: Arc<Setup>,
    #[pin]
    state: KillableMutex<State>,
    /// What a bound device looks like from outside; changed with the state held.
    #[pin]
    status: SpinLock<Option<Status>>,
    #[pin]
    lanes: Lanes<LoopDevice>,
    #[pin]
    gate: Gate<LoopDevice>,
    #[pin]
    workers: Arc<Workers<LoopDevice, { workers::WORKERS }>>,
    wq: Workqueue,
    /// A request without a backing has been reported, since the last attach.
    late_reported: Atomic<bool>,
}

/// The state of a device.
pub(crate) enum State {
    /// No backing.
    Unbound,
    /// It has a backing.
    Bound(KBox<Bound>),
    /// LOOP_CLR_FD was called by the only opener: nobody else may open it, and the last close
    /// unbinds it.
    Rundown(KBox<Bound>),
    /// The last close is unbinding it.
    Clearing,
    /// It is being removed.
    Deleting,
}

/// What a bound device owns beside its backing. Dropping it gives all back, top to bottom.
pub(crate) struct Bound {
    pub(crate) group: Group<LoopDevice>,
    pub(crate) gfp: RestrictedGfp,
    pub(crate) module: ModuleRef,
}

/// What a bound device looks like from outside.
#[derive(Clone)]
pub(crate) struct Status {
    pub(crate) backing: Arc<Backing>,
    /// In bytes, 0 for none; never negative.
    pub(crate) sizelimit: i64,
    pub(crate) autoclear: bool,
    pub(crate) partscan: bool,
    pub(crate) rundown: bool,
    /// LOOP_CLR_FD was called, and the device is still open.
    pub(crate) detaching: bool,
    pub(crate) name: [u8; uapi::NAME_SIZE],
}

impl LoopDevice {
    pub(crate) fn new(number: u32, setup: Arc<Setup>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            wq: Workqueue::new(fmt!("{}{number}", setup.prefix), Priority::Normal)?,
            number,
            setup,
            state <- new_killable_mutex!(State::Unbound, "rloop_state"),
            status <- new_spinlock!(None, "rloop_status"),
            lanes <- Lanes::new(),
            gate <- Gate::new(),
            workers: Workers::new()?,
            late_reported: Atomic::new(false),
        })
    }

    /// The state, to look at and to change. EINTR if the task is killed meanwhile.
    pub(crate) fn state(&self) -> Result<KillableGuard<'_, State>> {
        self.state.lock_killable()
    }

    /// The state, where giving up is not possible.
    pub(crate) fn state_unkillable(&self) -> KillableGuard<'_, State> {
        self.state.lock()
    }

    /// The status of a bound device, `None` for another. Does not sleep.
    pub(crate) fn status(&self) -> Option<Status> {
        self.status.lock().clone()
    }

    /// Changes the status. May drop the last reference to the old one, and so may sleep.
    pub(crate) fn set_status(&self, _held: &mut State, new: Option<Status>) {
        let old = mem::replace(&mut *self.status.lock(), new);
        drop(old);
    }

    /// The next request without a backing is reported again.
    pub(crate) fn expect_no_late(&self) {
        self.late_reported.store(false, Relaxed);
    }

    /// Waits until no worker of the device runs. For a device that gets no requests any more. Sleeps.
    pub(crate) fn drain(&self) {
        self.workers.flush();
        self.wq.flush();
    }
}

impl State {
    /// Fails with ENXIO unless the device is bound.
    pub(crate) fn check_bound(&self) -> Result {
        match self {
            State::Bound(_) => Ok(()),
            _ => Err(ENXIO),
        }
    }
}

impl Operations for LoopDevice {
    type RequestData = Cmd;
    type Published = Backing;

    fn queue_rq(&self, _hctx: &HwCtx<Self>, rq: NewRequest<Self>, task: &Submitter) -> Outcome {
        dispatch::arrive(rq, task)
    }

    fn io_done(rq: Request<Self>, result: Result<u32>) {
        rw::ended(rq, result);
    }
}

impl Host for LoopDevice {
    fn to_worker(rq: Request<Self>) {
        Lanes::enter(rq);
    }

    fn wq(&self) -> &Workqueue {
        &self.wq
    }

    fn report_late(&self) {
        if !self.late_reported.xchg(true, Relaxed) {
            pr_warn!(
                "{}{}: I/O after the last close failed\n",
                self.setup.prefix,
                self.number
            );
        }
    }
}

impl Laned for LoopDevice {
    fn lanes(&self) -> &Lanes<Self> {
        &self.lanes
    }

    fn urgent(&self) -> &Urgent {
        &self.setup.urgent
    }

    fn start_worker(this: &Arc<Self>, number: usize, wq: &Workqueue) {
        Workers::start(&this.workers, number, this.clone(), wq);
    }
}

impl Employer for LoopDevice {
    fn work(this: &Arc<Self>, number: usize) {
        dispatch::work(&**this, number);
    }
}

impl Gated for LoopDevice {
    fn gate(&self) -> &Gate<Self> {
        &self.gate
    }
}
