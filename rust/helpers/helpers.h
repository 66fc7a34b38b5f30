/* SPDX-License-Identifier: GPL-2.0 */
/*
 * C shims for what Rust cannot call: inline functions, macros, variadic
 * functions, and fields that move between kernel versions. Rust declares the same
 * prototypes in rust/helpers.rs.
 *
 * The shims decide nothing, with these exceptions. They are in C because they
 * consist of inline functions, macros, private constants of the block layer and
 * fields that depend on the configuration:
 *
 * - inline_context.c: find_guard() and kx_inline_guard() decide whether I/O may be
 *   submitted in the current task.
 * - completion.c: try_end() decides whether the stack has room to end a request.
 * - plug.c: kx_plug_postpone() decides whether requests wait for the end of a
 *   plug.
 * - poll.c: can_poll() and kx_rq_polls_on() decide whether a request is polled on
 *   the lower device.
 * - remap.c: fits() decides whether a bio may bypass the file operations of the
 *   lower device.
 * - pin.c: refuse() and check_written() decide whether a file may be held still.
 * - kiocb.c: can_watch() decides whether lockdep stays enabled below, and
 *   write_cached() exempts the current task from dirty throttling.
 *
 * The flags of tag sets and workqueues are fixed in queue.c and workqueue.c.
 */
#ifndef _RLOOP_HELPERS_H
#define _RLOOP_HELPERS_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/sched.h>
#include <linux/types.h>

struct attribute_group;
struct bio;
struct bio_set;
struct bio_vec;
struct block_device;
struct bvec_iter;
struct cgroup_subsys_state;
struct delayed_work;
struct device;
struct device_attribute;
struct file;
struct gendisk;
struct iov_iter;
struct kiocb;
struct mem_cgroup;
struct mutex;
struct queue_limits;
struct request;
struct request_queue;
struct super_block;
struct work_struct;
struct workqueue_struct;

/* cgroup.c */
struct kx_charge {
	struct cgroup_subsys_state *memcg_css;
	struct mem_cgroup *old;
};

struct cgroup_subsys_state *kx_rq_blkcg(const struct request *rq);
bool kx_charge_enter(const struct request *rq, struct kx_charge *charge);
void kx_charge_leave(const struct kx_charge *charge);

/* BLK_MAX_REQUEST_COUNT, which is private to the block layer. */
#define KX_PLUG_IOS	32

/* plug.c */
bool kx_plug_postpone(struct rq_list *list, unsigned short requests);

/* inline_context.c */
/* Why a task may not submit I/O for the driver. */
enum kx_guard {
	KX_GUARD_NONE,
	KX_GUARD_STACK,
	KX_GUARD_RECLAIM,
	KX_GUARD_BIO_LIST,
	KX_GUARD_PLUG,
	KX_GUARD_PASSTHROUGH,
	KX_GUARD_KBLOCKD,
	KX_GUARD_FREEZING,
	KX_GUARD_CGROUP,
	KX_GUARD_FILE_SIZE,
};

struct kx_inline {
	void *journal_info;
	struct bio_list *bio_list;
	struct blk_plug *plug;
	u64 read_bytes;
	u64 write_bytes;
	unsigned int memflags;
	u8 guard;
	struct cgroup_subsys_state *css;
	struct blk_plug own;
};

void kx_inline_enter(struct kx_inline *s, const struct request *first,
		     unsigned short requests);
void kx_inline_leave(struct kx_inline *s, unsigned short requests);
enum kx_guard kx_inline_guard(const struct kx_inline *s, const struct request *rq);
bool kx_inline_is_worker(void);

/* completion.c */
typedef void (kx_defer_fn)(struct request *rq, unsigned int good, blk_status_t status);
void kx_rq_end(struct request *rq, blk_status_t status, kx_defer_fn *defer);
void kx_rq_end_part(struct request *rq, blk_status_t status, kx_defer_fn *defer,
		    unsigned int good);

