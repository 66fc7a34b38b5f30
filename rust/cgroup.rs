// SPDX-License-Identifier: GPL-2.0

//! Charging I/O to the cgroup that a request comes from.
//!
//! C headers: [`include/linux/blk-cgroup.h`](srctree/include/linux/blk-cgroup.h),
//! [`include/linux/sched/mm.h`](srctree/include/linux/sched/mm.h)

use crate::{
    block::mq::{
        InFlight,
        Operations,
        Request, //
    },
    helpers, //
};

/// The cgroup of a request's I/O, to compare. It may be gone when its last request has ended, and
/// another one may then be the same.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Group(usize);

impl Group {
    /// The root cgroup, and that of requests that have none.
    pub const ROOT: Self = Self(0);

    /// The cgroup of the first bio, as `bio_blkcg_css()`. Any context.
    pub fn of<T: Operations>(rq: &InFlight<T>) -> Self {
        // SAFETY: The request is in flight.
        Self(unsafe { helpers::kx_rq_blkcg(rq.as_raw()) } as usize)
    }

    /// A number for tables, much the same for all.
    pub fn hash(self) -> usize {
        // Of a pointer to a struct the low bits tell nothing.
        self.0 >> 8
    }
}

/// Calls `f` while I/O and memory of the current task are charged to the cgroup of `rq`. For
/// workers: of another task only the memory is charged. Sleeps if `f` does.
///
/// Wraps `kthread_associate_blkcg()` and `set_active_memcg()`.
pub fn charged<T: Operations>(rq: Request<T>, f: impl FnOnce(Request<T>)) {
    if Group::of(&rq) == Group::ROOT {
        return f(rq);
    }
    let mut charge = helpers::Charge::default();
    // SAFETY: The request, and with it its cgroup, is there; `charge` takes references of its own.
    unsafe { helpers::kx_charge_enter(rq.as_raw(), &mut charge) };
    f(rq);
    // SAFETY: Entered above by this task.
    unsafe { helpers::kx_charge_leave(&charge) };
}
