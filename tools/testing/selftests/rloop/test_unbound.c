// SPDX-License-Identifier: GPL-2.0
/* What an unbound device answers. */
#include "rloop_device.h"

TEST_F(loop, everything_but_binding_is_enxio)
{
	struct loop_info64 info = { 0 };
	struct loop_info old = { 0 };

	EXPECT_EQ(-ENXIO, IOCTL(self->fd, LOOP_CLR_FD, 0));
	EXPECT_EQ(-ENXIO, IOCTL(self->fd, LOOP_GET_STATUS64, &info));
	EXPECT_EQ(-ENXIO, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	EXPECT_EQ(-ENXIO, IOCTL(self->fd, LOOP_GET_STATUS, &old));
	EXPECT_EQ(-ENXIO, IOCTL(self->fd, LOOP_SET_STATUS, &old));
	EXPECT_EQ(-ENXIO, IOCTL(self->fd, LOOP_SET_CAPACITY, 0));
	EXPECT_EQ(-ENXIO, IOCTL(self->fd, LOOP_SET_DIRECT_IO, 1));
	EXPECT_EQ(-ENXIO, IOCTL(self->fd, LOOP_SET_DIRECT_IO, 0));
	EXPECT_EQ(-ENXIO, IOCTL(self->fd, LOOP_SET_BLOCK_SIZE, 512));
	EXPECT_EQ(-ENXIO, IOCTL(self->fd, LOOP_CHANGE_FD, backing_file(FILE_SIZE)));
	EXPECT_UNBOUND(self);
}

TEST_F(loop, there_is_nothing_to_read)
{
	char byte;

	EXPECT_EQ(0, read(self->fd, &byte, 1));
	EXPECT_EQ(-1, pwrite(self->fd, "x", 1, 0));
	EXPECT_EQ(ENOSPC, errno);
}

TEST_F(loop, the_rest_of_a_bound_time_is_gone)
{
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), LO_FLAGS_PARTSCAN));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	close(self->fd);
	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	EXPECT_UNBOUND(self);
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(0, status_of(self->fd).lo_flags);
	EXPECT_STREQ("", (char *)status_of(self->fd).lo_file_name);
}

TEST_HARNESS_MAIN
