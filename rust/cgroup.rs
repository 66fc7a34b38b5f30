// SPDX-License-Identifier: GPL-2.0

//! Charges I/O to the cgroup that a request comes from.
//!
//! [`Group`] identifies the `struct cgroup_subsys_state` of a request without a reference to it.
//! [`charged`] charges the current task's I/O to it, with references of its own.
//!
//! # Examples
//!
//! ```
//! use kernel::prelude::*;
//! use kernel_ext::{
//!     block::mq::{
//!         DeviceData,
//!         InFlight,
//!         Request, //
//!     },
//!     cgroup::{
//!         self,
//!         Group, //
//!     },
//!     fs::BackingFile, //
//! };
//!
//! /// Returns the worker for a request, so that a throttled cgroup delays few others.
//! fn worker<T: DeviceData>(rq: &InFlight<T>) -> usize {
//!     Group::of(rq).hash() % 8
//! }
//!
//! /// Serves a flush from a worker, with the I/O charged to the cgroup of the request. Sleeps.
//! fn flush<T: DeviceData<Published = BackingFile>>(rq: Request<T>) {
//!     cgroup::charged(rq, |rq| {
//!         let result = rq.published().map_or(Err(EIO), BackingFile::fdatasync);
//!         rq.end(result);
//!     });
//! }
//! ```
//!
//! C headers: [`include/linux/blk-cgroup.h`](srctree/include/linux/blk-cgroup.h),
//! [`include/linux/sched/mm.h`](srctree/include/linux/sched/mm.h)

use crate::{
    block::mq::{
        DeviceData,
        InFlight,
        Request, //
    },
    helpers, //
};

/// The cgroup of a request's I/O, for comparison only. It holds no reference: the cgroup may be
/// freed when its last request has ended, and a new cgroup may then compare equal.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Group(usize);

impl Group {
    /// The root cgroup, also for requests without a cgroup.
    pub const ROOT: Self = Self(0);

    /// Returns the cgroup of the first bio, as `bio_blkcg_css()`. Any context.
    pub fn of<T: DeviceData>(rq: &InFlight<T>) -> Self {
        // SAFETY: The request is in flight, so its bios and their cgroup are valid.
        Self(unsafe { helpers::kx_rq_blkcg(rq.as_raw()) } as usize)
    }

    /// Returns a hash for tables. Any context.
    pub fn hash(self) -> usize {
        // The low bits of a pointer to a struct are the same for all cgroups.
        self.0 >> 8
    }
}

/// Calls `f` while the I/O and the memory of the current task are charged to the cgroup of `rq`.
///
/// For workers: `kthread_associate_blkcg()` ignores other tasks, so for them only the memory is
/// charged, and nothing in an interrupt. Sleeps if `f` does.
///
/// Wraps `kthread_associate_blkcg()` and `set_active_memcg()`.
pub fn charged<T: DeviceData>(rq: Request<T>, f: impl FnOnce(Request<T>)) {
    if Group::of(&rq) == Group::ROOT {
        return f(rq);
    }
    let mut charge = helpers::Charge::default();
    // SAFETY: The request is in flight and keeps its cgroup alive. `charge` gets references of its
    // own.
    let is_charged = unsafe { helpers::kx_charge_enter(rq.as_raw(), &mut charge) };
    f(rq);
    if is_charged {
        // SAFETY: `kx_charge_enter()` filled `charge` above, in this task.
        unsafe { helpers::kx_charge_leave(&charge) };
    }
}
