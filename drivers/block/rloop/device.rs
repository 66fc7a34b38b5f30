// SPDX-License-Identifier: GPL-2.0

//! A loop device, its state and its status.

use crate::{
    backing::Backing,
    io::{
        cmd::Cmd,
        dispatch,
        lower,
        rw,
        workers::HighpriWorkers,
        IoDevice,
        IoEngine, //
    },
    io_mode::IoMode,
    not_pinned::NotPinned,
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
    block::{
        gen_disk::{
            sysfs::{
                Directory,
                Group, //
            },
            Disk, //
        },
        limits::Limits,
        mq::{
            DeviceData,
            FrozenQueue,
            HwCtx,
            InlineContext,
            NewRequest,
            Operations,
            Outcome,
            Request, //
        }, //
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
    task::TaskName,
    workers::WorkArrayOps, //
};

/// What all devices of the module share.
#[pin_data]
pub(crate) struct Shared {
    /// The prefix of the disks' names.
    pub(crate) prefix: &'static str,
    /// Whether devices use direct I/O by default: module parameter `dio`.
    pub(crate) dio: bool,
    /// Whether devices are pinned at attach where possible: module parameter `pin`.
    pub(crate) pin: bool,
    /// A device has 2 to the power of this minors, see `max_part`.
    pub(crate) part_shift: u32,
    /// Held while a device is bound to another loop device, and while one begins to be cleared, so
    /// that a chain of loop devices does not change while it is walked. Taken before [`State`]'s
    /// mutex.
    #[pin]
    pub(crate) nesting: KillableMutex<()>,
    /// The backing files whose page caches are restricted to GFP_NOIO.
    pub(crate) gfp: Arc<GfpTable>,
    pub(crate) directories: Directories,
    highpri: Arc<HighpriWorkers>,
}

/// The sysfs directories of all devices.
pub(crate) struct Directories {
    /// `loop`: the attributes of a bound device.
    pub(crate) binding: Arc<Directory<LoopDevice>>,
    /// `rloop`: state and counters. A disk is added with it, as creating so many attributes takes
    /// longer than much of binding.
    pub(crate) state: Arc<Directory<LoopDevice>>,
}

impl Shared {
    pub(crate) fn new(
        prefix: &'static str,
        params: Params,
        directories: Directories,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            prefix,
            dio: params.dio,
            pin: params.pin,
            part_shift: params.part_shift,
            nesting <- new_killable_mutex!((), "rloop_nesting"),
            gfp: Arc::pin_init(GfpTable::new(), GFP_KERNEL)?,
            directories,
            highpri: Arc::new(HighpriWorkers::new()?, GFP_KERNEL)?,
        })
    }

    /// Whether every device is scanned for partitions, as they have minors for them.
    pub(crate) fn scans_always(&self) -> bool {
        self.part_shift > 0
    }
}

/// A loop device; the driver's data of its disk.
#[pin_data]
pub(crate) struct LoopDevice {
    pub(crate) number: u32,
    pub(crate) shared: Arc<Shared>,
    #[pin]
    state: KillableMutex<State>,
    /// Changed with `state` held, read without.
    #[pin]
    status: SpinLock<Option<Status>>,
    #[pin]
    io: IoEngine<LoopDevice>,
    /// A request without a backing has been logged since the device was bound last.
    late_reported: Atomic<bool>,
}

/// The state of a device.
pub(crate) enum State {
    /// The device has no backing.
    Unbound,
    /// The device has a backing.
    Bound(KBox<Bound>),
    /// LOOP_CLR_FD was called by the only opener: opening fails, and the last close clears the
    /// device.
    Rundown(KBox<Bound>),
    /// The last close is clearing the device.
    Clearing,
    /// The device is being removed.
    Deleting,
}

/// What a bound device owns beside its backing. Dropping it gives all back, top to bottom.
pub(crate) struct Bound {
    pub(crate) group: Group<LoopDevice>,
    pub(crate) gfp: RestrictedGfp,
    pub(crate) module: ModuleRef,
}

/// The status of a bound device, as ioctls and sysfs show it.
#[derive(Clone)]
pub(crate) struct Status {
    pub(crate) backing: Arc<Backing>,
    /// In bytes, 0 for none; never negative.
    pub(crate) sizelimit: i64,
    pub(crate) autoclear: bool,
    pub(crate) partscan: bool,
    pub(crate) rundown: bool,
    /// The task that called LOOP_CLR_FD first, if the device is to be cleared but still open.
    pub(crate) detached_by: Option<TaskName>,
    pub(crate) name: [u8; uapi::NAME_SIZE],
    /// Why the file is not pinned, if it is not.
    pub(crate) not_pinned: NotPinned,
}