/* trace.c */
void kx_trace_submit(struct request *rq);
void kx_trace_fallback(struct request *rq, const char *reason);
void kx_trace_complete(struct request *rq, blk_status_t status);

/* percpu.c */
u64 __percpu *kx_counters_alloc(unsigned int bytes);
void kx_counters_free(u64 __percpu *counters);
void kx_counters_add(u64 __percpu *counters, unsigned int i);
void kx_counters_add_two(u64 __percpu *counters, unsigned int i, unsigned int j);
u64 kx_counters_sum(u64 __percpu *counters, unsigned int i);

/* request.c and remap.c */
unsigned short kx_rq_list_count(struct rq_list *list);
bool kx_bio_remap(struct bio *clone, const struct request *rq,
		  const struct file *file, u64 sector, blk_opf_t more,
		  bio_end_io_t *end_io);
void kx_bio_remap_submit(struct bio *clone);
int kx_bio_remapped(struct bio *clone);
bool kx_bdev_may_write(struct block_device *bdev);
void kx_lower_init(struct bio *bio, const struct request *rq,
		   struct block_device *bdev, u64 sector, blk_opf_t more,
		   bio_end_io_t *end_io, struct super_block *sb);
void kx_lower_submit(struct bio *bio);
bool kx_lower_submit_piece(struct bio *parent, struct bio *src, unsigned int skip,
			   unsigned int bytes, u64 sector, struct bio_set *bios);
void kx_lower_submitted(struct bio *parent, bool all);
int kx_lower_ended(struct bio *bio);
struct request *kx_rq_list_pop(struct rq_list *list);
void kx_rq_complete(struct request *rq);
void kx_bio_iter_bvec(const struct bio *bio, const struct bvec_iter *iter,
		      struct bio_vec *bvec);
void kx_bio_advance_iter(const struct bio *bio, struct bvec_iter *iter,
			 unsigned int bytes);
void kx_iov_iter_bio(struct iov_iter *iter, unsigned int direction,
		     const struct bio *bio);
size_t kx_iov_iter_count(const struct iov_iter *iter);

/* gen_disk.c */
void kx_disk_uevent_change(struct gendisk *disk);
void kx_disk_uevent_partitions_add(struct gendisk *disk);
void kx_disk_suppress_uevents(struct gendisk *disk, bool suppress);
void kx_disk_set_partscan(struct gendisk *disk, bool enable);
void kx_disk_set_media_change_events(struct gendisk *disk);
void kx_disk_get(struct gendisk *disk);
void kx_disk_put(struct gendisk *disk);
unsigned int kx_disk_openers(struct gendisk *disk);
int kx_disk_scan_partitions(struct gendisk *disk);
int kx_disk_drop_partitions(struct gendisk *disk);
int kx_disk_create_group(struct gendisk *disk,
			 const struct attribute_group *group);
void kx_disk_remove_group(struct gendisk *disk,
			  const struct attribute_group *group);
struct gendisk *kx_dev_to_disk(struct device *dev);
int kx_bdev_sync_and_invalidate(struct block_device *bdev);
sector_t kx_bdev_nr_sectors(struct block_device *bdev);

/* queue.c */
unsigned int kx_freeze_queue(struct request_queue *q);
void kx_unfreeze_queue(struct request_queue *q, unsigned int memflags);
bool kx_queue_is_busy(struct request_queue *q);
void kx_queue_wait_issued(struct request_queue *q);
void kx_limits_start_update(struct request_queue *q, struct queue_limits *lim);
void kx_limits_cancel_update(struct request_queue *q);
void kx_limits_set_atomic_units(struct queue_limits *lim, unsigned int min,
				unsigned int max);
void kx_limits_set_features(struct queue_limits *lim, bool write_cache,
			    bool fua, bool rotational);
