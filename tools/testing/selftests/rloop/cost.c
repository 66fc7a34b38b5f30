// SPDX-License-Identifier: GPL-2.0
/*
 * cost FILE read|write DEPTH IOS
 *
 * Random I/O of 4096 bytes past the page cache of the first 256 MiB of FILE: with
 * DEPTH 1 by pread(2) or pwrite(2), else so many at once, eight to a system call.
 * Prints nanoseconds per I/O, which in a machine with -icount are instructions.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <sys/param.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "rloop_util.h"

enum { BLOCK = 4096, MAX_BLOCKS = 65536, BATCH = 8, MAX_DEPTH = 128 };

static int fd, writes;
static unsigned int blocks;
static char *memory;
static aio_context_t ring;

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "cost: %s: %s\n", what, strerror(errno));
	exit(1);
}

static off_t somewhere(void)
{
	static uint32_t x = 1;

	x = x * 1664525 + 1013904223;
	return (off_t)(x >> 16) % blocks * BLOCK;
}

static void one_by_one(long ios)
{
	while (ios--) {
		ssize_t n = writes ? pwrite(fd, memory, BLOCK, somewhere()) :
				     pread(fd, memory, BLOCK, somewhere());

		check(n == BLOCK, "transfer");
	}
}

static void submit(struct iocb *iocbs[], int n)
{
	int i;

	for (i = 0; i < n; i++)
		iocbs[i]->aio_offset = somewhere();
	check(syscall(SYS_io_submit, ring, n, iocbs) == n, "io_submit");
}

static void many_at_once(long ios, int depth)
{
	struct iocb slots[MAX_DEPTH] = {}, *iocbs[MAX_DEPTH];
	struct io_event events[BATCH];
	long ended, begun = 0;
	int i, n;

	for (i = 0; i < depth; i++) {
		slots[i].aio_fildes = fd;
		slots[i].aio_lio_opcode = writes ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
		slots[i].aio_buf = (uintptr_t)(memory + i * BLOCK);
		slots[i].aio_nbytes = BLOCK;
		iocbs[i] = &slots[i];
	}
	for (i = 0; i < depth; i += BATCH, begun += BATCH)
		submit(iocbs + i, BATCH);
	for (ended = 0; ended < begun; ended += BATCH) {
		n = syscall(SYS_io_getevents, ring, BATCH, BATCH, events, NULL);
		check(n == BATCH, "io_getevents");
		for (i = 0; i < n; i++) {
			check(events[i].res == BLOCK, "transfer");
			iocbs[i] = (struct iocb *)(uintptr_t)events[i].obj;
		}
		if (begun < ios) {
			submit(iocbs, BATCH);
			begun += BATCH;
		}
	}
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void run(long ios, int depth)
{
	if (depth == 1)
		one_by_one(ios);
	else
		many_at_once(ios, depth);
}

int main(int argc, char **argv)
{
	uint64_t began;
	long ios;
	int depth;

	if (argc != 5)
		return 2;
	writes = !strcmp(argv[2], "write");
	depth = atoi(argv[3]);
	ios = atol(argv[4]) / BATCH * BATCH;
	check(depth == 1 || (depth % BATCH == 0 && depth <= MAX_DEPTH), "the depth");
	fd = open(argv[1], O_RDWR | O_DIRECT);
	check(fd >= 0, argv[1]);
	blocks = MIN(lseek(fd, 0, SEEK_END) / BLOCK, MAX_BLOCKS);
	check(!posix_memalign((void **)&memory, BLOCK, MAX_DEPTH * BLOCK), "memory");
	memset(memory, 1, MAX_DEPTH * BLOCK);
	check(!syscall(SYS_io_setup, MAX_DEPTH, &ring), "io_setup");

	run(ios / 4 / BATCH * BATCH, depth);
	began = now();
	run(ios, depth);
	printf("%.1f\n", (double)(now() - began) / ios);
	return 0;
}
