// SPDX-License-Identifier: GPL-2.0
/* Requests that wait for the end of the plug that they come from. */

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

#include "helpers.h"

/* Postponed requests of one queue, as a callback of the plug. */
struct postponed {
	struct blk_plug_cb cb;
	struct rq_list rqs;
	unsigned short count;
};

/* Called by __blk_flush_plug(), which then flushes mq_list. */
static void put_back(struct blk_plug_cb *cb, bool from_schedule)
{
	struct postponed *p = container_of(cb, struct postponed, cb);
	struct blk_plug *plug = current->plug;

	if (rq_list_empty(&plug->mq_list))
		plug->mq_list.tail = p->rqs.tail;
	else if (plug->mq_list.head->q != p->rqs.head->q)
		plug->multiple_queues = true;
	p->rqs.tail->rq_next = plug->mq_list.head;
	plug->mq_list.head = p->rqs.head;
	plug->rq_count += p->count;
	kfree(p);
}

/*
 * Returns whether the plug stays in use after the current flush. With a bio_list,
 * blk_add_rq_to_plug() is flushing it, to add a request afterwards. A plug that
 * began in this submission may instead be flushed by its own end: on the stack it
 * is below the list.
 */
static bool goes_on(const struct task_struct *task)
{
#ifdef CONFIG_STACK_GROWSUP
	return false;
#else
	return task->plug && task->bio_list &&
	       (!object_is_on_stack(task->plug) ||
		(void *)task->plug > (void *)task->bio_list);
#endif
}

/*
 * Takes a list of requests of one queue if the plug that is being flushed was
 * full and stays in use. put_back() returns them when the plug ends or its task
 * sleeps. The task then holds no request that is in no list.
 */
bool kx_plug_postpone(struct rq_list *list, unsigned short requests)
{
	struct request_queue *q = list->head->q;
	struct blk_plug_cb *cb;
	struct postponed *p;

	if (requests < KX_PLUG_IOS || !goes_on(current))
		return false;
	cb = blk_check_plugged(put_back, q, sizeof(*p));
	if (!cb)
		return false;
	p = container_of(cb, struct postponed, cb);
	/*
	 * Limit the postponed requests so that the task does not run out of tags.
	 */
	if (p->count && p->count + requests > q->tag_set->queue_depth / 2)
		return false;
	if (p->count)
		p->rqs.tail->rq_next = list->head;
	else
		p->rqs.head = list->head;
	p->rqs.tail = list->tail;
	p->count += requests;
	rq_list_init(list);
	return true;
}
