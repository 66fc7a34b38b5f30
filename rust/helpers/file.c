// SPDX-License-Identifier: GPL-2.0
/* struct file as the backing of a block device. */

#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kdev_t.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/statfs.h>

#include "helpers.h"

/* A task that exits has no files, but may yet close a device. */
struct file *kx_file_get(unsigned int fd)
{
	return current->files ? fget(fd) : NULL;
}

/* As file_path(), which needs the root directory of the task. */
char *kx_file_path(struct file *file, char *buf, int len)
{
	return current->fs ? file_path(file, buf, len) : ERR_PTR(-ESRCH);
}

unsigned int kx_file_ops(const struct file *file)
{
	const struct file_operations *fop = file->f_op;

	return (fop->read_iter ? KX_OP_READ_ITER : 0) |
	       (fop->write_iter ? KX_OP_WRITE_ITER : 0) |
	       (fop->fsync ? KX_OP_FSYNC : 0) |
	       (fop->fallocate ? KX_OP_FALLOCATE : 0);
}

unsigned int kx_file_traits(const struct file *file)
{
	umode_t mode = file->f_mapping->host->i_mode;

	return (file->f_mode & FMODE_READ ? KX_FILE_READ : 0) |
	       (file->f_mode & FMODE_WRITE ? KX_FILE_WRITE : 0) |
	       (file->f_mode & FMODE_CAN_ODIRECT ? KX_FILE_CAN_DIRECT : 0) |
	       (file->f_flags & O_DIRECT ? KX_FILE_DIRECT : 0) |
	       (S_ISREG(mode) ? KX_FILE_REGULAR : 0) |
	       (S_ISBLK(mode) ? KX_FILE_BLOCK : 0) |
	       (file->f_mode & FMODE_NOWAIT ? KX_FILE_NOWAIT : 0) |
	       (IS_SYNC(file->f_mapping->host) ? KX_FILE_SYNC : 0) |
	       (file->f_op->fop_flags & FOP_BUFFER_WASYNC ?
		KX_FILE_NOWAIT_CACHED : 0);
}

struct block_device *kx_file_bdev(const struct file *file)
{
	struct inode *inode = file->f_mapping->host;

	return S_ISBLK(inode->i_mode) ? I_BDEV(inode) : NULL;
}

struct block_device *kx_file_sb_bdev(const struct file *file)
{
	return file->f_mapping->host->i_sb->s_bdev;
}

bool kx_bdev_rotational(struct block_device *bdev)
{
	return bdev_rot(bdev);
}

bool kx_bdev_nowait(struct block_device *bdev)
{
	return bdev_nowait(bdev);
}

bool kx_bdev_write_cache(struct block_device *bdev)
{
	return bdev_write_cache(bdev);
}

bool kx_bdev_stable_writes(struct block_device *bdev)
{
	return bdev_stable_writes(bdev);
}

bool kx_bdev_is_mq(struct block_device *bdev)
{
	return queue_is_mq(bdev_get_queue(bdev));
}

void kx_bdev_dio_limits(struct block_device *bdev, unsigned int *offset,
			unsigned int *mem)
{
	*offset = bdev_logical_block_size(bdev);
	*mem = bdev_dma_alignment(bdev) + 1;
}

void kx_bdev_space_limits(struct block_device *bdev, unsigned int *granularity,
			  unsigned int *max_zeroes)
{
	*max_zeroes = bdev_write_zeroes_sectors(bdev);
	*granularity = bdev_discard_granularity(bdev);
}

void kx_bdev_request_size(struct block_device *bdev, unsigned int *sectors,
			  unsigned short *segments, unsigned int *segment)
{
	struct request_queue *q = bdev_get_queue(bdev);

	*sectors = queue_max_sectors(q);
	*segments = queue_max_segments(q);
	*segment = queue_max_segment_size(q);
}

void kx_bdev_atomic_units(struct block_device *bdev, unsigned int *min,
			  unsigned int *max)
{
	*min = bdev_atomic_write_unit_min_bytes(bdev);
	*max = bdev_atomic_write_unit_max_bytes(bdev);
}

int kx_file_size(struct file *file, loff_t *size)
{
	struct kstat stat;
	int ret;

	if (S_ISBLK(file_inode(file)->i_mode)) {
		*size = i_size_read(file->f_mapping->host);
		return 0;
	}
	/*
	 * A network file system may have a stale size cached: ask the server.
	 */
	ret = vfs_getattr_nosec(&file->f_path, &stat, STATX_SIZE,
				AT_STATX_FORCE_SYNC);
	*size = ret ? 0 : stat.size;
	return ret;
}

int kx_file_prepare_direct(struct file *file)
{
	struct inode *inode = file_inode(file);

	if (!S_ISREG(inode->i_mode) || inode->i_sb->s_dio_done_wq)
		return 0;
	return sb_init_dio_done_wq(inode->i_sb);
}

bool kx_file_dio_align(struct file *file, unsigned int *offset,
		       unsigned int *mem)
{
	struct kstat stat;

	if (vfs_getattr_nosec(&file->f_path, &stat, STATX_DIOALIGN, 0) ||
	    !(stat.result_mask & STATX_DIOALIGN) || !stat.dio_mem_align)
		return false;
	*offset = stat.dio_offset_align;
	*mem = stat.dio_mem_align;
	return true;
}

int kx_file_identity(struct file *file, u64 *dev, u64 *ino, u64 *rdev)
{
	struct kstat stat;
	int ret;

	ret = vfs_getattr(&file->f_path, &stat, STATX_INO,
			  AT_STATX_SYNC_AS_STAT);
	if (ret)
		return ret;
	*dev = huge_encode_dev(stat.dev);
	*ino = stat.ino;
	*rdev = huge_encode_dev(stat.rdev);
	return 0;
}

int kx_file_block_size(struct file *file, unsigned int *bsize)
{
	struct kstatfs stat;
	int ret = vfs_statfs(&file->f_path, &stat);

	*bsize = ret ? 0 : stat.f_bsize;
	return ret;
}

/* These two leave the error that the next fsync() of the file reports. */
int kx_file_write_back(struct file *file)
{
	return filemap_write_and_wait_range(file->f_mapping, 0, LLONG_MAX);
}

/* As kiocb_invalidate_pages(): drops mapped pages, too. */
int kx_file_invalidate_range(struct file *file, loff_t pos, unsigned int len)
{
	struct address_space *mapping = file->f_mapping;
	loff_t end = pos + len - 1;
	int ret;

	ret = filemap_write_and_wait_range(mapping, pos, end);
	if (ret)
		return ret;
	return invalidate_inode_pages2_range(mapping, pos >> PAGE_SHIFT,
					     end >> PAGE_SHIFT);
}

gfp_t kx_file_restrict_gfp(struct file *file)
{
	gfp_t old = mapping_gfp_mask(file->f_mapping);

	mapping_set_gfp_mask(file->f_mapping, old & ~(__GFP_IO | __GFP_FS));
	return old;
}

unsigned long kx_file_mapping_id(const struct file *file)
{
	return (unsigned long)file->f_mapping;
}

void kx_file_restore_gfp(struct file *file, gfp_t old)
{
	mapping_set_gfp_mask(file->f_mapping, old);
}
