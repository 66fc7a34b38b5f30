// SPDX-License-Identifier: GPL-2.0
/* Shims for struct kiocb. */

#include <linux/fs.h>
#include <linux/uio.h>

#include "helpers.h"

void kx_kiocb_init(struct kiocb *iocb, struct file *file, loff_t pos,
		   unsigned short ioprio, unsigned int flags,
		   void (*complete)(struct kiocb *iocb, long ret))
{
	bool direct = flags & KX_IO_DIRECT;
	bool dontcache = flags & KX_IO_DONTCACHE &&
			 file->f_op->fop_flags & FOP_DONTCACHE;

	*iocb = (struct kiocb) {
		.ki_filp	= file,
		.ki_pos		= pos,
		.ki_ioprio	= ioprio,
		.ki_flags	= (direct ? IOCB_DIRECT : 0) |
				  (flags & KX_IO_DSYNC ? IOCB_DSYNC : 0) |
				  (dontcache ? IOCB_DONTCACHE : 0),
		/* Only direct I/O may complete later. */
		.ki_complete	= direct ? complete : NULL,
	};
}

ssize_t kx_kiocb_submit(struct kiocb *iocb, struct iov_iter *iter, bool write)
{
	const struct file_operations *fop = iocb->ki_filp->f_op;

	if (!write)
		return fop->read_iter(iocb, iter);
	kiocb_start_write(iocb);
	return fop->write_iter(iocb, iter);
}

void kx_kiocb_end_write(struct kiocb *iocb)
{
	kiocb_end_write(iocb);
}
