// SPDX-License-Identifier: GPL-2.0
/* Shims for doing I/O in a task that is in the middle of its own. */

#include <linux/bio.h>
#include <linux/blk-cgroup.h>
#include <linux/blk-mq.h>
#include <linux/cgroup.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/task_stack.h>

#include "helpers.h"

/* What lies below may be a file system on a device on a file system. */
#define KX_STACK_ROOM	(THREAD_SIZE / 2)

/* BLK_MAX_REQUEST_COUNT, which is the block layer's own. */
#define KX_PLUG_IOS	32

static bool stack_has_room(struct task_struct *task)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);

	return here - (unsigned long)end_of_stack(task) > KX_STACK_ROOM;
}

/*
 * Not while reclaiming memory, and not while bios of others wait for this task: one
 * of them may hold what an allocation below waits for.
 */
static bool fits(struct task_struct *task)
{
	struct bio_list *lists = task->bio_list;

	return !(task->flags & (PF_MEMALLOC | PF_KSWAPD)) &&
	       stack_has_room(task) &&
	       (!lists || (bio_list_empty(&lists[0]) && bio_list_empty(&lists[1])));
}

static struct cgroup_subsys_state *root_css(void)
{
#ifdef CONFIG_BLK_CGROUP
	return blkcg_root_css;
#else
	return NULL;
#endif
}

/* To compare only: whom I/O of the task is charged to. */
static struct cgroup_subsys_state *charged_css(struct task_struct *task)
{
	struct cgroup_subsys_state *css = root_css();

#ifdef CONFIG_BLK_CGROUP
	if (!(task->flags & PF_KTHREAD)) {
		rcu_read_lock();
		css = task_css(task, io_cgrp_id);
		rcu_read_unlock();
	}
#endif
	return css;
}

/*
 * A file system below takes journal_info for its own open transaction. With a
 * bio_list, what is submitted below would only be queued until we return, and
 * on a plug that is just being flushed it would mix with the requests above:
 * whoever waits for it below would wait for ever. Reclaim must not come back
 * to the device. And the bytes have been accounted to the task already.
 *
 * The task may hold locks of a file system above, and it is in a section of the
 * SRCU of the queue. lockdep takes them for those of the file systems and queues
 * below, as they have one class, and sees circles. There are none: devices are
 * never put below themselves. A worker holds nothing, so with it lockdep looks on.
 */
void kx_submitter_enter(struct kx_submitter *s, unsigned short requests)
{
	struct task_struct *task = current;

	s->fits = fits(task);
	s->css = charged_css(task);
	s->journal_info = task->journal_info;
	s->bio_list = task->bio_list;
	s->plug = task->plug;
	/* The scheduler looks for the plug of a task that has this flag. */
	if (task->flags & PF_BLOCK_TS) {
		task->flags &= ~PF_BLOCK_TS;
		s->plug->cur_ktime = 0;
	}
	barrier();
	task->journal_info = NULL;
	task->bio_list = NULL;
	task->plug = NULL;
	s->memflags = memalloc_noio_save();
#ifdef CONFIG_TASK_IO_ACCOUNTING
	s->read_bytes = task->ioac.read_bytes;
	s->write_bytes = task->ioac.write_bytes;
#endif
	lockdep_off();
	if (requests) {
		blk_start_plug(&s->own);
		/* As blk_start_plug_nr_ios(): tags below are taken all at once. */
		s->own.nr_ios = min_t(unsigned short, requests, KX_PLUG_IOS);
	}
}

void kx_submitter_leave(struct kx_submitter *s, unsigned short requests)
{
	struct task_struct *task = current;

	if (requests)
		blk_finish_plug(&s->own);
	lockdep_on();
#ifdef CONFIG_TASK_IO_ACCOUNTING
	task->ioac.read_bytes = s->read_bytes;
	task->ioac.write_bytes = s->write_bytes;
#endif
	memalloc_noio_restore(s->memflags);
	task->plug = s->plug;
	task->bio_list = s->bio_list;
	task->journal_info = s->journal_info;
}

/*
 * I/O below is charged to the current task, which may be doing it for others. (Requests
 * that kthreads bring are those that others have left behind.)
 */
bool kx_submitter_fits(const struct kx_submitter *s, const struct request *rq)
{
	return s->fits && s->css == (kx_rq_blkcg(rq) ?: root_css());
}
