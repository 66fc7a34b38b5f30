// SPDX-License-Identifier: GPL-2.0
/* struct request and its bios: inline functions and moving fields. */

#include <linux/bio.h>
#include <linux/blk-mq.h>
#include <linux/bottom_half.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/uio.h>

#include "helpers.h"

unsigned short kx_rq_list_count(struct rq_list *list)
{
	unsigned short n = 0;
	struct request *rq;

	rq_list_for_each(list, rq)
		n++;
	return n;
}

struct request *kx_rq_list_pop(struct rq_list *list)
{
	return rq_list_pop(list);
}

/*
 * With one hardware queue, blk-mq raises a softirq even for a request that ends
 * on this CPU. In task context that would wake ksoftirqd, so run the softirq
 * here.
 */
void kx_rq_complete(struct request *rq)
{
	bool here = in_task() && !irqs_disabled();

	if (here)
		local_bh_disable();
	blk_mq_complete_request(rq);
	if (here)
		local_bh_enable();
}

void kx_bio_iter_bvec(const struct bio *bio, const struct bvec_iter *iter,
		      struct bio_vec *bvec)
{
	*bvec = mp_bvec_iter_bvec(bio->bi_io_vec, *iter);
}

void kx_bio_advance_iter(const struct bio *bio, struct bvec_iter *iter,
			 unsigned int bytes)
{
	bio_advance_iter_single(bio, iter, bytes);
}

/* Series: bvec_iter has bi_bvec_done in 7.2 and bi_offset in 7.3. */
static size_t first_bvec_offset(const struct bio *bio)
{
	struct bio_vec bvec = mp_bvec_iter_bvec(bio->bi_io_vec, bio->bi_iter);

	return bvec.bv_offset -
	       __bvec_iter_bvec(bio->bi_io_vec, bio->bi_iter)->bv_offset;
}

void kx_iov_iter_bio(struct iov_iter *iter, unsigned int direction,
		     const struct bio *bio)
{
	const struct bio_vec *first = __bvec_iter_bvec(bio->bi_io_vec, bio->bi_iter);
	struct bio_vec bvec;
	struct bvec_iter pos;
	unsigned long nr = 0;

	if (first_bvec_offset(bio) + bio->bi_iter.bi_size <= first->bv_len)
		nr = 1;
	else
		bio_for_each_bvec(bvec, bio, pos)
			nr++;
	iov_iter_bvec(iter, direction, first, nr, bio->bi_iter.bi_size);
	iter->iov_offset = first_bvec_offset(bio);
}

size_t kx_iov_iter_count(const struct iov_iter *iter)
{
	return iov_iter_count(iter);
}
