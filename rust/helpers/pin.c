// SPDX-License-Identifier: GPL-2.0
/* A file that is held still, as swapon() does it, and the extents that it lies on. */

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/device.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "helpers.h"

/* Bios of a split request that are there without memory. */
#define KX_PIN_BIOS	4

/* File systems that move no block of a file with S_SWAPFILE. */
static const char *const file_systems[] = { "ext4", "ext3", "ext2", "xfs", "btrfs" };

static bool is_journaled(struct file *file)
{
	unsigned int offset, mem;

	/* ext4 has no direct I/O for a file with journaled or inline data. */
	return strstarts(file_inode(file)->i_sb->s_type->name, "ext") &&
	       !kx_file_dio_align(file, &offset, &mem);
}

/*
 * Decides whether a file may be held still, with the inode locked. This is policy,
 * in C because it consists of macros and fields of struct inode.
 */
static int refuse(struct file *file)
{
	struct inode *inode = file_inode(file);
	struct address_space *mapping = file->f_mapping;
	loff_t size = i_size_read(inode);

	if (mapping->host != inode || !S_ISREG(inode->i_mode) ||
	    !mapping->a_ops->swap_activate || !inode->i_op->fiemap ||
	    match_string(file_systems, ARRAY_SIZE(file_systems),
			 inode->i_sb->s_type->name) < 0)
		return KX_PIN_FILE_SYSTEM;
	if (IS_SWAPFILE(inode))
		return KX_PIN_IN_USE;
	if (IS_ENCRYPTED(inode) || IS_VERITY(inode))
		return KX_PIN_ENCRYPTED;
	if (IS_DAX(inode))
		return KX_PIN_DAX;
	if (is_journaled(file))
		return KX_PIN_JOURNALED;
	if (!size || !PAGE_ALIGNED(size))
		return KX_PIN_SIZE;
	if (size >> PAGE_SHIFT > UINT_MAX)
		return KX_PIN_TOO_LARGE;
	if (mapping_writably_mapped(mapping))
		return KX_PIN_MAPPED;
	return 0;
}

/*
 * From here on the file can grow, but what it has grown by is not looked at.
 *
 * The caller has frozen a queue, and a task that has the lock may wait for that
 * queue: one that writes the file from memory that is mapped from the disk. Then
 * the caller can be killed.
 */
static int set_swapfile(struct file *file, loff_t *size)
{
	struct inode *inode = file_inode(file);
	int ret;

	ret = inode_lock_killable(inode);
	if (ret)
		return ret;
	ret = refuse(file);
	if (!ret) {
		*size = i_size_read(inode);
		inode->i_flags |= S_SWAPFILE;
		/* Direct writes that were submitted before. */
		inode_dio_wait(inode);
	}
	inode_unlock(inode);
	return ret;
}

static void clear_swapfile(struct file *file)
{
	struct inode *inode = file_inode(file);

	inode_lock(inode);
	inode->i_flags &= ~S_SWAPFILE;
	inode_unlock(inode);
}

/* What an extent must not be. An unwritten one has old data of other files. */
#define KX_PIN_NOT_WRITTEN	(FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | \
				 FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_DATA_INLINE)

/*
 * Advances *pos over the extents that ->fiemap() has stored, which end where they
 * begin unless the file has holes.
 */
static int check_extents(const struct fiemap_extent_info *info, loff_t *pos)
{
	unsigned int i;

	if (!info->fi_extents_mapped)
		return KX_PIN_HOLES;
	for (i = 0; i < info->fi_extents_mapped; i++) {
		struct fiemap_extent e;

		if (copy_from_user(&e, info->fi_extents_start + i, sizeof(e)))
			return -EFAULT;
		if (e.fe_logical > *pos || e.fe_flags & KX_PIN_NOT_WRITTEN ||
		    e.fe_logical + e.fe_length <= *pos)
			return KX_PIN_HOLES;
		*pos = e.fe_logical + e.fe_length;
	}
	return 0;
}

