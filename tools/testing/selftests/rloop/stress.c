// SPDX-License-Identifier: GPL-2.0
/*
 * stress SECONDS SEED FILE...: at the same time, on a few devices: attach, detach, change,
 * ask, open, scan, add and remove, with FILEs as backings; and on a device of its own for
 * each of the first FILEs, data that is written and compared while the device is changed in
 * ways that keep it. Prints how often each was done. Exit status 1: wrong data, or an error
 * where there must be none.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>
#include <linux/rloop.h>
#include "rloop_util.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum { POOL = 4, FIRST = 100, VERIFIED = 3, BLOCK = 4096, BLOCKS = 1024, MOST = 16, LEAST = 40 };

static int ctl, n_files;
static char **files;
static uint64_t seed;
static atomic_bool over;
static atomic_int failures;

struct worker {
	const char *name;
	void (*round)(struct worker *w);
	pthread_t thread;
	atomic_ulong done;
	unsigned long failed;
	uint64_t state;
	int nr;			/* of the device that is its own */
	int fd, direct_fd;	/* the device, through the page cache and past it */
	uint32_t *generation;	/* of each block */
};

static unsigned int rnd(struct worker *w, unsigned int below)
{
	return (pattern_word(seed, w->state++) >> 20) % below;
}

static void count(struct worker *w, int ret)
{
	w->done++;
	w->failed += ret < 0;
}

static int open_nr(int nr, int flags)
{
	char path[64];

	sprintf(path, "/dev/%s%d", prefix(), nr);
	return open(path, flags | O_CLOEXEC);
}

static int any(struct worker *w)
{
	return FIRST + rnd(w, POOL);
}

static int any_file(struct worker *w, int flags)
{
	return open(files[VERIFIED + rnd(w, n_files - VERIFIED)], flags | O_CLOEXEC);
}

static void bind_and_clear(struct worker *w)
{
	static const unsigned int all[] = {
		0, LO_FLAGS_DIRECT_IO, LO_FLAGS_AUTOCLEAR, LO_FLAGS_PARTSCAN, LO_FLAGS_READ_ONLY,
		LO_FLAGS_DIRECT_IO | LO_FLAGS_AUTOCLEAR, LO_FLAGS_READ_ONLY | LO_FLAGS_DIRECT_IO,
	};
	struct loop_config config = { .info.lo_flags = all[rnd(w, 7)] };
	int file = any_file(w, O_RDWR), fd = open_nr(any(w), O_RDWR);

	config.fd = file;
	config.block_size = rnd(w, 3) ? 0 : 512 << rnd(w, 4);
	if (fd >= 0) {
		count(w, ioctl(fd, LOOP_CONFIGURE, &config));
		if (rnd(w, 4))
			usleep(rnd(w, 20000));
		if (rnd(w, 4))
			ioctl(fd, LOOP_CLR_FD);
		close(fd);
	}
	close(file);
}

static void change(struct worker *w)
{
	int fd = open_nr(any(w), O_RDWR), file;
	struct loop_info64 info;

	if (fd < 0)
		return;
	switch (rnd(w, 7)) {
	case 0:
		file = any_file(w, O_RDONLY);
		count(w, ioctl(fd, LOOP_CHANGE_FD, file));
		close(file);
		break;
	case 1:
		count(w, ioctl(fd, LOOP_SET_DIRECT_IO, rnd(w, 2)));
		break;
	case 2:
		count(w, ioctl(fd, LOOP_SET_BLOCK_SIZE, 512 << rnd(w, 4)));
		break;
	case 3:
		count(w, ioctl(fd, LOOP_SET_CAPACITY));
		break;
	default:
		if (ioctl(fd, LOOP_GET_STATUS64, &info))
			break;
		info.lo_offset = rnd(w, 4) * 4096;
		info.lo_sizelimit = rnd(w, 3) * 1048576;
		info.lo_flags ^= rnd(w, 3) ? 0 : LO_FLAGS_PARTSCAN | LO_FLAGS_AUTOCLEAR;
		count(w, ioctl(fd, LOOP_SET_STATUS64, &info));
	}
	close(fd);
}

