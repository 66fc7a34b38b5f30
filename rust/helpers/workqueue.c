// SPDX-License-Identifier: GPL-2.0
/* Workqueues, and the flags of a task that does I/O for others. */

#include <linux/sched.h>
#include <linux/workqueue.h>

#include "helpers.h"

struct workqueue_struct *kx_alloc_workqueue(const char *name, bool high)
{
	unsigned int flags = WQ_UNBOUND | WQ_FREEZABLE;

	if (high)
		flags |= WQ_HIGHPRI;
	return alloc_workqueue("%s", flags, 0, name);
}

void kx_init_work(struct work_struct *work,
		  void (*fn)(struct work_struct *work))
{
	INIT_WORK(work, fn);
}

void kx_flush_workqueue(struct workqueue_struct *wq)
{
	flush_workqueue(wq);
}

bool kx_queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	return queue_work(wq, work);
}

/* Has its own lock class: it runs in softirqs, other work items do not. */
void kx_init_bh_work(struct work_struct *work,
		     void (*fn)(struct work_struct *work))
{
	INIT_WORK(work, fn);
}

void kx_queue_bh_work(struct work_struct *work)
{
	queue_work(system_bh_wq, work);
}

void kx_init_delayed_work(struct delayed_work *work,
			  void (*fn)(struct work_struct *work))
{
	INIT_DELAYED_WORK(work, fn);
}

/*
 * Does nothing if the item is queued already. It does not run while the system is
 * being suspended, as it may write to a file system.
 */
void kx_queue_delayed_work(struct delayed_work *work, unsigned int ms)
{
	queue_delayed_work(system_freezable_wq, work, msecs_to_jiffies(ms));
}

/* Runs an item now that may be queued for later. */
void kx_hasten_delayed_work(struct delayed_work *work)
{
	mod_delayed_work(system_freezable_wq, work, 0);
}

/* Waits for the item. It must not be queued meanwhile. */
void kx_cancel_delayed_work(struct delayed_work *work)
{
	cancel_delayed_work_sync(work);
}

/*
 * PF_LOCAL_THROTTLE: throttle only against the device that the worker writes to,
 * or writeback through this device would wait for itself. PF_MEMALLOC_NOIO:
 * reclaim must not enter the device that waits for this worker.
 */
unsigned int kx_io_worker_enter(void)
{
	unsigned int old = current->flags &
			   (PF_LOCAL_THROTTLE | PF_MEMALLOC_NOIO);

	current->flags |= PF_LOCAL_THROTTLE | PF_MEMALLOC_NOIO;
	return old;
}

void kx_io_worker_leave(unsigned int old)
{
	current->flags = (current->flags &
			  ~(PF_LOCAL_THROTTLE | PF_MEMALLOC_NOIO)) | old;
}

void kx_cond_resched(void)
{
	cond_resched();
}