/*
 * Returns KX_PIN_HOLES unless all blocks are written. SEEK_HOLE can't tell: it takes
 * an unwritten block of which a page is cached for a written one. ->fiemap() stores
 * to user space, so it gets a page of the current task.
 */
static int check_blocks(struct file *file, loff_t size, unsigned long page)
{
	struct inode *inode = file_inode(file);
	loff_t pos = 0;
	int ret = 0;

	while (!ret && pos < size) {
		struct fiemap_extent_info info = {
			.fi_extents_max = PAGE_SIZE / sizeof(struct fiemap_extent),
			.fi_extents_start = (struct fiemap_extent __user *)page,
		};

		ret = inode->i_op->fiemap(inode, &info, pos, size - pos);
		if (!ret)
			ret = check_extents(&info, &pos);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
	}
	return ret;
}

/*
 * Writes back and drops the page cache, and checks the blocks. Whatever the journal
 * holds about them is committed.
 */
static int check_written(struct file *file, loff_t size, unsigned long page)
{
	int ret;

	ret = filemap_write_and_wait(file->f_mapping);
	/* An error of a write-back is left for the next flush to report. */
	if (!ret)
		ret = filemap_check_wb_err(file->f_mapping, READ_ONCE(file->f_wb_err));
	if (!ret)
		ret = vfs_fsync(file, 0);
	if (!ret)
		ret = invalidate_inode_pages2(file->f_mapping);
	return ret ?: check_blocks(file, size, page);
}

static int copy_extents(const struct swap_info_struct *sis, pgoff_t pages,
			struct kx_pin *pin)
{
	struct rb_node *node;
	unsigned int n = 0;
	pgoff_t next = 0;

	for (node = rb_first(&sis->swap_extent_root); node; node = rb_next(node))
		n++;
	pin->extents = kvmalloc_array(n + 1, sizeof(*pin->extents), GFP_KERNEL);
	if (!pin->extents)
		return -ENOMEM;
	for (node = rb_first(&sis->swap_extent_root); node; node = rb_next(node)) {
		struct swap_extent *se = rb_entry(node, struct swap_extent, rb_node);
		struct kx_extent *e = &pin->extents[pin->nr++];

		e->start = (u64)se->start_page << PAGE_SECTORS_SHIFT;
		e->lower = (u64)se->start_block << PAGE_SECTORS_SHIFT;
		next = se->start_page + se->nr_pages;
	}
	/* The last one ends the others. */
	pin->extents[n] = (struct kx_extent){ .start = (u64)pages << PAGE_SECTORS_SHIFT };
	/* ->swap_activate() leaves parts of pages out. */
	return next == pages ? 0 : KX_PIN_UNALIGNED;
}

static void free_extents(struct swap_info_struct *sis)
{
	struct rb_node *node;

	while ((node = sis->swap_extent_root.rb_node)) {
		rb_erase(node, &sis->swap_extent_root);
		kfree(rb_entry(node, struct swap_extent, rb_node));
	}
}

static void deactivate(struct file *file)
{
	const struct address_space_operations *ops = file->f_mapping->a_ops;

	if (ops->swap_deactivate)
		ops->swap_deactivate(file);
}

static int map(struct file *file, loff_t size, struct kx_pin *pin)
{
	struct inode *inode = file_inode(file);
	pgoff_t pages = size >> PAGE_SHIFT;
	struct swap_info_struct *sis;
	sector_t span;
	int ret;

	sis = kzalloc_obj(*sis);
	if (!sis)
		return -ENOMEM;
	sis->max = pages;
	sis->bdev = inode->i_sb->s_bdev;
	inode_lock(inode);
	ret = file->f_mapping->a_ops->swap_activate(sis, file, &span);
	if (ret >= 0) {
		/* The file system may let it go when the file is released. */
		pin->bdev = sis->bdev;
		get_device(&pin->bdev->bd_device);
		ret = bdev_is_zoned(pin->bdev) ? KX_PIN_ZONED :
						 copy_extents(sis, pages, pin);
		if (ret)
			deactivate(file);
	} else if (ret == -EINVAL) {
		ret = KX_PIN_REFUSED;
	}
	inode_unlock(inode);
	free_extents(sis);
	kfree(sis);
	return ret;
}

