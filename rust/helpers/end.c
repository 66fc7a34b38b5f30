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

static void end(struct request *rq, unsigned int good, blk_status_t status)
{
	/* Never all of it: that would be its end. */
	if (unlikely(good) && good < blk_rq_bytes(rq))
		blk_update_request(rq, BLK_STS_OK, good);
	blk_mq_end_request(rq, status);
}

/*
 * Ends the first good bytes of a request well and the rest with status, where there is
 * room on the stack, or calls defer. An interrupt stack has no bounds that a module could
 * know, so there one end does not run inside another.
 */
void kx_rq_end(struct request *rq, unsigned int good, blk_status_t status,
	       kx_defer_fn *defer)
{
	unsigned long room = (unsigned long)__builtin_frame_address(0) -
			     (unsigned long)end_of_stack(current);

	if (likely(room < THREAD_SIZE)) {
		if (likely(room > KX_END_ROOM))
			end(rq, good, status);
		else
			defer(rq, good, status);
		return;
	}
	if (this_cpu_read(kx_ending)) {
		defer(rq, good, status);
		return;
	}
	this_cpu_write(kx_ending, true);
	end(rq, good, status);
	this_cpu_write(kx_ending, false);
}
