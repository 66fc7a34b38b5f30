/* SPDX-License-Identifier: GPL-2.0 */
/* A fixture, a device that no other test uses; backing files; the harness. */
#ifndef RLOOP_DEVICE_H
#define RLOOP_DEVICE_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <linux/fs.h>
#include <linux/rloop.h>
#include "kselftest_harness.h"
#include "rloop_trace.h"
#include "rloop_util.h"

/* Seconds. An emulated machine that shares its CPUs needs more than the harness gives. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

#define MIB (1024 * 1024LL)
#define FILE_SIZE (4 * MIB)

static inline bool is_rloop(void)
{
	const char *driver = getenv("DRIVER");

	return !driver || !strcmp(driver, "rloop");
}

/* What the C driver is known to do wrong is not asked of it. */
#define RLOOP_ONLY() do { \
	if (!is_rloop()) \
		SKIP(return, "the C driver differs"); \
} while (0)

/* 0 or the negative errno, so that one comparison tells all. */
#define IOCTL(fd, cmd, arg) ({ \
	int __fd = (fd); \
	unsigned long __cmd = (cmd), __arg = (unsigned long)(arg); \
	int __ret = ioctl(__fd, __cmd, __arg); \
	__ret = __ret < 0 ? -errno : __ret; \
	trace_ioctl(__fd, __cmd, __arg, __ret); \
	__ret; \
})

/* A file of @size bytes, already without a name unless @path is given. */
static inline int backing_file_at(char *path, long long size, int flags)
{
	const char *dir = getenv("RLOOP_TMP");
	char name[256];
	int fd;

	snprintf(name, sizeof(name), "%s/img.XXXXXX", dir ? dir : "/tmp");
	fd = mkstemp(name);
	if (fd < 0 || ftruncate(fd, size))
		return -1;
	if (flags != O_RDWR) {
		close(fd);
		fd = open(name, flags);
	}
	if (path)
		snprintf(path, sizeof(name), "%s", name);
	else
		unlink(name);
	return fd;
}

static inline int backing_file(long long size)
{
	return backing_file_at(NULL, size, O_RDWR);
}

static inline unsigned long long device_bytes(int fd)
{
	unsigned long long bytes = 0;

	ioctl(fd, BLKGETSIZE64, &bytes);
	trace("%llu bytes", bytes);
	return bytes;
}

static inline int block_size_of(int fd)
{
	int size = 0;

	ioctl(fd, BLKSSZGET, &size);
	trace("block size %d", size);
	return size;
}

/* udev may hold a device open for a moment. */
static inline int remove_device(int ctl, int nr)
{
	int i, ret = -EBUSY;

	for (i = 0; i < 200 && ret == -EBUSY; i++) {
		if (i)
			usleep(50000);
		ret = ioctl(ctl, LOOP_CTL_REMOVE, nr) < 0 ? -errno : 0;
	}
	trace("remove -> %d", ret);
	return ret;
}

/* Some programs have a fixture of their own. */
#ifndef NO_LOOP_FIXTURE
FIXTURE(loop) {
	int ctl;
	int nr;
	int fd;
	char path[64];	/* of the device node */
	char sys[64];	/* of its sysfs directory */
};

FIXTURE_SETUP(loop)
{
	self->fd = -1;
	trace("test %s", _metadata->name);
	self->ctl = open(control_node(), O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->ctl, 0);
	self->nr = ioctl(self->ctl, LOOP_CTL_ADD, -1);
	ASSERT_GE(self->nr, 0);
	sprintf(self->path, "/dev/%s%d", prefix(), self->nr);
	sprintf(self->sys, "/sys/block/%s%d", prefix(), self->nr);
	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(loop)
{
	if (self->fd >= 0) {
		ioctl(self->fd, LOOP_CLR_FD);
		close(self->fd);
	}
	/* A device that is stuck in some state can't be removed. */
	EXPECT_EQ(0, remove_device(self->ctl, self->nr));
	close(self->ctl);
}
#endif

/* An empty configuration of @file. */
static inline struct loop_config config_of(int file)
{
	struct loop_config config;

	memset(&config, 0, sizeof(config));
	config.fd = file;
	return config;
}

static inline int configure(int fd, int file, unsigned int flags)
{
	struct loop_config config = config_of(file);

	config.info.lo_flags = flags;
	return IOCTL(fd, LOOP_CONFIGURE, &config);
}

static inline struct loop_info64 status_of(int fd)
{
	struct loop_info64 info;

	memset(&info, 0, sizeof(info));
	if (IOCTL(fd, LOOP_GET_STATUS64, &info))
		memset(&info, 0xff, sizeof(info));
	return info;
}

static inline bool sysfs_group(const char *sys)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/loop", sys);
	return access(path, F_OK) == 0;
}

/* Waits until the device is unbound: another task may be the last to close it. */
static inline bool detach_and_close(int fd, const char *sys)
{
	int i;

	ioctl(fd, LOOP_CLR_FD);
	close(fd);
	for (i = 0; i < 1000 && sysfs_group(sys); i++)
		usleep(10000);
	return !sysfs_group(sys);
}

/* Nothing of a failed attempt may be seen on the device. */
#define EXPECT_UNBOUND(self) do { \
	struct loop_info64 __info; \
	EXPECT_EQ(-ENXIO, IOCTL((self)->fd, LOOP_GET_STATUS64, &__info)); \
	EXPECT_EQ(0, device_bytes((self)->fd)); \
	EXPECT_FALSE(sysfs_group((self)->sys)); \
} while (0)

#endif
