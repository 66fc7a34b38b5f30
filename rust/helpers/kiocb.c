// SPDX-License-Identifier: GPL-2.0
/* struct kiocb. */

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/string.h>
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
		/* Only direct I/O may complete asynchronously. */
		.ki_complete	= direct ? complete : NULL,
	};
}

/* Takes freeze protection. Without IOCB_NOWAIT this may sleep. */
bool kx_kiocb_start_write(struct kiocb *iocb)
{
	struct super_block *sb = file_inode(iocb->ki_filp)->i_sb;

	if (!(iocb->ki_flags & IOCB_NOWAIT)) {
		kiocb_start_write(iocb);
		return true;
	}
	if (!sb_start_write_trylock(sb))
		return false;
	/* As kiocb_start_write(): another task may release it. */
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	return true;
}

#ifdef CONFIG_LOCKDEP
static bool is_lock_of(const struct lockdep_map *map,
		       const struct file_system_type *type)
{
	return (void *)map->key >= (void *)type &&
	       (void *)map->key < (void *)(type + 1);
}

static bool is_ext4_lock(const struct lockdep_map *map)
{
	return strstr(map->name, "ext4") || strstr(map->name, "EXT4") ||
	       strstarts(map->name, "jbd2") || strstarts(map->name, "&journal->") ||
	       strstarts(map->name, "&ei->") || strstarts(map->name, "&sbi->");
}

/*
 * kx_inline_enter() disables lockdep, as locks of a file system above have the
 * classes of those of the same type below. lockdep stays enabled if the task
 * holds no lock of a file system. Below ext4 it stays enabled also with locks of
 * other types: that order is always the same, so it makes no cycle. The SRCU of
 * the tag set, which has one class for all devices, is released in lockdep for
 * that time.
 */
struct watch {
	struct lockdep_map *srcu[4];
	unsigned int n;
};

static bool can_watch(const struct kiocb *iocb, struct watch *w)
{
	const struct file_system_type *type = file_inode(iocb->ki_filp)->i_sb->s_type;
	bool is_lowest = !strcmp(type->name, "ext4");
	int i;

	w->n = 0;
	if (!(iocb->ki_flags & IOCB_NOWAIT))
		return false;
	for (i = 0; i < current->lockdep_depth; i++) {
		struct lockdep_map *map = current->held_locks[i].instance;

		if (!strcmp(map->name, "set->srcu") && w->n < ARRAY_SIZE(w->srcu))
			w->srcu[w->n++] = map;
		else if (is_lock_of(map, blockdev_superblock->s_type))
			continue; /* the page cache of the device itself */
		else if (!is_lowest || is_lock_of(map, type) || is_ext4_lock(map))
			return false;
	}
	return true;
}

static void watch_begin(struct watch *w)
{
	unsigned int i;

	lockdep_on();
	for (i = 0; i < w->n; i++)
		lock_release(w->srcu[i], _RET_IP_);
}

static void watch_end(struct watch *w)
{
	unsigned int i;

	for (i = 0; i < w->n; i++)
		lock_acquire(w->srcu[i], 0, 0, 2, 0, NULL, _RET_IP_);
	lockdep_off();
}
#else
struct watch {
};

static bool can_watch(const struct kiocb *iocb, struct watch *w)
{
	return false;
}

static void watch_begin(struct watch *w)
{
}

static void watch_end(struct watch *w)
{
}
#endif

/*
 * The pages that the current task dirties below are not its own, so it must not
 * be throttled for them. (With IOCB_NOWAIT balance_dirty_pages() does not sleep
 * but refuses the write, and a worker, which may be throttled, retries it.)
 */
static noinline ssize_t write_cached(struct kiocb *iocb, struct iov_iter *iter,
				     ssize_t (*op)(struct kiocb *, struct iov_iter *))
{
	struct task_struct *task = current;
	int nr_dirtied = task->nr_dirtied;
	int nr_dirtied_pause = task->nr_dirtied_pause;
	unsigned long dirty_paused_when = task->dirty_paused_when;
	ssize_t ret = op(iocb, iter);

	task->nr_dirtied = nr_dirtied;
	task->nr_dirtied_pause = nr_dirtied_pause;
	task->dirty_paused_when = dirty_paused_when;
	return ret;
}

static __always_inline ssize_t submit(struct kiocb *iocb, struct iov_iter *iter, bool write)
{
	const struct file_operations *fop = iocb->ki_filp->f_op;
	ssize_t (*op)(struct kiocb *iocb, struct iov_iter *iter);
	struct watch watch;
	loff_t end;
	ssize_t ret;

	op = write ? fop->write_iter : fop->read_iter;
	/* As rw_verify_area(), vfs_iocb_iter_write() and do_dentry_open() check. */
	end = iocb->ki_pos + iov_iter_count(iter);
	if (unlikely(!op || (iocb->ki_pos | end) < 0))
		return -EINVAL;
	if (unlikely((write && !(iocb->ki_filp->f_mode & FMODE_WRITE)) ||
		     (iocb->ki_flags & IOCB_DIRECT &&
		      !(iocb->ki_filp->f_mode & FMODE_CAN_ODIRECT))))
		return -EINVAL;
	if (unlikely(can_watch(iocb, &watch))) {
		watch_begin(&watch);
		ret = op(iocb, iter);
		watch_end(&watch);
		return ret;
	}
	if (write && (iocb->ki_flags & (IOCB_NOWAIT | IOCB_DIRECT)) == IOCB_NOWAIT)
		return write_cached(iocb, iter, op);
	return op(iocb, iter);
}

ssize_t kx_kiocb_submit(struct kiocb *iocb, struct iov_iter *iter, bool write)
{
	return submit(iocb, iter, write);
}

ssize_t kx_kiocb_submit_bio(struct kiocb *iocb, const struct bio *bio, bool write)
{
	struct iov_iter iter __uninitialized;

	kx_iov_iter_bio(&iter, write ? ITER_SOURCE : ITER_DEST, bio);
	return submit(iocb, &iter, write);
}

/* Clear ->private so that a concurrent poller finds no bio. */
void kx_kiocb_end_poll(struct kiocb *iocb)
{
	WRITE_ONCE(iocb->private, NULL);
}

void kx_kiocb_end_write(struct kiocb *iocb)
{
	kiocb_end_write(iocb);
}
