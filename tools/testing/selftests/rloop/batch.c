// SPDX-License-Identifier: GPL-2.0
/*
 * batch [-u|-q|-p BSG] [-b BYTES] [-l LENGTH] [-n ROUNDS] [-w PATH] FILE,COUNT,SEED[,OFFSET[,w]]...
 *
 * Submits I/O of several files in one system call, past the page cache: COUNT reads (w: writes)
 * of each FILE, in the order of the arguments, and waits for all; so often, or as long as (-w)
 * PATH exists. Each is of BYTES (8192), somewhere in the LENGTH (8 MiB) bytes at OFFSET,
 * which hold the pattern of SEED (see pattern.c; a SEED of 0: anything). What is read is compared,
 * and what was written is read again in the end. (Of one block iomap makes a bio that does not wait
 * for a tag, so these are two.)
 *
 * io_submit() does it; -u: io_uring; -q: io_uring, whose kernel thread polls for submissions;
 * -p: io_uring, with a SCSI command (TEST UNIT READY) to the node BSG at the end of each batch.
 *
 * Exit status 1: wrong data, 2: usage or set-up, 3: an I/O error.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/bsg.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "rloop_util.h"

#ifndef IORING_SETUP_NO_SQARRAY
#define IORING_SETUP_NO_SQARRAY 0x10000
#endif

enum { MOST = 256, TARGETS = 16 };

struct target {
	const char *path;
	int fd;
	int count;
	uint64_t seed;
	long long offset;
	bool writes;
	/* How often each block has been written. */
	unsigned int *version;
};

struct op {
	struct target *target;
	long block;
	char *buf;
	long long res;
};

static struct target targets[TARGETS];
static struct op ops[MOST];
static int nr_targets, nr_ops;
static long blocks, bytes = 8192, length = 8 << 20;
static char *want;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static long long place(const struct op *op)
{
	return op->target->offset + op->block * (long long)bytes;
}

/* What is at @block of @t now. Each version is a stream of its own. */
static void fill(char *buf, const struct target *t, long block)
{
	pattern_fill(buf, bytes, t->seed + 1000 * t->version[block], block * (long long)bytes);
}

/* ---- io_submit() */
static aio_context_t aio;

static void aio_setup(void)
{
	if (syscall(SYS_io_setup, MOST, &aio))
		die("io_setup");
}

static void aio_batch(void)
{
	static struct iocb iocbs[MOST], *all[MOST];
	static struct io_event events[MOST];
	int i, n, done = 0;

	for (i = 0; i < nr_ops; i++) {
		iocbs[i] = (struct iocb){
			.aio_lio_opcode = ops[i].target->writes ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
			.aio_fildes = ops[i].target->fd,
			.aio_buf = (uintptr_t)ops[i].buf,
			.aio_nbytes = bytes,
			.aio_offset = place(&ops[i]),
			.aio_data = i,
		};
		all[i] = &iocbs[i];
	}
	n = syscall(SYS_io_submit, aio, nr_ops, all);
	if (n != nr_ops)
		die("io_submit");
	while (done < nr_ops) {
		n = syscall(SYS_io_getevents, aio, 1, MOST, events, NULL);
		if (n < 0)
			die("io_getevents");
		for (i = 0; i < n; i++)
			ops[events[i].data].res = events[i].res;
		done += n;
	}
}

/* ---- io_uring */
static struct {
	int fd, bsg;
	bool polled;
	unsigned int *sq_tail, *sq_mask, *sq_flags;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	/* Entries are twice as large where there is a BSG. */
	char *sqes, *cqes;
	int sqe_size, cqe_size;
} ring = { .bsg = -1, .sqe_size = 64, .cqe_size = 16 };

static struct io_uring_sqe *next_sqe(unsigned int tail)
{
	void *sqe = ring.sqes + (tail & *ring.sq_mask) * ring.sqe_size;

	return memset(sqe, 0, ring.sqe_size);
}

static struct io_uring_cqe *cqe_at(unsigned int head)
{
	return (void *)(ring.cqes + (head & *ring.cq_mask) * ring.cqe_size);
}

