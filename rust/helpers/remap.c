// SPDX-License-Identifier: GPL-2.0
/* Pass a request on to a block device, as one bio or as several. */

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

/* As blkdev_write_iter(). The block layer only warns of bios to a read-only device. */
bool kx_bdev_may_write(struct block_device *bdev)
{
	return !bdev_read_only(bdev) && !IS_SWAPFILE(bdev->bd_mapping->host);
}

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
	unsigned int sectors = blk_rq_sectors(rq);

	if (!rq->bio || rq->bio != rq->biotail || bio_has_crypt_ctx(rq->bio) ||
	    bio_integrity(rq->bio) ||
	    (more & REQ_NOWAIT && bdev->bd_mapping->nrpages) ||
	    sector + sectors > bdev_nr_sectors(bdev) ||
	    (sector | sectors) & ((bdev_logical_block_size(bdev) >> SECTOR_SHIFT) - 1))
		return false;
	return req_op(rq) == REQ_OP_READ || kx_bdev_may_write(bdev);
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

/*
 * The operation for the lower device. What is discarded must read back as zeroes,
 * so a discard is a write of zeroes that may deallocate. kblockd brings flushes,
 * which must not wait: wbt_wait() lets writes with REQ_SYNC and REQ_IDLE pass.
 */
static blk_opf_t lower_opf(const struct request *rq)
{
	switch (req_op(rq)) {
	case REQ_OP_FLUSH:
		return REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC | REQ_IDLE;
	case REQ_OP_DISCARD:
		return REQ_OP_WRITE_ZEROES | (rq->cmd_flags & REQ_SYNC);
	case REQ_OP_WRITE_ZEROES:
		return REQ_OP_WRITE_ZEROES |
		       (rq->cmd_flags & (REQ_SYNC | REQ_NOUNMAP));
	default:
		return rq->cmd_flags & KX_REMAP_FLAGS;
	}
}

/*
 * Makes a bio of a request: its only bio with another device, or the parent of
 * several. If sb is given, the request holds freeze protection of it until the
 * bio ends.
 */
void kx_lower_init(struct bio *bio, const struct request *rq,
		   struct block_device *bdev, u64 sector, blk_opf_t more,
		   bio_end_io_t *end_io, struct super_block *sb)
{
	struct bio *src = rq->bio;

	bio_init(bio, NULL, NULL, 0, lower_opf(rq) | more);
	bio_set_flag(bio, BIO_CLONED);
	bio->bi_bdev = bdev;
	bio->bi_end_io = end_io;
	bio->bi_private = sb;
	if (src) {
		bio->bi_ioprio = src->bi_ioprio;
		bio->bi_write_hint = src->bi_write_hint;
		bio->bi_io_vec = src->bi_io_vec;
		bio->bi_iter = src->bi_iter;
		bio_clone_blkg_association(bio, src);
	} else {
		bio_associate_blkg(bio);
	}
	bio->bi_iter.bi_sector = sector;
}

void kx_lower_submit(struct bio *bio)
{
	submit_bio_noacct(bio);
}

/*
 * Submits a piece of src, a bio of the request that bio is the parent of. Returns
 * false without memory, which it waits for unless the request is nowait.
 */
bool kx_lower_submit_piece(struct bio *parent, struct bio *src, unsigned int skip,
			   unsigned int bytes, u64 sector, struct bio_set *bios)
{
	gfp_t gfp = parent->bi_opf & REQ_NOWAIT ? GFP_NOWAIT : GFP_NOIO;
	struct bio *bio;

	if (bio_has_data(src)) {
		bio = bio_alloc_clone(parent->bi_bdev, src, gfp, bios);
		if (!bio)
			return false;
		bio->bi_opf = parent->bi_opf;
		bio_advance(bio, skip);
	} else {
		bio = bio_alloc_bioset(parent->bi_bdev, 0, parent->bi_opf, gfp, bios);
		if (!bio)
			return false;
		bio->bi_ioprio = src->bi_ioprio;
		bio_clone_blkg_association(bio, src);
	}
	bio->bi_iter.bi_size = bytes;
	bio->bi_iter.bi_sector = sector;
	bio_chain(bio, parent);
	submit_bio_noacct(bio);
	return true;
}

/* All pieces are submitted, or as many as there was memory for. */
void kx_lower_submitted(struct bio *parent, bool all)
{
	if (!all)
		parent->bi_status = BLK_STS_AGAIN;
	bio_endio(parent);
}

int kx_lower_ended(struct bio *bio)
{
	struct super_block *sb = bio->bi_private;

	/* As kiocb_end_write(), for kx_pin_start_write(). */
	if (sb) {
		__sb_writers_acquired(sb, SB_FREEZE_WRITE);
		sb_end_write(sb);
	}
	return kx_bio_remapped(bio);
}