static void ask(struct worker *w)
{
	static const char * const attrs[] = { "loop/backing_file", "loop/offset", "loop/dio",
					      "queue/write_cache", "size", "rloop/inline" };
	char path[128], text[512];
	struct loop_info64 info;
	int nr = any(w), fd;

	sprintf(path, "/sys/block/%s%d/%s", prefix(), nr, attrs[rnd(w, 6)]);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		count(w, read(fd, text, sizeof(text)));
		close(fd);
	}
	fd = open_nr(nr, O_RDONLY);
	if (fd >= 0) {
		count(w, ioctl(fd, LOOP_GET_STATUS64, &info));
		close(fd);
	}
}

static void open_and_use(struct worker *w)
{
	int fd = open_nr(any(w), rnd(w, 2) ? O_RDWR : O_RDONLY | O_EXCL);
	char buf[8192];

	if (fd < 0)
		return;
	if (!rnd(w, 4))
		count(w, ioctl(fd, BLKRRPART));
	count(w, pread(fd, buf, sizeof(buf), rnd(w, 64) * 4096));
	count(w, pwrite(fd, buf, sizeof(buf), (1 + rnd(w, 64)) * 4096));
	if (!rnd(w, 4))
		count(w, fsync(fd));
	close(fd);
}

static void add_and_remove(struct worker *w)
{
	int nr = any(w);

	if (rnd(w, 2))
		count(w, ioctl(ctl, LOOP_CTL_ADD, nr));
	else if (!rnd(w, 4))
		count(w, ioctl(ctl, LOOP_CTL_GET_FREE));
	else
		count(w, ioctl(ctl, LOOP_CTL_REMOVE, nr));
	usleep(rnd(w, 5000));
}

static void wrong(struct worker *w, const char *what, unsigned int block)
{
	printf("FAIL: device %d, block %u: %s (%s)\n", w->nr, block, what, strerror(errno));
	fflush(stdout);
	failures++;
}

static __thread char *buf, *want;

/* Data is compared, and the device changed in ways that keep it. */
static void verify(struct worker *w)
{
	unsigned int n = 1 + rnd(w, MOST), first = rnd(w, BLOCKS - n), i;
	int fd = rnd(w, 3) ? w->direct_fd : w->fd;
	uint64_t range[2];

	if (!buf && (posix_memalign((void **)&buf, BLOCK, MOST * BLOCK) ||
		     posix_memalign((void **)&want, BLOCK, MOST * BLOCK)))
		exit(2);
	switch (rnd(w, 64)) {
	case 0:
		/* At first each device keeps to its way, so that all are taken. */
		if (w->done < LEAST)
			return;
		/* What is in the page cache of the device must not be older than the file. */
		if (fsync(w->fd))
			wrong(w, "fsync", 0);
		count(w, ioctl(w->fd, LOOP_SET_DIRECT_IO, rnd(w, 2)));
		return;
	case 1:
		count(w, ioctl(w->fd, LOOP_SET_CAPACITY));
		return;
	case 2:
		range[0] = (uint64_t)first * BLOCK;
		range[1] = (uint64_t)n * BLOCK;
		if (ioctl(w->fd, BLKZEROOUT, range)) {
			wrong(w, "write-zeroes", first);
			return;
		}
		for (i = 0; i < n; i++)
			w->generation[first + i] = 0;
		count(w, 0);
		return;
	case 3 ... 6:
		if (fsync(fd))
			wrong(w, "fsync", first);
		return;
	}
	if (rnd(w, 2)) {
		for (i = 0; i < n; i++)
			pattern_fill(want + i * BLOCK, BLOCK, ++w->generation[first + i],
				     (uint64_t)(first + i) * BLOCK);
		if (pwrite(fd, want, n * BLOCK, (off_t)first * BLOCK) != (ssize_t)n * BLOCK)
			wrong(w, "write", first);
	} else {
		if (pread(fd, buf, n * BLOCK, (off_t)first * BLOCK) != (ssize_t)n * BLOCK)
			wrong(w, "read", first);
		for (i = 0; i < n; i++) {
			pattern_fill(want, BLOCK, w->generation[first + i],
				     (uint64_t)(first + i) * BLOCK);
			if (memcmp(buf + i * BLOCK, want, BLOCK))
				wrong(w, "wrong data", first + i);
		}
	}
	count(w, 0);
}

