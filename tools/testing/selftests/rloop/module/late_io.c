// SPDX-License-Identifier: GPL-2.0
/*
 * late_io path=DEVICE: keeps a block device that it does not have open, as a file system or a
 * driver above may that is late with some of its I/O, and submits to it: reads and writes of 4 KiB
 * in the first MiB. What is written to the parameter "command" is done at once or begins:
 *
 * run          one after the other, in two threads, until they are stopped
 * hold         a request of each stays in its plug, until then
 * stop         both threads end, and all that they have submitted has ended
 *
 * The parameters submitted, ended and failed count bios. Of the bios of "run", the last one before
 * tasks are thawed from a suspend counts as held if it had not ended when submit_bio() returned,
 * else as while_frozen.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>

#define LATE_THREADS	2
#define LATE_SECTORS	((1 << 20) >> SECTOR_SHIFT)

static char *path;
module_param(path, charp, 0444);
static atomic_t submitted, ended, failed, held, while_frozen;

static struct block_device *late_bdev;
static struct task_struct *late_threads[LATE_THREADS];
static DEFINE_MUTEX(late_mutex);

struct late_bio {
	struct bio bio;
	struct bio_vec vec;
	struct completion done;
	struct page *page;
};

static void late_end(struct bio *bio)
{
	struct late_bio *late = container_of(bio, struct late_bio, bio);

	if (bio->bi_status)
		atomic_inc(&failed);
	atomic_inc(&ended);
	complete(&late->done);
}

static void late_submit(struct late_bio *late, unsigned int n)
{
	struct bio *bio = &late->bio;

	init_completion(&late->done);
	bio_init(bio, late_bdev, &late->vec, 1, n % 3 ? REQ_OP_READ : REQ_OP_WRITE);
	bio->bi_iter.bi_sector = n * 24 % LATE_SECTORS & ~7u;
	bio->bi_end_io = late_end;
	__bio_add_page(bio, late->page, PAGE_SIZE, 0);
	atomic_inc(&submitted);
	submit_bio(bio);
}

static void late_wait(struct late_bio *late)
{
	wait_for_completion(&late->done);
	bio_uninit(&late->bio);
}

static bool late_freezing(void)
{
#ifdef CONFIG_FREEZER
	return static_branch_unlikely(&freezer_active);
#else
	return false;
#endif
}

static int late_run(void *data)
{
	struct late_bio *late = data;
	bool freezing, was_freezing = false, was_held = false;
	unsigned int n = 0;

	while (!kthread_should_stop()) {
		freezing = late_freezing();
		if (was_freezing && !freezing)
			atomic_inc(was_held ? &held : &while_frozen);
		was_freezing = freezing;

		late_submit(late, n++);
		was_held = !completion_done(&late->done);
		late_wait(late);
		if (late->bio.bi_status)
			usleep_range(100, 500);
		cond_resched();
	}
	return 0;
}

/* A task that sleeps flushes its plug, so this one does not. */
static int late_hold(void *data)
{
	struct late_bio *late = data;
	struct blk_plug plug;

	blk_start_plug(&plug);
	late_submit(late, 1);
	while (!kthread_should_stop())
		cond_resched();
	blk_finish_plug(&plug);
	late_wait(late);
	return 0;
}

static struct late_bio late_bios[LATE_THREADS];

static void late_stop(void)
{
	int i;

	for (i = 0; i < LATE_THREADS; i++) {
		if (!late_threads[i])
			continue;
		kthread_stop(late_threads[i]);
		put_task_struct(late_threads[i]);
		late_threads[i] = NULL;
	}
}

static int late_start(int (*how)(void *data))
{
	int i;

	for (i = 0; i < LATE_THREADS; i++) {
		struct task_struct *task;

		task = kthread_create(how, &late_bios[i], "late_io/%d", i);
		if (IS_ERR(task)) {
			late_stop();
			return PTR_ERR(task);
		}
		late_threads[i] = get_task_struct(task);
		wake_up_process(task);
	}
	return 0;
}

static int command_set(const char *text, const struct kernel_param *kp)
{
	int ret = 0;

	/* It can be written to before and while the module is loaded. */
	mutex_lock(&late_mutex);
	if (!late_bdev)
		ret = -ENODEV;
	else if (sysfs_streq(text, "stop"))
		late_stop();
	else if (late_threads[0])
		ret = -EBUSY;
	else if (sysfs_streq(text, "run"))
		ret = late_start(late_run);
	else if (sysfs_streq(text, "hold"))
		ret = late_start(late_hold);
	else
		ret = -EINVAL;
	mutex_unlock(&late_mutex);
	return ret;
}

static const struct kernel_param_ops command_ops = { .set = command_set };
module_param_cb(command, &command_ops, NULL, 0200);

static int count_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%d\n", atomic_read((atomic_t *)kp->arg));
}

static const struct kernel_param_ops count_ops = { .get = count_get };
module_param_cb(submitted, &count_ops, &submitted, 0444);
module_param_cb(ended, &count_ops, &ended, 0444);
module_param_cb(failed, &count_ops, &failed, 0444);
module_param_cb(held, &count_ops, &held, 0444);
module_param_cb(while_frozen, &count_ops, &while_frozen, 0444);

static void late_free(void)
{
	int i;

	for (i = 0; i < LATE_THREADS; i++)
		if (late_bios[i].page)
			__free_page(late_bios[i].page);
}

static int __init late_init(void)
{
	struct file *file;
	int i;

	for (i = 0; i < LATE_THREADS; i++) {
		late_bios[i].page = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!late_bios[i].page)
			goto no_memory;
	}
	file = bdev_file_open_by_path(path ?: "", BLK_OPEN_READ, NULL, NULL);
	if (IS_ERR(file)) {
		late_free();
		return PTR_ERR(file);
	}
	mutex_lock(&late_mutex);
	late_bdev = file_bdev(file);
	/* This keeps the disk, and the disk keeps the block device. */
	get_device(disk_to_dev(late_bdev->bd_disk));
	mutex_unlock(&late_mutex);
	bdev_fput(file);
	return 0;

no_memory:
	late_free();
	return -ENOMEM;
}

static void __exit late_exit(void)
{
	mutex_lock(&late_mutex);
	late_stop();
	put_device(disk_to_dev(late_bdev->bd_disk));
	late_bdev = NULL;
	mutex_unlock(&late_mutex);
	late_free();
}

module_init(late_init);
module_exit(late_exit);

MODULE_DESCRIPTION("Submits to a block device after its last close");
MODULE_LICENSE("GPL");