static void ring_setup(void)
{
	struct io_uring_params p = { .flags = IORING_SETUP_NO_SQARRAY };
	size_t size;
	char *at;

	if (ring.polled) {
		p.flags |= IORING_SETUP_SQPOLL;
		p.sq_thread_idle = 100;
	}
	if (ring.bsg >= 0) {
		p.flags |= IORING_SETUP_SQE128 | IORING_SETUP_CQE32;
		ring.sqe_size *= 2;
		ring.cqe_size *= 2;
	}
	ring.fd = syscall(SYS_io_uring_setup, MOST, &p);
	if (ring.fd < 0)
		die("io_uring_setup");
	size = p.cq_off.cqes + p.cq_entries * ring.cqe_size;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd,
		  IORING_OFF_SQ_RING);
	ring.sqes = mmap(NULL, p.sq_entries * ring.sqe_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQES);
	if (at == MAP_FAILED || ring.sqes == MAP_FAILED)
		die("mmap");
	ring.sq_tail = (unsigned int *)(at + p.sq_off.tail);
	ring.sq_mask = (unsigned int *)(at + p.sq_off.ring_mask);
	ring.sq_flags = (unsigned int *)(at + p.sq_off.flags);
	ring.cq_head = (unsigned int *)(at + p.cq_off.head);
	ring.cq_tail = (unsigned int *)(at + p.cq_off.tail);
	ring.cq_mask = (unsigned int *)(at + p.cq_off.ring_mask);
	ring.cqes = at + p.cq_off.cqes;
}

static void ring_enter(unsigned int submit, unsigned int wait)
{
	unsigned int flags = IORING_ENTER_GETEVENTS;

	if (ring.polled) {
		submit = 0;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(ring.sq_flags, __ATOMIC_RELAXED) & IORING_SQ_NEED_WAKEUP)
			flags |= IORING_ENTER_SQ_WAKEUP;
	}
	while (syscall(SYS_io_uring_enter, ring.fd, submit, wait, flags, NULL, 0) < 0)
		if (errno != EINTR)
			die("io_uring_enter");
}

static void test_unit_ready(struct io_uring_sqe *sqe)
{
	static const char cdb[6];
	struct {
		__u64 request;
		__u32 request_len, protocol, subprotocol;
	} *cmd = (void *)sqe->cmd;	/* the start of struct bsg_uring_cmd */

	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = ring.bsg;
	sqe->user_data = MOST;
	cmd->request = (uintptr_t)cdb;
	cmd->request_len = sizeof(cdb);
	cmd->protocol = BSG_PROTOCOL_SCSI;
	cmd->subprotocol = BSG_SUB_PROTOCOL_SCSI_CMD;
}

static void ring_batch(void)
{
	unsigned int tail = *ring.sq_tail, head = *ring.cq_head;
	int i, all = nr_ops + (ring.bsg >= 0);

	for (i = 0; i < nr_ops; i++, tail++)
		*next_sqe(tail) = (struct io_uring_sqe){
			.opcode = ops[i].target->writes ? IORING_OP_WRITE : IORING_OP_READ,
			.fd = ops[i].target->fd,
			.addr = (uintptr_t)ops[i].buf,
			.len = bytes,
			.off = place(&ops[i]),
			.user_data = i,
		};
	if (ring.bsg >= 0)
		test_unit_ready(next_sqe(tail++));
	__atomic_store_n(ring.sq_tail, tail, __ATOMIC_RELEASE);
	ring_enter(all, all);
	for (i = 0; i < all; head++) {
		if (head == __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE)) {
			__atomic_store_n(ring.cq_head, head, __ATOMIC_RELEASE);
			ring_enter(0, 1);
			head--;
			continue;
		}
		if (cqe_at(head)->user_data < MOST) {
			ops[cqe_at(head)->user_data].res = cqe_at(head)->res;
		} else if (cqe_at(head)->res < 0) {
			printf("SCSI command: %s\n", strerrorname_np(-cqe_at(head)->res));
			exit(3);
		}
		i++;
	}
	__atomic_store_n(ring.cq_head, head, __ATOMIC_RELEASE);
}

