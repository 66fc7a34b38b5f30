// SPDX-License-Identifier: GPL-2.0
/*
 * plugstress SECONDS SEED [-m FILE] [-i FILE] ITEM...
 *
 * Tasks that submit batches of I/O, each batch with one system call and so in one plug, over all
 * targets at once, with libaio's and io_uring's system calls. Each task has a region of its own in
 * each target, and compares what it reads there with what it wrote. At the same time other tasks
 * change the queues, freeze file systems and change the devices. Some of the submitters have
 * limits, and some are killed. -m and -i: cgroup.procs of a group with little memory, and of one
 * with limits for I/O.
 *
 *	target:PATH		a block device or a file, of 16 MiB; direct:PATH never through
 *				the page cache
 *	sysfs:PATH=A,B...	one of the values is written to it, again and again
 *	dio:PATH, bs:PATH	direct I/O of a loop device is switched, or its block size changed
 *	freeze:PATH		a file system is frozen for a moment
 *
 * Exit status 1: wrong data, an I/O error, or a task that was ended by a signal.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/rloop.h>
#include "rloop_util.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
	BLOCK = 4096, REGION_BLOCKS = 256, REGION = BLOCK * REGION_BLOCKS,
	LONGEST = 4, BATCH = 40, TARGETS = 16, CHANGERS = 32, LEAST = 3,
};

enum engine { AIO, URING, SQPOLL };
enum { FSIZE = 1, FIFO = 2, MEMORY = 4, IO_LIMIT = 8, KILLED = 16 };

static const struct kind {
	const char *name;
	enum engine engine;
	int flags;
} kinds[] = {
	/* The first has the start of each file, and the end of each device. */
	{ "aio, file size", AIO, FSIZE },
	{ "uring, file size", URING, FSIZE },
	{ "aio", AIO, 0 },
	{ "aio, fifo", AIO, FIFO },
	{ "aio, memory", AIO, MEMORY },
	{ "aio, throttled", AIO, IO_LIMIT },
	{ "aio, killed", AIO, KILLED },
	{ "uring", URING, 0 },
	{ "uring, fifo", URING, FIFO },
	{ "uring, memory", URING, MEMORY },
	{ "uring, killed", URING, KILLED },
	{ "sqpoll", SQPOLL, 0 },
	{ "sqpoll, killed", SQPOLL, KILLED },
};

#define SLOTS ((int)ARRAY_SIZE(kinds))

struct target {
	const char *path;
	bool direct_only, is_file;
};

struct changer {
	const char *how, *path, *values;
};

static struct target targets[TARGETS];
static struct changer changers[CHANGERS];
static int n_targets, n_changers;
static const char *memory_group, *io_group;
static uint64_t seed;

/* What all tasks see. */
static struct shared {
	atomic_bool over, failed;
	struct slot {
		atomic_ulong rounds, ops, checked, refused;
		int pid, lives;
	} slots[SLOTS + CHANGERS];
} *shared;

/* ---- a submitter */

struct op {
	int target, first, blocks, fd;
	bool write, nowait, sync, worker;
	char *buf;
	uint32_t generation;
	long result;
};

static int self;		/* its slot */
static const struct kind *kind;
static enum engine engine;
static uint64_t rnd_state;
static bool verified;		/* nothing of an earlier life is on its way */
static uint32_t last_generation;
static uint32_t known[TARGETS][REGION_BLOCKS];	/* 0: anything */
static int fds[TARGETS];
static bool is_direct[TARGETS];
static struct op ops[BATCH];
static int n_ops;
static char *want;

static unsigned int rnd(unsigned int below)
{
	return (pattern_word(seed + self, rnd_state++) >> 20) % below;
}

static const char *own_name(void)
{
	return self < SLOTS ? kinds[self].name : "main";
}

/* One line with one write: others print, too. */
#define fail(format, ...) do {								\
	dprintf(1, "FAIL: %s: " format " (%s)\n", own_name(), ##__VA_ARGS__, strerror(errno)); \
	shared->failed = true;								\
	_exit(1);									\
} while (0)

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

static void submitter(int life)
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

/* ---- those that change what lies around */

static void changed(bool done)
{
	shared->slots[self].rounds++;
	shared->slots[self].refused += !done;
}

static void write_one_of(const char *path, const char *values)
{
	char list[256], *v, *save;
	int n = 1, fd;

	snprintf(list, sizeof(list), "%s", values);
	for (v = list; *v; v++)
		n += *v == ',';
	n = rnd(n);
	for (v = strtok_r(list, ",", &save); v && n; n--)
		v = strtok_r(NULL, ",", &save);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	changed(fd >= 0 && v && write(fd, v, strlen(v)) > 0);
	if (fd >= 0)
		close(fd);
}

static void freeze(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool done = fd >= 0 && !ioctl(fd, FIFREEZE, 0);

	if (done) {
		usleep(rnd(100000));
		while (ioctl(fd, FITHAW, 0) && errno != EINVAL)
			usleep(10000);
	}
	changed(done);
	close(fd);
	usleep(500000);
}

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ll + ts.tv_nsec / 1000;
}

