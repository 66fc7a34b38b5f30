// SPDX-License-Identifier: GPL-2.0
/* Tracepoints. Rust tests the static key before it calls one of these. */

#include <linux/blk-mq.h>
#include <trace/events/block.h>

#define CREATE_TRACE_POINTS
#include <trace/events/rloop.h>

#include "helpers.h"

void kx_trace_submit(struct request *rq)
{
	trace_rloop_submit(rq);
}

void kx_trace_fallback(struct request *rq, const char *reason)
{
	trace_rloop_fallback(rq, reason);
}

void kx_trace_complete(struct request *rq, blk_status_t status)
{
	trace_rloop_complete(rq, blk_status_to_errno(status));
}
