// SPDX-License-Identifier: GPL-2.0
/* The old status says so where it can't hold a value, and the new one holds it. */
#include <sys/mount.h>
#include <sys/utsname.h>
#include "rloop_device.h"

static int get_old(int fd)
{
	struct loop_info old;

	return IOCTL(fd, LOOP_GET_STATUS, &old);
}

TEST_F(loop, an_offset_of_two_gib)
{
	struct loop_config config = config_of(backing_file(4096 * MIB));

	config.info.lo_offset = 2048 * MIB - 512;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	EXPECT_EQ(0, get_old(self->fd));
	config.info.lo_offset += 512;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &config.info));
	EXPECT_EQ(-EOVERFLOW, get_old(self->fd));
	EXPECT_EQ(2048 * MIB, status_of(self->fd).lo_offset);
}

/*
 * A device number above 16 bits is too much for a 32-bit program on x86-64. The kernel's
 * compat_dev_t has 32 bits on arm64.
 */
TEST_F(loop, a_large_device_number)
{
	struct utsname name; /* aarch64 and armv8l are arm64 */
	int other, nr = 70000, want = 0;
	char path[64];

	ASSERT_EQ(0, uname(&name));
	if (sizeof(long) == 4 && strncmp(name.machine, "a", 1))
		want = -EOVERFLOW;
	if (ioctl(self->ctl, LOOP_CTL_ADD, nr) < 0)
		SKIP(return, "no device %d", nr);
	snprintf(path, sizeof(path), "/dev/%s%d", prefix(), nr);
	other = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(other, 0);
	EXPECT_EQ(0, configure(other, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(0, configure(self->fd, other, 0));
	EXPECT_EQ(want, get_old(self->fd));
	EXPECT_NE(0, status_of(self->fd).lo_rdevice);
	EXPECT_TRUE(detach_and_close(self->fd, self->sys));
	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	EXPECT_EQ(0, IOCTL(other, LOOP_CLR_FD, 0));
	close(other);
	EXPECT_EQ(0, remove_device(self->ctl, nr));
}

/* A 32-bit program gets no other ioctl than the 64-bit one does. */
TEST_F(loop, an_unknown_ioctl)
{
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(sizeof(long) == 4 ? -ENOTTY : -EINVAL, IOCTL(self->fd, 0x4C0B, 0));
}

TEST_HARNESS_MAIN
