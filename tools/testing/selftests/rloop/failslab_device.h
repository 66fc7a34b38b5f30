/* SPDX-License-Identifier: GPL-2.0 */
/* Of failslab.c: the device, and the states in which calls are made. */
#ifndef FAILSLAB_DEVICE_H
#define FAILSLAB_DEVICE_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <linux/fs.h>
#include <linux/rloop.h>
#include "rloop_util.h"

#define FILE_SIZE (1024 * 1024LL)
#define IO_SIZE 65536

static int ctl = -1, dev = -1, nr = -1, file = -1, other = -1;
static char tmp[128], node[192], sys[96], name[64];
static int failures;

#define FAIL(fmt, ...) do { \
	printf("FAIL %s: " fmt "\n", name, ##__VA_ARGS__); \
	failures++; \
} while (0)

/* 0 or more, or the negative errno. */
static int result(int ret)
{
	return ret < 0 ? -errno : ret;
}

/* A call, the state in which it is made, and what must be true after it. */
struct call {
	const char *name;
	void (*before)(void);
	int (*call)(void);
	void (*after)(int ret);
	bool many;
};

/* ---- the device */
static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static int disks(void)
{
	char path[64];
	int i, n = 0;

	for (i = 0; i < 256; i++) {
		sprintf(path, "/sys/block/%s%d", prefix(), i);
		n += exists(path);
	}
	return n;
}

static int remove_nr(int n)
{
	int i, ret = -EBUSY;

	for (i = 0; i < 200 && ret == -EBUSY; i++) {
		if (i)
			usleep(10000);
		ret = result(ioctl(ctl, LOOP_CTL_REMOVE, n));
	}
	return ret;
}

/* The device's node is ours: what devtmpfs can't allocate is not the driver's business. */
static void made(int n)
{
	unsigned int major = 0, minor = 0;
	char path[128];
	FILE *f;

	nr = n;
	sprintf(sys, "/sys/block/%s%d", prefix(), nr);
	sprintf(path, "%s/dev", sys);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%u:%u", &major, &minor) != 2)
		FAIL("no %s", path);
	if (f)
		fclose(f);
	sprintf(node, "%s/node%d", tmp, nr);
	unlink(node);
	if (mknod(node, S_IFBLK | 0600, makedev(major, minor)))
		FAIL("mknod: %s", strerror(errno));
}

static int new_file(int flags)
{
	char path[192], buf[IO_SIZE];
	int fd, i;

	snprintf(path, sizeof(path), "%s/img.XXXXXX", tmp);
	fd = mkstemp(path);
	for (i = 0; i < FILE_SIZE / IO_SIZE; i++) {
		pattern_fill(buf, IO_SIZE, 1, (uint64_t)i * IO_SIZE);
		if (pwrite(fd, buf, IO_SIZE, (off_t)i * IO_SIZE) != IO_SIZE)
			FAIL("a file of %lld bytes: %s", FILE_SIZE, strerror(errno));
	}
	fsync(fd);
	if (flags != O_RDWR) {
		close(fd);
		fd = open(path, flags);
	}
	unlink(path);
	return fd;
}

static unsigned long long device_bytes(void)
{
	unsigned long long bytes = 0;

	ioctl(dev, BLKGETSIZE64, &bytes);
	return bytes;
}

static bool bound(void)
{
	struct loop_info64 info;

	return ioctl(dev, LOOP_GET_STATUS64, &info) == 0;
}

static unsigned int flags;

static int bind_file(int fd)
{
	struct loop_config config = { .fd = fd, .info.lo_flags = flags };

	return result(ioctl(dev, LOOP_CONFIGURE, &config));
}

/* ---- states in which calls are made */
static void have_device(void)
{
	int n;

	if (nr >= 0)
		return;
	n = ioctl(ctl, LOOP_CTL_ADD, -1);
	if (n < 0) {
		FAIL("no device for it: %s", strerror(errno));
		exit(1);
	}
	made(n);
}

static void have_open(void)
{
	have_device();
	if (dev < 0)
		dev = open(node, O_RDWR | O_CLOEXEC);
}

static void let_go(void)
{
	int i;

	if (dev >= 0) {
		ioctl(dev, LOOP_CLR_FD);
		close(dev);
		dev = -1;
	}
	for (i = 0; nr >= 0 && i < 500; i++) {
		char path[128];

		sprintf(path, "%s/loop", sys);
		if (!exists(path))
			return;
		usleep(10000);
	}
}

static void have_unbound(void)
{
	have_open();
	if (bound()) {
		let_go();
		have_open();
	}
}

static void have_bound(void)
{
	int ret;

	have_open();
	if (bound())
		return;
	ret = bind_file(file);
	if (ret)
		FAIL("not bound before: %d", ret);
}

/* In its own state: nothing of the calls before is left. */
static void have_fresh(void)
{
	have_unbound();
	have_bound();
}

static void have_none(void)
{
	let_go();
	if (nr >= 0 && remove_nr(nr))
		FAIL("can't be removed");
	unlink(node);
	nr = -1;
}

static void have_closed(void)
{
	let_go();
	have_device();
}

#endif
