// SPDX-License-Identifier: GPL-2.0

//! Mutual exclusion of direct writes and cached I/O on the backing file of one device.
//!
//! A direct write bypasses the page cache of the backing file, which may hold other parts of the
//! pages that it touches. It writes them back and invalidates them first, but not every file system
//! does so again afterwards. A cached read or write in between would fill the cache with stale
//! data. So either direct writes or cached I/O are in flight, never both. Direct reads are not
//! affected. The file systems do the same for themselves where they can: `fs/netfs/locking.c`,
//! `fs/nfs/io.c`.

use super::cmd::{
    Cmd,
    IoKind, //
};
use kernel::prelude::*;
use kernel_ext::{
    block::mq::{
        Operations,
        Request,
        RequestList, //
    },
    new_irq_lock,
    sync::IrqLock, //
};

struct State<T: Operations<RequestData = Cmd>> {
    /// The kind of I/O in flight; meaningless if `in_flight` is 0.
    kind: IoKind,
    in_flight: u32,
    waiting: RequestList<T>,
}

impl<T: Operations<RequestData = Cmd>> State<T> {
    fn admits(&self, kind: IoKind) -> bool {
        self.in_flight == 0 || self.kind == kind
    }

    fn admit(&mut self, rq: &mut Request<T>, kind: IoKind) {
        self.kind = kind;
        self.in_flight += 1;
        rq.data_mut().active = Some(kind);
    }
}

/// The exclusion of one device.
#[pin_data]
pub(crate) struct DioExclusion<T: Operations<RequestData = Cmd>> {
    #[pin]
    state: IrqLock<State<T>>,
}

impl<T: Operations<RequestData = Cmd>> DioExclusion<T> {
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- new_irq_lock!(
                State {
                    kind: IoKind::DirectWrite,
                    in_flight: 0,
                    waiting: RequestList::default(),
                },
                "rloop_dio_exclusion"
            ),
        })
    }

    /// Begins I/O of `kind` and returns the request, or keeps the request until an
    /// [`end_io`](Self::end_io) admits it. Any context.
    pub(super) fn start_io(&self, mut rq: Request<T>, kind: IoKind) -> Option<Request<T>> {
        self.state.with(|state| {
            // Requests that wait are admitted first, or they could starve.
            if state.waiting.is_empty() && state.admits(kind) {
                state.admit(&mut rq, kind);
                return Some(rq);
            }
            rq.data_mut().pending = Some(kind);
            state.waiting.push(rq);
            None
        })
    }

    /// Ends I/O of a request that was admitted. Returns the requests that are admitted now. Any
    /// context.
    pub(super) fn end_io(&self) -> RequestList<T> {
        self.state.with(|state| {
            let mut admitted = RequestList::default();
            state.in_flight -= 1;
            while let Some(kind) = state.waiting.front().and_then(|rq| rq.data().pending) {
                if !state.admits(kind) {
                    break;
                }
                let Some(mut rq) = state.waiting.pop() else {
                    break;
                };
                state.admit(&mut rq, kind);
                admitted.push(rq);
            }
            admitted
        })
    }
}
