// SPDX-License-Identifier: GPL-2.0
/* Shims for struct kiocb. */

#include <linux/blk-mq.h>
#include <linux/fs.h>
#include <linux/uio.h>

#include "helpers.h"

void kx_kiocb_init(struct kiocb *iocb, struct file *file, loff_t pos,
		   struct request *rq, unsigned int flags,
		   void (*complete)(struct kiocb *iocb, long ret))
{
	bool direct = flags & KX_IO_DIRECT;
	bool dontcache = flags & KX_IO_DONTCACHE &&
			 file->f_op->fop_flags & FOP_DONTCACHE;

	*iocb = (struct kiocb) {
		.ki_filp	= file,
		.ki_pos		= pos,
		.ki_ioprio	= req_get_ioprio(rq),
		.ki_flags	= (direct ? IOCB_DIRECT : 0) |
				  (flags & KX_IO_DSYNC ? IOCB_DSYNC : 0) |
				  (dontcache ? IOCB_DONTCACHE : 0) |
				  (flags & KX_IO_NOWAIT ? IOCB_NOWAIT : 0) |
				  (flags & KX_IO_POLLED ? IOCB_HIPRI : 0) |
				  (flags & KX_IO_NOIO ? IOCB_NOIO : 0),
		/* Only direct I/O may complete later. */
		.ki_complete	= direct ? complete : NULL,
	};
}

/* Freeze protection, which may have to be waited for. */
bool kx_kiocb_start_write(struct kiocb *iocb)
{
	struct super_block *sb = file_inode(iocb->ki_filp)->i_sb;

	if (!(iocb->ki_flags & IOCB_NOWAIT)) {
		kiocb_start_write(iocb);
		return true;
	}
	if (!sb_start_write_trylock(sb))
		return false;
	/* As in kiocb_start_write(): it is given back by another task. */
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	return true;
}

ssize_t kx_kiocb_submit(struct kiocb *iocb, struct iov_iter *iter, bool write)
{
	const struct file_operations *fop = iocb->ki_filp->f_op;
	ssize_t (*op)(struct kiocb *iocb, struct iov_iter *iter);

	op = write ? fop->write_iter : fop->read_iter;
	/* As rw_verify_area() and vfs_iter_read() would have it. */
	if (unlikely(!op || iocb->ki_pos < 0))
		return -EINVAL;
	return op(iocb, iter);
}

ssize_t kx_kiocb_submit_bio(struct kiocb *iocb, const struct bio *bio, bool write)
{
	struct iov_iter iter;

	kx_iov_iter_bio(&iter, write ? ITER_SOURCE : ITER_DEST, bio);
	return kx_kiocb_submit(iocb, &iter, write);
}

/* Who still polls it finds nothing. */
void kx_kiocb_end_poll(struct kiocb *iocb)
{
	WRITE_ONCE(iocb->private, NULL);
}

void kx_kiocb_end_write(struct kiocb *iocb)
{
	kiocb_end_write(iocb);
}
