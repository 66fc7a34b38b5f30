// SPDX-License-Identifier: GPL-2.0
/* End a request, which may complete the I/O above it on the same stack. */

#include <linux/blk-mq.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>

#include "helpers.h"

/*
 * Stack for the end of a request before the next request above it ends: the
 * completions of a file system and of a dozen dm targets, each of which takes 64
 * bytes on x86-64 and 240 on arm64, and an interrupt.
 */
#define KX_END_ROOM	(THREAD_SIZE / 2)

/* Set while a request is being ended on the interrupt stack of this CPU. */
static DEFINE_PER_CPU(bool, kx_ending);

static __always_inline void end(struct request *rq, unsigned int good, blk_status_t status)
{
	/*
	 * Never update all bytes: blk_update_request() would complete the
	 * request.
	 */
	if (good && good < blk_rq_bytes(rq))
		blk_update_request(rq, BLK_STS_OK, good);
	blk_mq_end_request(rq, status);
}

/*
 * A module cannot find the bounds of an interrupt stack, so on an interrupt stack
 * one end must not run inside another.
 */
static __always_inline void try_end(struct request *rq, unsigned int good,
				    blk_status_t status, kx_defer_fn *defer)
{
	unsigned long room = (unsigned long)__builtin_frame_address(0) -
			     (unsigned long)end_of_stack(current);

	if (likely(room - KX_END_ROOM < THREAD_SIZE - KX_END_ROOM)) {
		end(rq, good, status);
	} else if (room < THREAD_SIZE || this_cpu_read(kx_ending)) {
		defer(rq, good, status);
	} else {
		this_cpu_write(kx_ending, true);
		end(rq, good, status);
		this_cpu_write(kx_ending, false);
	}
}

/* Ends a request if the stack has room, or calls defer. */
void kx_rq_end(struct request *rq, blk_status_t status, kx_defer_fn *defer)
{
	try_end(rq, 0, status, defer);
}

/* As kx_rq_end(), but the first good bytes complete without an error. */
void kx_rq_end_part(struct request *rq, blk_status_t status, kx_defer_fn *defer,
		    unsigned int good)
{
	try_end(rq, good, status, defer);
}