static bool verified_device(struct worker *w, int i)
{
	struct loop_config config = { .info.lo_flags = i % 2 ? 0 : LO_FLAGS_DIRECT_IO };
	int file;

	w->nr = FIRST + POOL + i;
	if (ioctl(ctl, LOOP_CTL_ADD, w->nr) < 0 && errno != EEXIST)
		return false;
	w->fd = open_nr(w->nr, O_RDWR);
	w->direct_fd = open_nr(w->nr, O_RDWR | O_DIRECT);
	w->generation = calloc(BLOCKS, sizeof(*w->generation));
	file = open(files[i], O_RDWR | O_CLOEXEC);
	config.fd = file;
	if (w->fd < 0 || w->direct_fd < 0 || file < 0 || ioctl(w->fd, LOOP_CONFIGURE, &config))
		return false;
	close(file);
	return true;
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!over && !failures)
		w->round(w);
	return NULL;
}

static struct worker workers[] = {
	{ .name = "attach and detach", .round = bind_and_clear },
	{ .name = "attach and detach", .round = bind_and_clear },
	{ .name = "change", .round = change },
	{ .name = "change", .round = change },
	{ .name = "ask", .round = ask },
	{ .name = "open and use", .round = open_and_use },
	{ .name = "add and remove", .round = add_and_remove },
	{ .name = "verify", .round = verify },
	{ .name = "verify", .round = verify },
	{ .name = "verify", .round = verify },
};

#define WORKERS ((int)ARRAY_SIZE(workers))

/* On a slow machine the time is over when the first have just begun. */
static bool enough(time_t end)
{
	int i;

	for (i = WORKERS - VERIFIED; i < WORKERS; i++)
		if (workers[i].done < LEAST)
			return false;
	return time(NULL) >= end;
}

int main(int argc, char **argv)
{
	time_t end;
	int i;

	if (argc < 4 + VERIFIED)
		return 2;
	end = time(NULL) + atoi(argv[1]);
	seed = strtoull(argv[2], NULL, 0);
	files = argv + 3;
	n_files = argc - 3;
	ctl = open(control_node(), O_RDWR | O_CLOEXEC);
	for (i = 0; i < WORKERS; i++) {
		workers[i].state = (uint64_t)i << 40;
		if (workers[i].round == verify &&
		    !verified_device(&workers[i], i - (WORKERS - VERIFIED))) {
			perror("a device to verify");
			return 2;
		}
	}
	for (i = 0; i < WORKERS; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			return 2;
	while (!enough(end) && !failures)
		usleep(100000);
	over = true;
	for (i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		printf("%s: %lu times, %lu refused\n", workers[i].name, workers[i].done,
		       workers[i].failed);
	}
	fflush(stdout);
	/* What the counters say is looked at while they are there. */
	if (system("for d in /sys/block/*10[456]/rloop; do [ -d $d ] && grep -H . $d/*; done"))
		puts("no counters");
	for (i = 0; i < VERIFIED; i++) {
		struct worker *w = &workers[WORKERS - VERIFIED + i];

		close(w->direct_fd);
		if (ioctl(w->fd, LOOP_CLR_FD)) {
			perror("detach");
			failures++;
		}
		close(w->fd);
	}
	for (i = 0; i < POOL + VERIFIED; i++) {
		int fd = open_nr(FIRST + i, O_RDWR), tries;

		if (fd >= 0) {
			ioctl(fd, LOOP_CLR_FD);
			close(fd);
		}
		for (tries = 0; tries < 200; tries++) {
			if (!ioctl(ctl, LOOP_CTL_REMOVE, FIRST + i) || errno != EBUSY)
				break;
			usleep(50000);
		}
	}
	printf("%d failures\n", failures);
	return failures ? 1 : 0;
}
