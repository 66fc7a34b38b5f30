// SPDX-License-Identifier: GPL-2.0

//! Tracepoints of requests: `include/trace/events/rloop.h`.
//!
//! `request.rs` has safe methods for them. A disabled tracepoint costs a no-op instruction, which
//! the kernel patches (`static_branch_unlikely()`); without CONFIG_JUMP_LABEL it costs a test of
//! the key, without CONFIG_TRACEPOINTS nothing.
//!
//! `kernel::tracepoint` does the same, but for tracepoints in the bindings of the kernel crate.
//!
//! C header: [`include/linux/tracepoint.h`](srctree/include/linux/tracepoint.h)

use crate::helpers;
use kernel::{
    bindings,
    prelude::*, //
};

/// Returns whether a tracepoint of `rust/helpers/trace.c` is enabled.
///
/// Not in rustdoc's search for examples (`doctest`), which lacks the crate's feature `asm_goto`.
macro_rules! enabled {
    ($tracepoint:ident) => {{
        #[cfg(all(CONFIG_TRACEPOINTS, CONFIG_JUMP_LABEL, not(doctest)))]
        let enabled = 'branch: {
            // SAFETY: The assembly does nothing or jumps to the label, and adds an entry for the
            // key to the jump table of the module. The key is that of a tracepoint of the module.
            unsafe {
                kernel::asm!(
                    static_branch::static_branch_asm!();
                    l_yes = label {
                        break 'branch true;
                    },
                    symb = sym helpers::$tracepoint,
                    off = const core::mem::offset_of!(bindings::tracepoint, key),
                    branch = const 0,
                )
            };
            false
        };

        // SAFETY: The tracepoint lives as long as the module, and the count may change meanwhile.
        #[cfg(all(CONFIG_TRACEPOINTS, not(CONFIG_JUMP_LABEL), not(doctest)))]
        let enabled = unsafe {
            (&raw const helpers::$tracepoint.key.key.enabled.counter).read_volatile() > 0
        };

        #[cfg(any(not(CONFIG_TRACEPOINTS), doctest))]
        let enabled = false;

        enabled
    }};
}

/// Traces that a request has arrived: `trace_rloop_submit()`. Any context.
///
/// # Safety
///
/// The caller must own `rq`, which must be in flight.
#[inline(always)]
pub(super) unsafe fn submit(rq: *mut bindings::request) {
    if enabled!(__tracepoint_rloop_submit) {
        // SAFETY: The caller owns the request.
        unsafe { helpers::kx_trace_submit(rq) };
    }
}

/// Traces that a request goes to a worker, and why: `trace_rloop_fallback()`. Any context.
///
/// # Safety
///
/// The caller must pass a request that is in flight during the call.
#[inline(always)]
pub(super) unsafe fn fallback(rq: *mut bindings::request, reason: &CStr) {
    if enabled!(__tracepoint_rloop_fallback) {
        // SAFETY: The caller keeps the request in flight. The event copies the string.
        unsafe { helpers::kx_trace_fallback(rq, reason.as_char_ptr()) };
    }
}

/// Traces that a request ends with `status`: `trace_rloop_complete()`. Any context.
///
/// # Safety
///
/// The caller must own `rq`, which must be in flight.
#[inline(always)]
pub(super) unsafe fn complete(rq: *mut bindings::request, status: bindings::blk_status_t) {
    if enabled!(__tracepoint_rloop_complete) {
        // SAFETY: The caller owns the request.
        unsafe { helpers::kx_trace_complete(rq, status) };
    }
}
