// SPDX-License-Identifier: GPL-2.0
/* Shims for doing I/O in a task that is in the middle of its own. */

#include <linux/bio.h>
#include <linux/blk-cgroup.h>
#include <linux/blk-mq.h>
#include <linux/cgroup.h>
#include <linux/freezer.h>
#include <linux/io_uring_types.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>

#include "helpers.h"

/* What lies below may be a file system on a device on a file system. */
#define KX_STACK_ROOM	(THREAD_SIZE / 2)

/* BLK_PLUG_FLUSH_SIZE, of the first request in a plug. */
#define KX_PLUG_BYTES	(128 * 1024)

static bool stack_has_room(struct task_struct *task)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);

	return here - (unsigned long)end_of_stack(task) > KX_STACK_ROOM;
}

/*
 * Whether the plug of the task holds anything of another queue: a request with its
 * tag and its reference to the queue, or bios in a callback. The path below sleeps
 * for tags and for queue entry in spite of IOCB_NOWAIT, and the plug is not flushed
 * while it is put aside.
 *
 * In a submission (bio_list), blk_add_rq_to_plug() flushes a plug that is full while
 * the request to be added is in no list. It may be of any queue.
 */
static bool holds_others(const struct task_struct *task, struct blk_plug *plug,
			 const struct request_queue *q)
{
	const struct request *rq;

	if (task->bio_list || !list_empty(&plug->cb_list))
		return true;
	rq_list_for_each(&plug->mq_list, rq) {
		if (rq->q != q)
			return true;
		/* blk_add_rq_to_plug() compares each with the first one. */
		if (!plug->multiple_queues)
			break;
	}
	rq_list_for_each(&plug->cached_rqs, rq)
		if (rq->q != q)
			return true;
	return false;
}

/*
 * blk_execute_rq_nowait() adds a passthrough request to a full plug in the same way, but
 * in no submission: io_uring does that for NVMe and bsg, with a ring whose entries are
 * large. The batch then is one that is full. (The thread that polls for submissions
 * doesn't say for which ring.)
 */
static bool may_hold_passthrough(const struct task_struct *task,
				 unsigned short requests, unsigned int bytes)
{
#ifdef CONFIG_IO_URING
	const unsigned int sqe = IORING_SETUP_SQE128 | IORING_SETUP_SQE_MIXED;
	const unsigned int cqe = IORING_SETUP_CQE32 | IORING_SETUP_CQE_MIXED;
	const struct io_ring_ctx *ring;

	if (!task->io_uring || (requests < KX_PLUG_IOS && bytes < KX_PLUG_BYTES))
		return false;
	ring = task->io_uring->last;
	if (!ring)
		return task->flags & PF_USER_WORKER;
	return ring->flags & sqe && ring->flags & cqe;
#else
	return false;
#endif
}

/*
 * Once tasks are being frozen for suspend or hibernation, a task that is not frozen
 * itself (the flusher) leaves its requests to the workers, which are.
 */
static bool outlives_freezing(const struct task_struct *task)
{
#ifdef CONFIG_FREEZER
	return static_branch_unlikely(&freezer_active) &&
	       task->flags & (PF_KTHREAD | PF_NOFREEZE);
#else
	return false;
#endif
}

/*
 * kblockd dispatches for all disks, those below, too. Its rescuer does one item after the
 * other and must not wait for the next. (A flusher has a plug.)
 */
static bool is_dispatch_worker(const struct task_struct *task)
{
	return task->flags & PF_WQ_WORKER;
}

/*
 * Not while reclaiming memory, and not while bios of others wait for this task: one
 * of them may hold what an allocation below waits for.
 */
static bool fits(struct task_struct *task, const struct request *first,
		 unsigned short requests)
{
	struct bio_list *lists = task->bio_list;

	return stack_has_room(task) &&
	       !(task->flags & (PF_MEMALLOC | PF_KSWAPD)) &&
	       (!lists || (bio_list_empty(&lists[0]) && bio_list_empty(&lists[1]))) &&
	       (task->plug ? !holds_others(task, task->plug, first->q) &&
			     !may_hold_passthrough(task, requests, blk_rq_bytes(first)) :
			     !is_dispatch_worker(task)) &&
	       !outlives_freezing(task);
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
 * never put below themselves. A worker holds nothing, so with it lockdep looks on;
 * so it does where can_watch() says that it may.
 */
void kx_inline_enter(struct kx_inline *s, const struct request *first,
		     unsigned short requests)
{
	struct task_struct *task = current;

	s->fits = fits(task, first, requests);
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

void kx_inline_leave(struct kx_inline *s, unsigned short requests)
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
 * that kthreads bring are those that others have left behind.) And a file checks the
 * position of a write against the limit of the current task: generic_write_check_limits()
 * sends SIGXFSZ.
 */
bool kx_inline_fits(const struct kx_inline *s, const struct request *rq)
{
	return s->fits && s->css == (kx_rq_blkcg(rq) ?: root_css()) &&
	       !(op_is_write(req_op(rq)) && rlimit(RLIMIT_FSIZE) != RLIM_INFINITY);
}

bool kx_inline_is_worker(void)
{
	return current->flags & PF_WQ_WORKER;
}
