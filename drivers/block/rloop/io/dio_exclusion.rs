// SPDX-License-Identifier: GPL-2.0

//! Keeps direct writes and cached I/O of a device apart, where a device has both.
//!
//! A direct write goes past pages of the backing file's cache that may hold its neighbours, too. It
//! writes them back and drops them first, and not all files do so again in the end. A cached write or
//! read meanwhile would bring them in again with the old data. So either direct writes or cached
//! requests are under way, never both. Direct reads need no such care.

use crate::io::cmd::{
    Host,
    Side, //
};
use kernel::prelude::*;
use kernel_ext::{
    block::mq::{
        Request,
        RequestList, //
    },
    new_irq_lock,
    sync::IrqLock, //
};

/// A device that has a gate.
pub(crate) trait Gated: Host {
    fn gate(&self) -> &Gate<Self>;
}

struct State<T: Host> {
    /// Who is inside; none if `inside` is 0.
    side: Side,
    inside: u32,
    waiting: RequestList<T>,
}

impl<T: Host> State<T> {
    fn admits(&self, side: Side) -> bool {
        self.inside == 0 || self.side == side
    }

    fn admit(&mut self, rq: &mut Request<T>, side: Side) {
        self.side = side;
        self.inside += 1;
        rq.data_mut().side = Some(side);
    }
}

/// The gate of a device.
#[pin_data]
pub(crate) struct Gate<T: Host> {
    #[pin]
    state: IrqLock<State<T>>,
}

impl<T: Host> Gate<T> {
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- new_irq_lock!(
                State {
                    side: Side::Direct,
                    inside: 0,
                    waiting: RequestList::default(),
                },
                "rloop_gate"
            ),
        })
    }

    /// A request wants in. It comes back if it may go on; else it is sent to a worker when it may.
    /// Any context.
    pub(crate) fn enter(&self, mut rq: Request<T>, side: Side) -> Option<Request<T>> {
        self.state.with(|state| {
            // Those who wait go first, or they might wait for ever.
            if state.waiting.is_empty() && state.admits(side) {
                state.admit(&mut rq, side);
                return Some(rq);
            }
            rq.data_mut().wants = Some(side);
            state.waiting.push(rq);
            None
        })
    }

    /// A request that was let in is done, or goes on as one of the other side. Any context.
    pub(crate) fn leave(&self) {
        let mut admitted = self.state.with(|state| {
            let mut admitted = RequestList::default();
            state.inside -= 1;
            while let Some(side) = state.waiting.front().and_then(|rq| rq.data().wants) {
                if !state.admits(side) {
                    break;
                }
                let Some(mut rq) = state.waiting.pop() else {
                    break;
                };
                state.admit(&mut rq, side);
                admitted.push(rq);
            }
            admitted
        });
        while let Some(rq) = admitted.pop() {
            T::to_worker(rq);
        }
    }
}
