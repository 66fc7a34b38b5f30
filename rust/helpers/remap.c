// SPDX-License-Identifier: GPL-2.0
/* Pass a request on to a block device. */

#include <linux/bio.h>
#include <linux/bio-integrity.h>
#include <linux/blk-crypto.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/pagemap.h>

#include "helpers.h"

/* The request flags that the clone keeps. */
#define KX_REMAP_FLAGS	(REQ_OP_MASK | REQ_SYNC | REQ_META | REQ_PRIO | \
			 REQ_IDLE | REQ_RAHEAD | REQ_BACKGROUND | \
			 REQ_FUA | REQ_ATOMIC | REQ_SWAP)

/*
 * Decides whether the bio of a request may be submitted to the lower device. A
 * bio bypasses the checks of blkdev_read_iter() and blkdev_write_iter(), so these
 * functions take every request that is out of bounds or unaligned, that has crypt
 * or integrity data, or that is a write to a read-only device or a swap file.
 *
 * A nowait request also needs an empty page cache. If the request may wait, the
 * caller has invalidated the range. A request with several bios is refused, too,
 * as only all of them together are the request.
 */
static bool fits(const struct request *rq, struct block_device *bdev, u64 sector,
		 blk_opf_t more)
{
	struct inode *inode = bdev->bd_mapping->host;
	unsigned int sectors = blk_rq_sectors(rq);

	if (!rq->bio || rq->bio != rq->biotail || bio_has_crypt_ctx(rq->bio) ||
	    bio_integrity(rq->bio) ||
	    (more & REQ_NOWAIT && bdev->bd_mapping->nrpages) ||
	    sector + sectors > bdev_nr_sectors(bdev) ||
	    (sector | sectors) & ((bdev_logical_block_size(bdev) >> SECTOR_SHIFT) - 1))
		return false;
	return req_op(rq) == REQ_OP_READ ||
	       (!bdev_read_only(bdev) && !IS_SWAPFILE(inode));
}

bool kx_bio_remap(struct bio *clone, const struct request *rq,
		  const struct file *file, u64 sector, blk_opf_t more,
		  bio_end_io_t *end_io)
{
	struct inode *inode = file->f_mapping->host;
	struct block_device *bdev = I_BDEV(inode);
	struct bio *bio = rq->bio;

	if (!S_ISBLK(inode->i_mode) || !fits(rq, bdev, sector, more))
		return false;
	/* As bio_init_clone(), which would look up the cgroup twice. */
	bio_init(clone, NULL, NULL, 0,
		 (rq->cmd_flags & KX_REMAP_FLAGS) | more);
	bio_set_flag(clone, BIO_CLONED);
	clone->bi_bdev = bdev;
	clone->bi_ioprio = bio->bi_ioprio;
	clone->bi_write_hint = bio->bi_write_hint;
	clone->bi_io_vec = bio->bi_io_vec;
	clone->bi_iter = bio->bi_iter;
	clone->bi_iter.bi_sector = sector;
	clone->bi_end_io = end_io;
	bio_clone_blkg_association(clone, bio);
	return true;
}

/* submit_bio_noacct(), as the I/O is already accounted to the submitter. */
void kx_bio_remap_submit(struct bio *clone)
{
	submit_bio_noacct(clone);
}

int kx_bio_remapped(struct bio *clone)
{
	int errno = 0;

	if (unlikely(clone->bi_status))
		errno = blk_status_to_errno(clone->bi_status);

	/* Clear ->bi_bdev so that a concurrent poller finds no device. */
	WRITE_ONCE(clone->bi_bdev, NULL);
	bio_uninit(clone);
	return errno;
}
