// SPDX-License-Identifier: GPL-2.0
/* plugstress: a task that submits batches, and compares what it reads. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include "plugstress.h"

enum {
	BLOCK = 4096, REGION_BLOCKS = 256, REGION = BLOCK * REGION_BLOCKS,
	LONGEST = 4, BATCH = 40,
};

struct op {
	int target, first, blocks, fd;
	bool write, nowait, sync, worker;
	char *buf;
	uint32_t generation;
	long result;
};

static const struct kind *kind;
static enum engine engine;
static bool verified;		/* nothing of an earlier life is on its way */
static uint32_t last_generation;
static uint32_t known[TARGETS][REGION_BLOCKS];	/* 0: anything */
static int fds[TARGETS];
static bool is_direct[TARGETS];
static struct op ops[BATCH];
static int n_ops;
static char *want;

/* Where its region of a target begins. */
static uint64_t start_of(int target)
{
	int place = targets[target].is_file ? self : SLOTS - 1 - self;

	return (uint64_t)place * REGION;
}

static void fill(char *buf, int target, int block, uint32_t generation)
{
	uint64_t name = seed * 31 + self * TARGETS + target;

	pattern_fill(buf, BLOCK, (name << 32) + generation, (uint64_t)block * BLOCK);
}

static aio_context_t aio;

static void aio_batch(void)
{
	struct iocb iocbs[BATCH], *list[BATCH];
	struct io_event events[BATCH];
	int i, n, done;

	for (i = 0; i < n_ops; i++) {
		struct op *op = &ops[i];

		iocbs[i] = (struct iocb){
			.aio_data = i, .aio_fildes = op->fd,
			.aio_lio_opcode = op->sync ? IOCB_CMD_FDSYNC :
				op->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
			.aio_rw_flags = op->nowait ? RWF_NOWAIT : 0,
		};
		if (!op->sync) {
			iocbs[i].aio_buf = (uintptr_t)op->buf;
			iocbs[i].aio_nbytes = op->blocks * BLOCK;
			iocbs[i].aio_offset = start_of(op->target) + op->first * BLOCK;
		}
		list[i] = &iocbs[i];
	}
	for (done = 0; done < n_ops; done += n) {
		n = syscall(SYS_io_submit, aio, n_ops - done, list + done);
		/* What can't be queued is told in place of the call, for the first. */
		if (n < 0 && ops[done].nowait && (errno == EAGAIN || errno == EOPNOTSUPP)) {
			ops[done].result = -EAGAIN;
			n = 1;
			list[done] = NULL;
		} else if (n <= 0) {
			fail("io_submit");
		}
	}
	for (i = 0; i < n_ops; i++)
		done -= !list[i];
	while (done > 0) {
		n = syscall(SYS_io_getevents, aio, 1, BATCH, events, NULL);
		if (n < 0 && errno != EINTR)
			fail("io_getevents");
		for (i = 0; i < n; i++)
			ops[events[i].data].result = events[i].res;
		done -= n > 0 ? n : 0;
	}
}

static struct {
	int fd;
	atomic_uint *sq_head, *sq_tail, *sq_flags, *cq_head, *cq_tail;
	unsigned int sq_mask, cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
} ring;

static bool ring_begin(void)
{
	struct io_uring_params p = {
		.flags = engine == SQPOLL ? IORING_SETUP_SQPOLL : 0,
		.sq_thread_idle = 5,
	};
	unsigned int *array, i;
	char *rings;

	ring.fd = syscall(SYS_io_uring_setup, 64, &p);
	if (ring.fd < 0)
		return false;
	if (!(p.features & IORING_FEAT_SINGLE_MMAP))
		fail("an io_uring that is too old");
	rings = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe) +
		     p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQ_RING);
	ring.sqes = mmap(NULL, p.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQES);
	if (rings == MAP_FAILED || ring.sqes == MAP_FAILED)
		fail("mmap of an io_uring");
	ring.sq_head = (void *)(rings + p.sq_off.head);
	ring.sq_tail = (void *)(rings + p.sq_off.tail);
	ring.sq_flags = (void *)(rings + p.sq_off.flags);
	ring.cq_head = (void *)(rings + p.cq_off.head);
	ring.cq_tail = (void *)(rings + p.cq_off.tail);
	ring.sq_mask = *(unsigned int *)(rings + p.sq_off.ring_mask);
	ring.cq_mask = *(unsigned int *)(rings + p.cq_off.ring_mask);
	ring.cqes = (void *)(rings + p.cq_off.cqes);
	array = (void *)(rings + p.sq_off.array);
	for (i = 0; i < p.sq_entries; i++)
		array[i] = i;
	return true;
}

