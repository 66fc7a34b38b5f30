// SPDX-License-Identifier: GPL-2.0
/*
 * What is copied out has no byte in it that was never written: padding, what is behind a name,
 * the key. The kernel's stack is filled with something else before each call.
 */
#include <poll.h>
#include <stddef.h>
#include <sys/syscall.h>
#include "rloop_device.h"

/* select() and poll() keep what they are given on the kernel's stack. */
static void fill_stack(void)
{
	struct pollfd fds[30];
	struct timespec none = { 0 };
	fd_set sets[3];
	int i;

	for (i = 0; i < 30; i++)
		fds[i] = (struct pollfd){ .fd = -0x5a5a5a5b, .events = 0x5a5a };
	poll(fds, 30, 0);
	memset(sets, 0, sizeof(sets));
	syscall(SYS_pselect6, 800, &sets[0], &sets[1], &sets[2], &none, NULL);
	memset(sets, 0x5a, sizeof(sets));
	syscall(SYS_pselect6, 800, &sets[0], &sets[1], &sets[2], &none, NULL);
}

/* The bytes of @copied that are in no field named by the caller are zero. */
#define EXPECT_ZERO(copied, from, to) do { \
	const unsigned char *__p = (const void *)(copied); \
	size_t __i; \
	for (__i = (from); __i < (to); __i++) \
		EXPECT_EQ(0, __p[__i]) \
			TH_LOG("byte %zu of %s", __i, #copied); \
} while (0)

#define END_OF(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

TEST_F(loop, get_status_writes_every_byte)
{
	int i, dio;

	for (dio = 0; dio <= LO_FLAGS_DIRECT_IO; dio += LO_FLAGS_DIRECT_IO) {
		struct loop_info64 set = { .lo_file_name = "name" };

		ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), dio));
		ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &set));
		for (i = 0; i < 8; i++) {
			struct loop_info64 info;
			struct loop_info old;

			fill_stack();
			memset(&info, 0xff, sizeof(info));
			ASSERT_EQ(0, ioctl(self->fd, LOOP_GET_STATUS64, &info));
			EXPECT_ZERO(&info, offsetof(struct loop_info64, lo_file_name) + 4,
				    offsetof(struct loop_info64, lo_init));
			EXPECT_ZERO(&info, offsetof(struct loop_info64, lo_init), sizeof(info));
			fill_stack();
			memset(&old, 0xff, sizeof(old));
			ASSERT_EQ(0, ioctl(self->fd, LOOP_GET_STATUS, &old));
			EXPECT_ZERO(&old, END_OF(struct loop_info, lo_device),
				    offsetof(struct loop_info, lo_inode));
			EXPECT_ZERO(&old, END_OF(struct loop_info, lo_rdevice),
				    offsetof(struct loop_info, lo_offset));
			EXPECT_ZERO(&old, offsetof(struct loop_info, lo_name) + 4, sizeof(old));
		}
		ASSERT_EQ(0, ioctl(self->fd, LOOP_CLR_FD));
		close(self->fd);
		self->fd = open(self->path, O_RDWR | O_CLOEXEC);
		ASSERT_GE(self->fd, 0);
	}
}

TEST_F(loop, a_call_that_fails_writes_nothing)
{
	struct loop_info64 info, before;

	memset(&info, 0xa5, sizeof(info));
	before = info;
	ASSERT_EQ(-ENXIO, IOCTL(self->fd, LOOP_GET_STATUS64, &info));
	EXPECT_EQ(0, memcmp(&before, &info, sizeof(info)));
}

/* Behind the end of a file that was cut there is no older data of other files. */
TEST_F(loop, the_end_of_a_file_shows_nothing_else)
{
	int file = backing_file(MIB), i;
	unsigned char *buf;
	char fill[4096];

	ASSERT_EQ(0, configure(self->fd, file, 0));
	ASSERT_EQ(0, ftruncate(file, 1000));
	memset(fill, 0x11, sizeof(fill));
	ASSERT_EQ(1000, pwrite(file, fill, 1000, 0));
	buf = aligned_alloc(4096, 65536);
	memset(buf, 0, 65536);
	ioctl(self->fd, BLKFLSBUF);
	if (pread(self->fd, buf, 65536, 0) > 1000)
		for (i = 1000; i < 65536; i++)
			ASSERT_EQ(0, buf[i]);
	free(buf);
}

/* An address of the kernel in what every user may read. */
TEST_F(loop, no_address_in_sysfs)
{
	static const char * const dirs[] = { "", "/loop", "/rloop", "/queue" };
	char cmd[512];
	unsigned int i;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), LO_FLAGS_PARTSCAN));
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(cmd, sizeof(cmd),
			 "find %s%s -maxdepth 1 -type f -readable -exec cat {} + 2>/dev/null | grep -qE 'ffff[0-9a-f]{12}'",
			 self->sys, dirs[i]);
		EXPECT_NE(0, system(cmd));
	}
}

TEST_HARNESS_MAIN