/* Waits for a lock of the kernel under which other tasks reclaim memory. */
struct bio_set *kx_bios_alloc(void)
{
	struct bio_set *bios = kzalloc_obj(*bios);

	if (bios && bioset_init(bios, KX_PIN_BIOS, 0, 0)) {
		kfree(bios);
		bios = NULL;
	}
	return bios;
}

void kx_bios_free(struct bio_set *bios)
{
	bioset_exit(bios);
	kfree(bios);
}

/* A page in the address space of the current task, or a negative errno. */
unsigned long kx_user_page_map(void)
{
	if (!current->mm)
		return -ESRCH;
	return vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, 0);
}

void kx_user_page_unmap(unsigned long page)
{
	vm_munmap(page, PAGE_SIZE);
}

static void free_pin(struct kx_pin *pin)
{
	if (pin->bdev)
		put_device(&pin->bdev->bd_device);
	kvfree(pin->extents);
	*pin = (struct kx_pin){};
}

/*
 * Returns 0, a negative errno, or a KX_PIN_* that says why the file can't be held
 * still. page is of kx_user_page_map(). lockdep is off: the caller has frozen a
 * queue, and file systems above it are in the classes of the one below.
 */
int kx_pin(struct file *file, unsigned long page, struct kx_pin *pin)
{
	loff_t size;
	int ret;

	*pin = (struct kx_pin){};
	lockdep_off();
	ret = set_swapfile(file, &size);
	if (!ret) {
		ret = check_written(file, size, page);
		if (!ret)
			ret = map(file, size, pin);
		if (ret)
			clear_swapfile(file);
	}
	if (ret)
		free_pin(pin);
	lockdep_on();
	return ret;
}

/* Lets the file go. The extents stay until kx_pin_free(). */
void kx_unpin(struct file *file)
{
	lockdep_off();
	deactivate(file);
	clear_swapfile(file);
	lockdep_on();
}

void kx_pin_free(struct kx_pin *pin)
{
	free_pin(pin);
}

/* Whether the mtime of the file is of this second. */
bool kx_pin_is_touched(struct file *file)
{
	return inode_get_mtime_sec(file_inode(file)) >= ktime_get_real_seconds();
}

/* Returns false while the file system is frozen. lockdep is off as in kx_pin(). */
bool kx_pin_update_time(struct file *file)
{
	struct super_block *sb = file_inode(file)->i_sb;
	bool started;

	lockdep_off();
	started = sb_start_write_trylock(sb);
	if (started) {
		file_update_time(file);
		sb_end_write(sb);
	}
	lockdep_on();
	return started;
}

/* As kiocb_start_write(): another task may release it, in kx_lower_ended(). */
int kx_pin_start_write(struct file *file, bool nowait)
{
	struct super_block *sb = file_inode(file)->i_sb;

	if (!nowait)
		sb_start_write(sb);
	else if (!sb_start_write_trylock(sb))
		return -EAGAIN;
	if (unlikely(sb_rdonly(sb))) {
		sb_end_write(sb);
		return -EROFS;
	}
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	return 0;
}

bool kx_file_range_is_cached(struct file *file, loff_t pos, unsigned int len)
{
	struct address_space *mapping = file->f_mapping;

	return READ_ONCE(mapping->nrpages) &&
	       filemap_range_has_page(mapping, pos, pos + len - 1);
}

/* Whether a flush of the disk alone makes durable what was written by this file. */
bool kx_file_needs_sync(struct file *file)
{
	struct address_space *mapping = file->f_mapping;

	if (mapping_tagged(mapping, PAGECACHE_TAG_DIRTY) ||
	    mapping_tagged(mapping, PAGECACHE_TAG_WRITEBACK))
		return true;
	/* A write-back stores its error before it clears the tag: mapping_set_error(). */
	smp_rmb();
	return errseq_check(&mapping->wb_err, READ_ONCE(file->f_wb_err));
}
