// SPDX-License-Identifier: GPL-2.0
/* Polling for completions (REQ_POLLED, IOCB_HIPRI). */

#include <linux/bio.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/rcupdate.h>
#include <linux/sbitmap.h>

#include "helpers.h"

/* The last of the hardware queues are the polled ones. */
void kx_tag_set_add_poll_queues(struct blk_mq_tag_set *set, unsigned int polled)
{
	set->nr_hw_queues += polled;
	set->nr_maps = HCTX_MAX_TYPES;
	set->driver_data = (void *)(unsigned long)polled;
}

void kx_map_queues(struct blk_mq_tag_set *set)
{
	struct blk_mq_queue_map *map = set->map;
	unsigned int polled = (unsigned long)set->driver_data;

	/* A kdump kernel has one queue, whatever the number requested. */
	if (set->nr_maps <= HCTX_TYPE_POLL)
		polled = 0;
	map[HCTX_TYPE_DEFAULT].nr_queues = set->nr_hw_queues - polled;
	map[HCTX_TYPE_DEFAULT].queue_offset = 0;
	blk_mq_map_queues(&map[HCTX_TYPE_DEFAULT]);
	if (polled) {
		map[HCTX_TYPE_READ].nr_queues = 0;
		map[HCTX_TYPE_POLL].nr_queues = polled;
		map[HCTX_TYPE_POLL].queue_offset = set->nr_hw_queues - polled;
		blk_mq_map_queues(&map[HCTX_TYPE_POLL]);
	}
}

/*
 * Decides whether I/O on a lower device may be polled. This is policy, in C
 * because bdev_get_queue() and queue_is_mq() are inline functions.
 *
 * A task that polls our queue polls all polled I/O below, even before its
 * submission, and several tasks may do so at once. blk-mq supports that. Device
 * mapper expects one task per bio, and only after its submission.
 */
static bool can_poll(struct block_device *bdev)
{
	struct request_queue *q = bdev_get_queue(bdev);

	return q->limits.features & BLK_FEAT_POLL && queue_is_mq(q) &&
	       q->tag_set->map[HCTX_TYPE_POLL].nr_queues;
}

/*
 * A poller finds requests in the static_rqs of the tag set. With an I/O
 * scheduler, requests come from the scheduler's tags instead.
 */
bool kx_rq_polls_on(const struct request *rq, const struct file *file)
{
	struct inode *inode = file->f_mapping->host;
	struct block_device *bdev = S_ISBLK(inode->i_mode) ? I_BDEV(inode) :
							   inode->i_sb->s_bdev;

	return !(rq->rq_flags & RQF_USE_SCHED) && bdev && can_poll(bdev) &&
	       file->f_op->iopoll == iocb_bio_iopoll;
}

bool kx_rq_polls_on_bdev(const struct request *rq, struct block_device *bdev)
{
	return !(rq->rq_flags & RQF_USE_SCHED) && can_poll(bdev);
}

struct poller {
	struct blk_mq_tags *tags;
	int (*poll)(struct request *rq);
	int found;
};

static bool poll_one(struct sbitmap *sb, unsigned int bit, void *data)
{
	struct poller *p = data;

	p->found += p->poll(p->tags->static_rqs[bit]);
	return true;
}

/*
 * Calls poll for each request whose tag is in use. It may end or begin meanwhile.
 */
int kx_poll_hctx(struct blk_mq_hw_ctx *hctx, int (*poll)(struct request *rq))
{
	struct poller p = { .tags = hctx->tags, .poll = poll };

	sbitmap_for_each_set(&hctx->tags->bitmap_tags.sb, poll_one, &p);
	return p.found;
}

/*
 * As iocb_bio_iopoll(), for a bio that stays allocated. RCU keeps its device.
 */
int kx_bio_poll(struct bio *bio)
{
	int found;

	rcu_read_lock();
	found = bio_poll(bio, NULL, BLK_POLL_ONESHOT);
	rcu_read_unlock();
	return found;
}

int kx_kiocb_poll(struct kiocb *iocb)
{
	return iocb_bio_iopoll(iocb, NULL, BLK_POLL_ONESHOT);
}