static void ring_batch(void)
{
	unsigned int tail = *ring.sq_tail, head, flags;
	int i, done = 0;

	for (i = 0; i < n_ops; i++, tail++) {
		struct io_uring_sqe *sqe = &ring.sqes[tail & ring.sq_mask];
		struct op *op = &ops[i];

		memset(sqe, 0, sizeof(*sqe));
		sqe->user_data = i;
		sqe->fd = op->fd;
		sqe->flags = op->worker ? IOSQE_ASYNC : 0;
		if (op->sync) {
			sqe->opcode = IORING_OP_FSYNC;
			continue;
		}
		sqe->opcode = op->write ? IORING_OP_WRITE : IORING_OP_READ;
		sqe->addr = (uintptr_t)op->buf;
		sqe->len = op->blocks * BLOCK;
		sqe->off = start_of(op->target) + op->first * BLOCK;
		sqe->rw_flags = op->nowait ? RWF_NOWAIT : 0;
	}
	atomic_store(ring.sq_tail, tail);
	while (done < n_ops) {
		unsigned int submit = engine == SQPOLL ? 0 : tail - *ring.sq_head;

		flags = IORING_ENTER_GETEVENTS;
		if (engine == SQPOLL && (*ring.sq_flags & IORING_SQ_NEED_WAKEUP))
			flags |= IORING_ENTER_SQ_WAKEUP;
		if (syscall(SYS_io_uring_enter, ring.fd, submit, 1, flags, NULL, 0) < 0 &&
		    errno != EINTR && errno != EAGAIN && errno != EBUSY)
			fail("io_uring_enter");
		for (head = *ring.cq_head; head != *ring.cq_tail; head++, done++) {
			struct io_uring_cqe *cqe = &ring.cqes[head & ring.cq_mask];

			ops[cqe->user_data].result = cqe->res;
		}
		atomic_store(ring.cq_head, head);
	}
}

static bool is_free(int target, int first, int blocks)
{
	int i;

	for (i = 0; i < n_ops; i++)
		if (ops[i].target == target && !ops[i].sync &&
		    first < ops[i].first + ops[i].blocks && ops[i].first < first + blocks)
			return false;
	return true;
}

static void add_op(void)
{
	struct op op = { .target = rnd(n_targets), .blocks = 1 + rnd(LONGEST) };
	int i;

	op.first = rnd(REGION_BLOCKS - LONGEST);
	op.fd = fds[op.target];
	op.sync = !rnd(64);
	op.write = rnd(2);
	op.nowait = !op.sync && is_direct[op.target] && !rnd(16);
	op.worker = !rnd(16);
	op.buf = ops[n_ops].buf;
	if (!is_free(op.target, op.first, op.blocks))
		return;
	if (op.write && !op.sync) {
		op.generation = ++last_generation;
		for (i = 0; i < op.blocks; i++)
			fill(op.buf + i * BLOCK, op.target, op.first + i, op.generation);
	}
	ops[n_ops++] = op;
}

static void differs(const struct op *op, int block, const char *got, uint32_t generation)
{
	fail("wrong data in block %d of %s (%s), write %u: %016llx for %016llx", block,
	     targets[op->target].path, is_direct[op->target] ? "direct" : "cached", generation,
	     *(unsigned long long *)got, *(unsigned long long *)want);
}

static void check(const struct op *op)
{
	const char *what = op->sync ? "sync" : op->write ? "write" : "read";
	bool skipped = op->nowait && (op->result == -EAGAIN || op->result == -EOPNOTSUPP);
	int i;

	errno = op->result < 0 ? -op->result : 0;
	if (!skipped && op->result != (op->sync ? 0 : op->blocks * BLOCK))
		fail("%s of %d blocks at %d of %s: %ld", what, op->blocks, op->first,
		     targets[op->target].path, op->result);
	if (skipped)
		shared->slots[self].refused++;
	if (op->sync)
		return;
	for (i = 0; i < op->blocks; i++) {
		uint32_t *generation = &known[op->target][op->first + i];

		if (op->write) {
			*generation = skipped || !verified ? 0 : op->generation;
		} else if (*generation && !skipped) {
			fill(want, op->target, op->first + i, *generation);
			if (memcmp(op->buf + i * BLOCK, want, BLOCK))
				differs(op, op->first + i, op->buf + i * BLOCK, *generation);
			shared->slots[self].checked++;
		}
	}
}