impl LoopDevice {
    pub(crate) fn new(number: u32, shared: Arc<Shared>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            io <- IoEngine::new(
                fmt!("{}{number}", shared.prefix),
                shared.highpri.clone(),
            ),
            number,
            shared,
            state <- new_killable_mutex!(State::Unbound, "rloop_state"),
            status <- new_spinlock!(None, "rloop_status"),
            late_reported: Atomic::new(false),
        })
    }

    /// Locks the state. Sleeps. Fails with EINTR if the task is killed.
    pub(crate) fn state(&self) -> Result<KillableGuard<'_, State>> {
        self.state.lock_killable()
    }

    /// Locks the state where the caller can't fail. Sleeps.
    pub(crate) fn state_unkillable(&self) -> KillableGuard<'_, State> {
        self.state.lock()
    }

    /// Locks the state of a device that is bound. Sleeps. Fails with ENXIO if it is not bound, and
    /// with EINTR if the task is killed.
    pub(crate) fn lock_bound(&self) -> Result<BoundGuard<'_>> {
        let state = self.state()?;
        match (&*state, self.status()) {
            (State::Bound(_), Some(status)) => Ok(BoundGuard {
                dev: self,
                state,
                status,
            }),
            _ => Err(ENXIO),
        }
    }

    /// The status of a bound device, `None` for another. Does not sleep.
    pub(crate) fn status(&self) -> Option<Status> {
        self.status.lock().clone()
    }

    /// Whether the device is bound. Does not sleep.
    pub(crate) fn has_status(&self) -> bool {
        self.status.lock().is_some()
    }

    /// Changes the status. May drop the last reference to the old backing, and so may sleep.
    pub(crate) fn set_status(&self, _held: &mut State, new: Option<Status>) {
        let old = mem::replace(&mut *self.status.lock(), new);
        drop(old);
    }

    /// Logs the next request without a backing again.
    pub(crate) fn rearm_late_report(&self) {
        self.late_reported.store(false, Relaxed);
    }

    /// Waits until no worker of the device runs. For a device that gets no requests any more.
    /// Sleeps.
    pub(crate) fn drain(&self) {
        self.io.drain();
    }
}

/// The state of a device, locked, which is [`State::Bound`].
pub(crate) struct BoundGuard<'a> {
    dev: &'a LoopDevice,
    state: KillableGuard<'a, State>,
    status: Status,
}

impl BoundGuard<'_> {
    /// The status.
    pub(crate) fn status(&self) -> &Status {
        &self.status
    }

    /// Changes the status. Sleeps.
    pub(crate) fn set_status(&mut self, new: Status) {
        self.status = new.clone();
        self.dev.set_status(&mut self.state, Some(new));
    }

    /// Moves the device to [`State::Rundown`].
    pub(crate) fn run_down(mut self) {
        *self.state = match mem::replace(&mut *self.state, State::Clearing) {
            State::Bound(bound) => State::Rundown(bound),
            other => other,
        };
    }

    /// Restricts the page cache of another backing file instead.
    pub(crate) fn set_gfp(&mut self, gfp: RestrictedGfp) {
        if let State::Bound(bound) = &mut *self.state {
            bound.gfp = gfp;
        }
    }

    /// Whether another device has the backing file, too.
    pub(crate) fn gfp_is_shared(&self) -> bool {
        matches!(&*self.state, State::Bound(bound) if bound.gfp.is_shared())
    }

    /// Replaces the backing by that of `new` while no request is in flight, together with the
    /// limits of the disk, and then the status. Sleeps. Fails with EINVAL if the block layer
    /// refuses the limits, and with the error of a write-back before a device without a write cache
    /// of its own; then nothing has changed.
    pub(crate) fn replace_backing(
        &mut self,
        disk: &Disk<LoopDevice>,
        new: Status,
        limits: impl FnOnce(&mut Limits),
    ) -> Result {
        let was_remap = self.status.backing.mode == IoMode::Remap;
        self.replace_backing_with(disk, |_| {
            if new.backing.mode == IoMode::Remap && !was_remap {
                // A flush of the disk below does not write the page cache of the file back.
                new.backing.file.write_back()?;
            }
            Ok((new, limits))
        })
    }

    /// As [`replace_backing`](Self::replace_backing), with what `make` returns with the queue
    /// frozen: the status, and a function that sets the limits. Fails also with the error of
    /// `make`.
    pub(crate) fn replace_backing_with<F, L, E>(
        &mut self,
        disk: &Disk<LoopDevice>,
        make: F,
    ) -> Result<(), E>
    where
        F: FnOnce(&FrozenQueue<'_, LoopDevice>) -> Result<(Status, L), E>,
        L: FnOnce(&mut Limits),
        E: From<Error>,
    {
        let old = self.status.backing.clone();
        let mut status = None;
        disk.update_limits_frozen(
            |frozen, limits| {
                let (new, set) = make(frozen)?;
                set(limits);
                Ok::<_, E>(new)
            },
            |frozen, new| {
                drop(frozen.publish(Some(new.backing.clone())));
                // Requests that find the new backing may use the file operations.
                old.release_unless_kept(Some(&new.backing));
                status = Some(new);
            },
        )?;
        if let Some(new) = status {
            disk.set_nomerges(new.backing.mode == IoMode::Remap);
            self.set_status(new);
        }
        Ok(())
    }
}

impl DeviceData for LoopDevice {
    type RequestData = Cmd;
    type Published = Backing;
}

impl Operations for LoopDevice {
    fn queue_rq(&self, _hctx: &HwCtx<Self>, rq: NewRequest<Self>, task: &InlineContext) -> Outcome {
        dispatch::queue_rq(rq, task)
    }

    #[inline(always)]
    fn io_done(rq: Request<Self>, result: Result<u32>) {
        rw::complete(rq, result);
    }

    fn lower_done(rq: Request<Self>, result: Result) {
        lower::done(rq, result);
    }
}

impl WorkArrayOps for LoopDevice {
    fn work(this: &Arc<Self>, number: usize) {
        dispatch::process_work(&**this, number);
    }
}

impl IoDevice for LoopDevice {
    fn io(&self) -> &IoEngine<Self> {
        &self.io
    }

    fn report_late(&self) {
        if !self.late_reported.xchg(true, Relaxed) {
            pr_warn!(
                "{}{}: I/O after the last close failed\n",
                self.shared.prefix,
                self.number
            );
        }
    }
}
