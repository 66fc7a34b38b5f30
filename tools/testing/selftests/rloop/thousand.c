// SPDX-License-Identifier: GPL-2.0
/*
 * thousand COUNT DIRECTORY: so many devices at once, each with a file of its own in DIRECTORY:
 * attached, written, compared, detached. Prints what one of them takes in memory, in KiB,
 * when it is there and when it is bound, and the median time of an attach and a detach: a mean
 * would be that of the few that a busy machine interrupts.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>
#include <linux/rloop.h>
#include "rloop_util.h"

enum { SIZE = 1 << 20, BYTES = 16384 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* What is not free when all that can be dropped is dropped. */
static long taken_kib(void)
{
	long total = 0, kib, taken = 0;
	char line[128], name[64];
	FILE *f;
	int fd;

	/* What waits for a grace period of RCU is not free before. */
	usleep(500000);
	sync();
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	if (fd < 0 || write(fd, "3", 1) != 1)
		exit(2);
	close(fd);
	usleep(500000);
	f = fopen("/proc/meminfo", "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63[^:]: %ld", name, &kib) != 2)
			continue;
		if (!strcmp(name, "MemTotal"))
			total = kib;
		if (!strcmp(name, "MemFree"))
			taken = total - kib;
		/* Files' pages are counted elsewhere. */
		if (!strcmp(name, "Cached") || !strcmp(name, "Buffers"))
			taken -= kib;
	}
	if (f)
		fclose(f);
	return taken;
}

static void die(const char *what, int i)
{
	fprintf(stderr, "device %d: %s: %s\n", i, what, strerror(errno));
	exit(1);
}

static int open_device(int i, int flags)
{
	char path[64];
	int fd;

	sprintf(path, "/dev/%s%d", prefix(), i);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		die("open", i);
	return fd;
}

/* udev closes a device when it likes, and may have another look at one that was detached. */
static void remove_device_soon(int ctl, int i)
{
	int tries;

	for (tries = 0; ioctl(ctl, LOOP_CTL_REMOVE, i); tries++) {
		if (errno != EBUSY || tries == 100)
			die("remove", i);
		usleep(100000);
	}
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *times, int count)
{
	qsort(times, count, sizeof(*times), compare_doubles);
	return times[count / 2];
}

static void check_file(const char *path, int i)
{
	static char got[BYTES], want[BYTES];
	int fd = open(path, O_RDONLY);

	pattern_fill(want, BYTES, i + 1, 0);
	if (pread(fd, got, BYTES, 65536) != BYTES || memcmp(got, want, BYTES))
		die("wrong data in the file", i);
	close(fd);
}

int main(int argc, char **argv)
{
	int count = argc == 3 ? atoi(argv[1]) : 0, ctl, i;
	long empty, there, bound;
	double start, add, *attach, *detach, removal;
	char path[4096], *buf, *want;

	ctl = open(control_node(), O_RDWR);
	if (count < 1 || ctl < 0 || posix_memalign((void **)&buf, 4096, BYTES))
		return 2;
	want = malloc(BYTES);
	attach = calloc(count, sizeof(*attach));
	detach = calloc(count, sizeof(*detach));
	if (!want || !attach || !detach)
		return 2;
	for (i = 0; i < count; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%d", argv[2], i);
		fd = open(path, O_RDWR | O_CREAT, 0600);
		if (fd < 0 || ftruncate(fd, SIZE))
			die("file", i);
		close(fd);
	}
	/* The first time drops what was there before us. */
	taken_kib();
	empty = taken_kib();
	start = now();
	for (i = 0; i < count; i++)
		if (ioctl(ctl, LOOP_CTL_ADD, i) != i && errno != EEXIST)
			die("add", i);
	add = now() - start;
	there = taken_kib();
	for (i = 0; i < count; i++) {
		struct loop_config config = { .info.lo_flags = LO_FLAGS_DIRECT_IO };
		int fd = open_device(i, O_RDWR), file;

		snprintf(path, sizeof(path), "%s/%d", argv[2], i);
		file = open(path, O_RDWR);
		config.fd = file;
		start = now();
		if (ioctl(fd, LOOP_CONFIGURE, &config))
			die("attach", i);
		attach[i] = now() - start;
		close(file);
		close(fd);
	}
	bound = taken_kib();
	for (i = 0; i < count; i++) {
		int fd = open_device(i, O_RDWR | O_DIRECT);

		pattern_fill(buf, BYTES, i + 1, 0);
		if (pwrite(fd, buf, BYTES, 65536) != BYTES)
			die("write", i);
		close(fd);
	}
	for (i = 0; i < count; i++) {
		int fd = open_device(i, O_RDONLY | O_DIRECT);

		pattern_fill(want, BYTES, i + 1, 0);
		if (pread(fd, buf, BYTES, 65536) != BYTES || memcmp(buf, want, BYTES))
			die("wrong data", i);
		close(fd);
	}
	for (i = 0; i < count; i++) {
		int fd = open_device(i, O_RDWR);

		start = now();
		if (ioctl(fd, LOOP_CLR_FD))
			die("detach", i);
		close(fd);
		detach[i] = now() - start;
		snprintf(path, sizeof(path), "%s/%d", argv[2], i);
		check_file(path, i);
		unlink(path);
	}
	/* What udev has open can't be removed, and is still bound. */
	if (system("[ ! -S /run/udev/control ] || udevadm settle"))
		die("udevadm settle", 0);
	start = now();
	for (i = 0; i < count; i++)
		remove_device_soon(ctl, i);
	removal = now() - start;
	printf("%d devices: %.1f KiB each, %.1f KiB bound; ", count,
	       (double)(there - empty) / count, (double)(bound - empty) / count);
	printf("add %.3f ms, attach %.3f ms, detach %.3f ms, remove %.3f ms; ", add / count * 1e3,
	       median(attach, count) * 1e3, median(detach, count) * 1e3,
	       removal / count * 1e3);
	printf("%ld KiB left behind\n", taken_kib() - empty);
	return 0;
}