static void batch(void)
{
	int i;

	if (engine == AIO)
		aio_batch();
	else
		ring_batch();
	for (i = 0; i < n_ops; i++)
		check(&ops[i]);
	shared->slots[self].ops += n_ops;
	n_ops = 0;
}

/* In the end all that is known is read once more. */
static void check_all(void)
{
	int target, block, n;

	for (target = 0; target < n_targets; target++) {
		for (block = 0; block < REGION_BLOCKS; block += n) {
			for (n = 0; n < LONGEST && block + n < REGION_BLOCKS; n++)
				if (!known[target][block + n])
					break;
			if (n) {
				ops[n_ops] = (struct op){
					.target = target, .first = block, .blocks = n,
					.fd = fds[target], .buf = ops[n_ops].buf,
				};
				n_ops++;
			} else {
				n = 1;
			}
			if (n_ops == BATCH)
				batch();
		}
	}
	if (n_ops)
		batch();
}

static void join(const char *group)
{
	int fd = open(group, O_WRONLY);

	if (fd < 0 || dprintf(fd, "%d", getpid()) < 0)
		fail("%s", group);
	close(fd);
}

static void limit_self(void)
{
	if (kind->flags & FSIZE) {
		/* All that it writes in files is below this, and nothing it writes to devices. */
		rlim_t most = (rlim_t)(self + 1) * REGION;
		struct rlimit limit = { most, most };

		if (setrlimit(RLIMIT_FSIZE, &limit))
			fail("setrlimit");
	}
	if ((kind->flags & MEMORY) && memory_group)
		join(memory_group);
	if ((kind->flags & IO_LIMIT) && io_group)
		join(io_group);
	if (kind->flags & FIFO) {
		struct sched_param param = { .sched_priority = 1 };
		cpu_set_t cpu;

		CPU_ZERO(&cpu);
		CPU_SET(0, &cpu);
		if (sched_setaffinity(0, sizeof(cpu), &cpu) ||
		    sched_setscheduler(0, SCHED_FIFO, &param))
			fail("sched_setscheduler");
	}
}

void submitter(int life)
{
	struct slot *slot = &shared->slots[self];
	char *bufs;
	int i;

	kind = &kinds[self];
	engine = kind->engine;
	rnd_state = (uint64_t)life << 32;
	last_generation = 0;
	limit_self();
	if (posix_memalign((void **)&bufs, BLOCK, (BATCH * LONGEST + 1) * BLOCK))
		fail("memory");
	for (i = 0; i < BATCH; i++)
		ops[i].buf = bufs + i * LONGEST * BLOCK;
	want = bufs + BATCH * LONGEST * BLOCK;
	if (engine != AIO && !ring_begin()) {
		if (errno != ENOSYS && errno != EPERM)
			fail("io_uring_setup");
		engine = AIO;
	}
	if (engine == AIO && syscall(SYS_io_setup, BATCH, &aio))
		fail("io_setup");
	/* Of a task that is killed libaio ends all I/O before it is gone, io_uring later. */
	verified = engine == AIO || life == 0;
	for (i = 0; i < n_targets; i++) {
		/* (Reading ahead would be in other tasks' regions.) */
		is_direct[i] = targets[i].direct_only || rnd(3);
		fds[i] = open(targets[i].path, O_RDWR | O_CLOEXEC | (is_direct[i] ? O_DIRECT : 0));
		if (fds[i] < 0)
			fail("%s", targets[i].path);
		posix_fadvise(fds[i], 0, 0, POSIX_FADV_RANDOM);
	}
	while (!shared->over && !shared->failed) {
		int n = rnd(4) ? 1 + rnd(BATCH) : BATCH;

		for (i = 0; i < n; i++)
			add_op();
		if (n_ops)
			batch();
		slot->rounds++;
		if (!rnd(4))
			usleep(rnd(20000));
	}
	if (!shared->failed)
		check_all();
	_exit(0);
}