/* ---- batches */
static void prepare(long round)
{
	int i;

	for (i = 0; i < nr_ops; i++) {
		struct op *op = &ops[i];

		/* Scattered, so that nothing is merged, and each block once. */
		op->block = (round * nr_ops + i) * 37 % blocks;
		op->res = -EIO;
		if (op->target->writes) {
			op->target->version[op->block]++;
			fill(op->buf, op->target, op->block);
		} else {
			memset(op->buf, 0xa5, bytes);
		}
	}
}

static void compare(const struct target *t, long block, const char *got)
{
	fill(want, t, block);
	if (t->seed && memcmp(got, want, bytes)) {
		printf("wrong data in %s, at %lld\n", t->path,
		       t->offset + block * (long long)bytes);
		exit(1);
	}
}

static void check(void)
{
	int i;

	for (i = 0; i < nr_ops; i++) {
		const struct op *op = &ops[i];

		if (op->res != bytes) {
			printf("%s of %s at %lld: %s\n", op->target->writes ? "write" : "read",
			       op->target->path, place(op),
			       op->res < 0 ? strerrorname_np(-op->res) : "short");
			exit(3);
		}
		if (!op->target->writes)
			compare(op->target, op->block, op->buf);
	}
}

/* All that has been written. */
static void check_again(void)
{
	struct target *t;
	long block;

	for (t = targets; t < targets + nr_targets; t++)
		for (block = 0; block < blocks; block++) {
			if (!t->version[block])
				continue;
			if (pread(t->fd, ops->buf, bytes, t->offset + block * bytes) != bytes)
				die(t->path);
			compare(t, block, ops->buf);
		}
}

static void add_target(char *spec)
{
	struct target *t = &targets[nr_targets++];
	char *count, *seed, *offset, *how;
	int i;

	t->path = strsep(&spec, ",");
	count = strsep(&spec, ",");
	seed = strsep(&spec, ",");
	offset = strsep(&spec, ",");
	how = strsep(&spec, ",");
	if (!seed)
		exit(2);
	t->count = atoi(count);
	t->seed = strtoull(seed, NULL, 0);
	t->offset = offset ? atoll(offset) : 0;
	t->writes = how && *how == 'w';
	t->version = calloc(blocks, sizeof(*t->version));
	t->fd = open(t->path, (t->writes ? O_RDWR : O_RDONLY) | O_DIRECT);
	if (t->fd < 0)
		die(t->path);
	if (nr_ops + t->count > MOST || nr_ops + t->count > blocks || !t->version)
		exit(2);
	for (i = 0; i < t->count; i++, nr_ops++) {
		ops[nr_ops].target = t;
		if (posix_memalign((void **)&ops[nr_ops].buf, 4096, bytes))
			exit(2);
	}
}

int main(int argc, char **argv)
{
	void (*batch)(void) = aio_batch;
	const char *path = NULL;
	long rounds = 1, i;
	int opt;

	while ((opt = getopt(argc, argv, "uqp:b:l:n:w:")) != -1) {
		switch (opt) {
		case 'q':
			ring.polled = true;
			batch = ring_batch;
			break;
		case 'p':
			ring.bsg = open(optarg, O_RDWR);
			if (ring.bsg < 0)
				die(optarg);
			batch = ring_batch;
			break;
		case 'u':
			batch = ring_batch;
			break;
		case 'b':
			bytes = strtol(optarg, NULL, 0);
			break;
		case 'l':
			length = strtol(optarg, NULL, 0);
			break;
		case 'n':
			rounds = strtol(optarg, NULL, 0);
			break;
		case 'w':
			path = optarg;
			break;
		default:
			return 2;
		}
	}
	blocks = length / bytes;
	want = malloc(bytes);
	if (!want || argc - optind < 1 || argc - optind > TARGETS)
		return 2;
	for (; optind < argc; optind++)
		add_target(argv[optind]);
	if (batch == aio_batch)
		aio_setup();
	else
		ring_setup();
	for (i = 0; path ? !access(path, F_OK) : i < rounds; i++) {
		prepare(i);
		batch();
		check();
	}
	check_again();
	printf("%ld batches of %d\n", i, nr_ops);
	return 0;
}