void kx_limits_set_stable_writes(struct queue_limits *lim, bool stable);
void kx_disk_pass_on(struct gendisk *disk, bool on);
void kx_disk_leave_wbt_off(struct gendisk *disk);
unsigned int kx_tag_set_flags(void);

/* poll.c */
void kx_tag_set_add_poll_queues(struct blk_mq_tag_set *set, unsigned int polled);
void kx_map_queues(struct blk_mq_tag_set *set);
bool kx_rq_polls_on(const struct request *rq, const struct file *file);
bool kx_rq_polls_on_bdev(const struct request *rq, struct block_device *bdev);
int kx_poll_hctx(struct blk_mq_hw_ctx *hctx, int (*poll)(struct request *rq));
int kx_bio_poll(struct bio *bio);
int kx_kiocb_poll(struct kiocb *iocb);

/* file.c */
enum {
	KX_OP_READ_ITER		= 1 << 0,
	KX_OP_WRITE_ITER	= 1 << 1,
	KX_OP_FSYNC		= 1 << 2,
	KX_OP_FALLOCATE		= 1 << 3,
};

enum {
	KX_FILE_READ		= 1 << 0,
	KX_FILE_WRITE		= 1 << 1,
	KX_FILE_CAN_DIRECT	= 1 << 2,
	KX_FILE_DIRECT		= 1 << 3,
	KX_FILE_REGULAR		= 1 << 4,
	KX_FILE_BLOCK		= 1 << 5,
	KX_FILE_NOWAIT		= 1 << 6,
	KX_FILE_SYNC		= 1 << 7,
	KX_FILE_NOWAIT_CACHED	= 1 << 8,
};

struct file *kx_file_get(unsigned int fd);
char *kx_file_path(struct file *file, char *buf, int len);
unsigned int kx_file_ops(const struct file *file);
unsigned int kx_file_traits(const struct file *file);
struct block_device *kx_file_bdev(const struct file *file);
struct block_device *kx_file_sb_bdev(const struct file *file);
bool kx_bdev_rotational(struct block_device *bdev);
bool kx_bdev_nowait(struct block_device *bdev);
bool kx_bdev_write_cache(struct block_device *bdev);
bool kx_bdev_stable_writes(struct block_device *bdev);
bool kx_bdev_is_mq(struct block_device *bdev);
void kx_bdev_dio_limits(struct block_device *bdev, unsigned int *offset,
			unsigned int *mem);
void kx_bdev_space_limits(struct block_device *bdev, unsigned int *granularity,
			  unsigned int *max_zeroes);
void kx_bdev_request_size(struct block_device *bdev, unsigned int *sectors,
			  unsigned short *segments, unsigned int *segment);
void kx_bdev_atomic_units(struct block_device *bdev, unsigned int *min,
			  unsigned int *max);
int kx_file_size(struct file *file, loff_t *size);
int kx_file_prepare_direct(struct file *file);
bool kx_file_dio_align(struct file *file, unsigned int *offset,
		       unsigned int *mem);
int kx_file_identity(struct file *file, u64 *dev, u64 *ino, u64 *rdev);
int kx_file_block_size(struct file *file, unsigned int *bsize);
int kx_file_write_back(struct file *file);
int kx_file_invalidate_range(struct file *file, loff_t pos, unsigned int len);
gfp_t kx_file_restrict_gfp(struct file *file);
unsigned long kx_file_mapping_id(const struct file *file);
void kx_file_restore_gfp(struct file *file, gfp_t old);

/* pin.c */
/* Why a file can't be held still. */
enum kx_pin_refusal {
	KX_PIN_FILE_SYSTEM = 1,
	KX_PIN_IN_USE,
	KX_PIN_ENCRYPTED,
	KX_PIN_DAX,
	KX_PIN_JOURNALED,
	KX_PIN_SIZE,
	KX_PIN_TOO_LARGE,
	KX_PIN_MAPPED,
	KX_PIN_HOLES,
	KX_PIN_REFUSED,
	KX_PIN_UNALIGNED,
	KX_PIN_ZONED,
};

