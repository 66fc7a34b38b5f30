// SPDX-License-Identifier: GPL-2.0
/* struct request_queue, its limits and the tag set. */

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/sbitmap.h>
#include <linux/srcu.h>

#include "helpers.h"

/*
 * blk_mq_freeze_queue_wait() reads the reference count without ordering. The
 * barrier makes what the requests have done visible to the caller.
 */
unsigned int kx_freeze_queue(struct request_queue *q)
{
	unsigned int memflags = blk_mq_freeze_queue(q);

	/* Pairs with percpu_ref_put() of the last request. */
	smp_acquire__after_ctrl_dep();
	return memflags;
}

void kx_unfreeze_queue(struct request_queue *q, unsigned int memflags)
{
	blk_mq_unfreeze_queue(q, memflags);
}

/*
 * Orders what the caller has stored before its look at the tags: a request that
 * does not see it has its tag set. Taking a tag is an acquire. On x86 it is a
 * locked instruction, and so a full barrier, as the caller's own has to be.
 * Elsewhere, wait until all ->queue_rq() calls in progress have returned. They
 * run in a read-side section of the SRCU of the tag set (BLK_MQ_F_BLOCKING), and
 * this is blk_mq_wait_quiesce_done(), but expedited.
 */
void kx_queue_wait_issued(struct request_queue *q)
{
	if (!IS_ENABLED(CONFIG_X86_64))
		synchronize_srcu_expedited(q->tag_set->srcu);
}

/*
 * Whether the driver may have a request: each has a driver tag. If not, what the
 * requests have done is visible to the caller.
 */
bool kx_queue_is_busy(struct request_queue *q)
{
	bool busy = sbitmap_any_bit_set(&q->tag_set->shared_tags->bitmap_tags.sb);

	/* Pairs with the barrier before the tag is cleared: sbitmap_queue_clear(). */
	smp_acquire__after_ctrl_dep();
	return busy;
}

void kx_limits_start_update(struct request_queue *q, struct queue_limits *lim)
{
	*lim = queue_limits_start_update(q);
}

void kx_limits_cancel_update(struct request_queue *q)
{
	queue_limits_cancel_update(q);
}

void kx_limits_set_stable_writes(struct queue_limits *lim, bool stable)
{
	if (stable)
		lim->features |= BLK_FEAT_STABLE_WRITES;
	else
		lim->features &= ~BLK_FEAT_STABLE_WRITES;
}

void kx_limits_set_features(struct queue_limits *lim, bool write_cache,
			    bool fua, bool rotational)
{
	lim->features &= ~(BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA |
			   BLK_FEAT_ROTATIONAL);
	if (write_cache)
		lim->features |= BLK_FEAT_WRITE_CACHE;
	if (write_cache && fua)
		lim->features |= BLK_FEAT_FUA;
	if (rotational)
		lim->features |= BLK_FEAT_ROTATIONAL;
}

void kx_limits_set_atomic_units(struct queue_limits *lim, unsigned int min,
				unsigned int max)
{
	lim->features &= ~BLK_FEAT_ATOMIC_WRITES;
	if (max)
		lim->features |= BLK_FEAT_ATOMIC_WRITES;
	lim->atomic_write_hw_unit_min = min;
	lim->atomic_write_hw_unit_max = max;
	lim->atomic_write_hw_max = max;
	lim->atomic_write_hw_boundary = 0;
}

void kx_disk_pass_on(struct gendisk *disk, bool on)
{
	if (on)
		blk_queue_flag_set(QUEUE_FLAG_NOMERGES, disk->queue);
	else
		blk_queue_flag_clear(QUEUE_FLAG_NOMERGES, disk->queue);
}

/* Only for a disk that is not yet added. */
void kx_disk_leave_wbt_off(struct gendisk *disk)
{
	blk_queue_flag_set(QUEUE_FLAG_DISABLE_WBT_DEF, disk->queue);
}

unsigned int kx_tag_set_flags(void)
{
	/* File systems may sleep for a lock or memory even with IOCB_NOWAIT. */
	return BLK_MQ_F_STACKING | BLK_MQ_F_NO_SCHED_BY_DEFAULT |
	       BLK_MQ_F_TAG_HCTX_SHARED | BLK_MQ_F_BLOCKING;
}