static void changer(const struct changer *c)
{
	bool loop = !strcmp(c->how, "dio") || !strcmp(c->how, "bs");
	int fd = loop ? open(c->path, O_RDWR | O_CLOEXEC) : -1;

	if (loop && fd < 0)
		fail("%s", c->path);
	while (!shared->over && !shared->failed) {
		long long begin = now_us(), took;

		if (!strcmp(c->how, "sysfs"))
			write_one_of(c->path, c->values);
		else if (!strcmp(c->how, "freeze"))
			freeze(c->path);
		else if (!strcmp(c->how, "dio"))
			changed(!ioctl(fd, LOOP_SET_DIRECT_IO, rnd(2)));
		else
			changed(!ioctl(fd, LOOP_SET_BLOCK_SIZE, 512 << rnd(4)));
		/* (Where changes take long, there is time left for I/O.) */
		took = now_us() - begin;
		usleep(rnd(200000) + (took < 250000 ? 4 * took : 999999));
	}
	_exit(0);
}

/* ---- the first task */

static void start(int slot)
{
	struct slot *s = &shared->slots[slot];
	int life = s->lives++, pid = fork();

	if (pid < 0)
		fail("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		self = slot;
		if (slot < SLOTS)
			submitter(life);
		changer(&changers[slot - SLOTS]);
	}
	s->pid = pid;
}

/* A task has ended: as it should, or it begins again. */
static void reap(int pid, int status)
{
	int i = 0, sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	while (i < SLOTS + n_changers && shared->slots[i].pid != pid)
		i++;
	if (i == SLOTS + n_changers)
		return;
	shared->slots[i].pid = 0;
	/* (Where there is too little memory, the kernel kills.) */
	if (sig == SIGKILL && i < SLOTS && (kinds[i].flags & (KILLED | MEMORY))) {
		if (!shared->over)
			start(i);
	} else if (status) {
		if (!shared->failed)
			printf("FAIL: %s: ended with %s %d\n",
			       i < SLOTS ? kinds[i].name : changers[i - SLOTS].path,
			       sig ? "signal" : "status", sig ?: WEXITSTATUS(status));
		shared->failed = true;
	}
}

static bool running(void)
{
	int i;

	for (i = 0; i < SLOTS + n_changers; i++)
		if (shared->slots[i].pid)
			return true;
	return false;
}

static void kill_one(void)
{
	int i = rnd(SLOTS);

	/* At least one task has ended a round. */
	if ((kinds[i].flags & KILLED) && shared->slots[i].pid &&
	    shared->slots[i].rounds >= (unsigned long)shared->slots[i].lives)
		kill(shared->slots[i].pid, SIGKILL);
}

/* On a slow machine the time is over when the first have just begun. */
static bool enough(time_t end)
{
	int i;

	for (i = 0; i < SLOTS; i++)
		if (shared->slots[i].rounds < LEAST)
			return false;
	return time(NULL) >= end;
}

static void add_item(char *item)
{
	char *path = strchr(item, ':'), *values;
	struct stat st;

	if (!path) {
		printf("what is %s?\n", item);
		exit(2);
	}
	*path++ = 0;
	if (!strcmp(item, "target") || !strcmp(item, "direct")) {
		if (n_targets == TARGETS || stat(path, &st)) {
			perror(path);
			exit(2);
		}
		targets[n_targets++] = (struct target){
			path, !strcmp(item, "direct"), S_ISREG(st.st_mode),
		};
	} else if (n_changers < CHANGERS) {
		values = strchr(path, '=');
		if (values)
			*values++ = 0;
		changers[n_changers++] = (struct changer){ item, path, values ?: "" };
	}
}

int main(int argc, char **argv)
{
	int opt, i, pid, status;
	time_t end;

	while ((opt = getopt(argc, argv, "+m:i:")) != -1) {
		if (opt == 'm')
			memory_group = optarg;
		else if (opt == 'i')
			io_group = optarg;
		else
			return 2;
	}
	if (argc - optind < 3)
		return 2;
	seed = strtoull(argv[optind + 1], NULL, 0);
	for (i = optind + 2; i < argc; i++)
		add_item(argv[i]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED || !n_targets)
		return 2;
	end = time(NULL) + atoi(argv[optind]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < SLOTS + n_changers; i++)
		start(i);
	self = SLOTS + CHANGERS;
	while (running()) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			reap(pid, status);
		usleep(50000);
		if (enough(end))
			shared->over = true;
		else if (!rnd(4))
			kill_one();
	}
	for (i = 0; i < SLOTS + n_changers; i++) {
		struct slot *s = &shared->slots[i];

		if (i < SLOTS)
			printf("%s: %lu rounds, %lu I/Os, %lu compared, %lu refused, %d lives\n",
			       kinds[i].name, s->rounds, s->ops, s->checked, s->refused, s->lives);
		else
			printf("%s %s: %lu times, %lu refused\n", changers[i - SLOTS].how,
			       changers[i - SLOTS].path, s->rounds, s->refused);
	}
	return shared->failed;
}
