// SPDX-License-Identifier: GPL-2.0
/* Shims for ending a request, which may complete what lies above on the same stack. */

#include <linux/blk-mq.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>

#include "helpers.h"

/*
 * What the end of a request may take before the next request above ends: the
 * completions of a file system and of a dozen of dm targets.
 */
#define KX_END_ROOM	(THREAD_SIZE / 8 * 3)

/* A request is being ended on the interrupt stack of this CPU. */
static DEFINE_PER_CPU(bool, kx_ending);

static __always_inline void end(struct request *rq, unsigned int good, blk_status_t status)
{
	/* Never all of it: that would be its end. */
	if (good && good < blk_rq_bytes(rq))
		blk_update_request(rq, BLK_STS_OK, good);
	blk_mq_end_request(rq, status);
}

/*
 * An interrupt stack has no bounds that a module could know, so there one end does not run
 * inside another.
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

/* Ends a request where there is room on the stack, or calls defer. */
void kx_rq_end(struct request *rq, blk_status_t status, kx_defer_fn *defer)
{
	try_end(rq, 0, status, defer);
}

/* The same, but its first good bytes end well. */
void kx_rq_end_part(struct request *rq, blk_status_t status, kx_defer_fn *defer,
		    unsigned int good)
{
	try_end(rq, good, status, defer);
}