/* In 512-byte sectors, of the file and of the device that it lies on. */
struct kx_extent {
	u64 start;
	u64 lower;
};

/* A file that is held still. One extent more than nr is there: the end. */
struct kx_pin {
	struct kx_extent *extents;
	struct block_device *bdev;
	unsigned int nr;
};

struct bio_set *kx_bios_alloc(void);
void kx_bios_free(struct bio_set *bios);
unsigned long kx_user_page_map(void);
void kx_user_page_unmap(unsigned long page);
int kx_pin(struct file *file, unsigned long page, struct kx_pin *pin);
void kx_unpin(struct file *file);
void kx_pin_free(struct kx_pin *pin);
bool kx_pin_is_touched(struct file *file);
bool kx_pin_update_time(struct file *file);
int kx_pin_start_write(struct file *file, bool nowait);
bool kx_file_range_is_cached(struct file *file, loff_t pos, unsigned int len);
bool kx_file_needs_sync(struct file *file);

/* kiocb.c */
enum {
	KX_IO_DIRECT	= 1,
	KX_IO_DSYNC	= 2,
	KX_IO_DONTCACHE	= 4,
	KX_IO_NOWAIT	= 8,
	KX_IO_NOIO	= 16,
	KX_IO_POLLED	= 32,
};

void kx_kiocb_init(struct kiocb *iocb, struct file *file, loff_t pos,
		   struct request *rq, unsigned int flags,
		   void (*complete)(struct kiocb *iocb, long ret));
bool kx_kiocb_start_write(struct kiocb *iocb);
ssize_t kx_kiocb_submit(struct kiocb *iocb, struct iov_iter *iter, bool write);
ssize_t kx_kiocb_submit_bio(struct kiocb *iocb, const struct bio *bio, bool write);
void kx_kiocb_end_poll(struct kiocb *iocb);
void kx_kiocb_end_write(struct kiocb *iocb);

/* workqueue.c */
struct workqueue_struct *kx_alloc_workqueue(const char *name, bool high);
void kx_init_work(struct work_struct *work,
		  void (*fn)(struct work_struct *work));
void kx_flush_workqueue(struct workqueue_struct *wq);
bool kx_queue_work(struct workqueue_struct *wq, struct work_struct *work);
void kx_init_bh_work(struct work_struct *work,
		     void (*fn)(struct work_struct *work));
void kx_queue_bh_work(struct work_struct *work);
void kx_init_delayed_work(struct delayed_work *work,
			  void (*fn)(struct work_struct *work));
void kx_queue_delayed_work(struct delayed_work *work, unsigned int ms);
void kx_hasten_delayed_work(struct delayed_work *work);
void kx_cancel_delayed_work(struct delayed_work *work);
void kx_cond_resched(void);
unsigned int kx_io_worker_enter(void);
void kx_io_worker_leave(unsigned int old);

/* sysfs.c */
void kx_device_attribute_init(struct device_attribute *attr, const char *name,
			      umode_t mode,
			      ssize_t (*show)(struct device *dev,
					      struct device_attribute *attr,
					      char *buf),
			      ssize_t (*store)(struct device *dev,
					       struct device_attribute *attr,
					       const char *buf, size_t count));

/* misc.c */
unsigned long kx_spin_lock_irqsave(spinlock_t *lock);
void kx_spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags);
int kx_mutex_lock_killable(struct mutex *lock);
bool kx_capable_sys_admin(void);

struct kx_task_name {
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

void kx_task_name(struct kx_task_name *name);
unsigned int kx_minor(dev_t dev);
enum {
	KX_OPEN_WRITE		= 1 << 0,
	KX_OPEN_EXCL		= 1 << 1,
};

unsigned int kx_open_mode(blk_mode_t mode);
loff_t kx_noop_llseek(struct file *file, loff_t offset, int whence);

#endif /* _RLOOP_HELPERS_H */
