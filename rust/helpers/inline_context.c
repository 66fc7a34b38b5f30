// SPDX-License-Identifier: GPL-2.0
/* I/O below in a task that is in the middle of its own I/O. */

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

/* The lower file may be in a file system on a device on a file system. */
#define KX_STACK_ROOM	(THREAD_SIZE / 2)

/* BLK_PLUG_FLUSH_SIZE, which applies to the first request of a plug. */
#define KX_PLUG_BYTES	(128 * 1024)

static bool stack_has_room(struct task_struct *task)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);

	return here - (unsigned long)end_of_stack(task) > KX_STACK_ROOM;
}

/*
 * Returns whether the task's plug holds anything of another queue: a request with
 * its tag and its reference to the queue, or bios in a callback. The path below
 * sleeps for tags and for queue entry in spite of IOCB_NOWAIT, and the plug is
 * not flushed while it is set aside.
 *
 * In a submission (bio_list), blk_add_rq_to_plug() flushes a full plug while the
 * request to be added is in no list. That request may be of any queue.
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
		/*
		 * blk_add_rq_to_plug() compares each queue with that of the first
		 * request.
		 */
		if (!plug->multiple_queues)
			break;
	}
	rq_list_for_each(&plug->cached_rqs, rq)
		if (rq->q != q)
			return true;
	return false;
}

/*
 * blk_execute_rq_nowait() adds a passthrough request to a full plug in the same
 * way, but without a bio_list. io_uring does so for NVMe and bsg, on a ring with
 * large entries, and the batch then is that of a full plug. (The thread that
 * polls for submissions does not record its ring.)
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
 * Once tasks are being frozen for suspend or hibernation, a task that is not
 * frozen itself (the flusher) leaves its requests to the workers, which are
 * freezable.
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
 * kblockd dispatches for all disks, including the lower ones. Its rescuer runs
 * one item at a time and must not wait for the next item. (A flusher has a plug.)
 */
static bool is_dispatch_worker(const struct task_struct *task)
{
	return task->flags & PF_WQ_WORKER;
}

/*
 * Decides whether the current task may submit the I/O of a batch itself. This is
 * policy, in C because it consists of macros, inline functions and fields of
 * task_struct, some of them under config options.
 * Returns the guard that forbids it, if one does.
 *
 * Not in memory reclaim, and not while bios of others wait on the bio_list for
 * this task: one of them may hold what an allocation below waits for.
 */
static enum kx_guard find_guard(struct task_struct *task, const struct request *first,
				unsigned short requests)
{
	struct bio_list *lists = task->bio_list;

	if (!stack_has_room(task))
		return KX_GUARD_STACK;
	if (task->flags & (PF_MEMALLOC | PF_KSWAPD))
		return KX_GUARD_RECLAIM;
	if (lists && !(bio_list_empty(&lists[0]) && bio_list_empty(&lists[1])))
		return KX_GUARD_BIO_LIST;
	if (task->plug) {
		if (holds_others(task, task->plug, first->q))
			return KX_GUARD_PLUG;
		if (may_hold_passthrough(task, requests, blk_rq_bytes(first)))
			return KX_GUARD_PASSTHROUGH;
	} else if (is_dispatch_worker(task)) {
		return KX_GUARD_KBLOCKD;
	}
	if (outlives_freezing(task))
		return KX_GUARD_FREEZING;
	return KX_GUARD_NONE;
}

static struct cgroup_subsys_state *root_css(void)
{
#ifdef CONFIG_BLK_CGROUP
	return blkcg_root_css;
#else
	return NULL;
#endif
}

/* The cgroup that the task's I/O is charged to. For comparison only. */
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
 * Sets aside the state of a task in the middle of its own I/O:
 *
 * - journal_info: a file system below would take it for its own open transaction.
 * - bio_list: a bio submitted below would only be queued until we return, and a
 *   wait for it would never end.
 * - plug: it is being flushed. Requests from below would mix with those above,
 *   and a wait for them would never end.
 * - memflags: reclaim must not enter the device.
 * - ioac: the bytes are already accounted to the task.
 *
 * lockdep is off: the task may hold locks of a file system above, and it is in an
 * SRCU read-side section of the queue. lockdep gives these the same classes as
 * the locks of file systems and queues below, and reports a cycle. There is none,
 * as a device is never bound to a file on itself. In a worker, which holds no
 * such lock, lockdep stays enabled, and so it does where can_watch() permits it.
 */
void kx_inline_enter(struct kx_inline *s, const struct request *first,
		     unsigned short requests)
{
	struct task_struct *task = current;

	s->guard = find_guard(task, first, requests);
	s->css = charged_css(task);
	s->journal_info = task->journal_info;
	s->bio_list = task->bio_list;
	s->plug = task->plug;
	/* The scheduler uses the plug of a task with this flag. */
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
		/*
		 * As blk_start_plug_nr_ios(): allocate the tags below in one
		 * batch.
		 */
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
 * Decides whether the current task may submit this request itself. Returns the
 * guard that forbids it, if one does.
 *
 * The I/O below is charged to the current task, which may be submitting for
 * another cgroup. (A kthread brings requests that other tasks have left behind.)
 * And the lower file checks the position of a write against the file size limit
 * of the current task: generic_write_check_limits() sends SIGXFSZ.
 */
enum kx_guard kx_inline_guard(const struct kx_inline *s, const struct request *rq)
{
	if (s->guard)
		return s->guard;
	if (s->css != (kx_rq_blkcg(rq) ?: root_css()))
		return KX_GUARD_CGROUP;
	if (op_is_write(req_op(rq)) && rlimit(RLIMIT_FSIZE) != RLIM_INFINITY)
		return KX_GUARD_FILE_SIZE;
	return KX_GUARD_NONE;
}

bool kx_inline_is_worker(void)
{
	return current->flags & PF_WQ_WORKER;
}
