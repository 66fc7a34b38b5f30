// SPDX-License-Identifier: GPL-2.0
/* LOOP_SET_DIRECT_IO. */
#include "rloop_device.h"

TEST_F(loop, it_goes_on_and_off)
{
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	if (IOCTL(self->fd, LOOP_SET_DIRECT_IO, 1) == -EINVAL)
		SKIP(return, "no direct I/O on this file system");
	EXPECT_EQ(LO_FLAGS_DIRECT_IO, status_of(self->fd).lo_flags);
	/* Any value but 0 means on, and on twice is on. */
	EXPECT_EQ(0, IOCTL(self->fd, LOOP_SET_DIRECT_IO, 2));
	EXPECT_EQ(LO_FLAGS_DIRECT_IO, status_of(self->fd).lo_flags);
	EXPECT_EQ(0, IOCTL(self->fd, LOOP_SET_DIRECT_IO, 0));
	EXPECT_EQ(0, status_of(self->fd).lo_flags);
	EXPECT_EQ(0, IOCTL(self->fd, LOOP_SET_DIRECT_IO, 0));
}

TEST_F(loop, an_unaligned_offset_is_einval)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));

	config.info.lo_offset = 511;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	EXPECT_EQ(-EINVAL, IOCTL(self->fd, LOOP_SET_DIRECT_IO, 1));
	EXPECT_EQ(0, status_of(self->fd).lo_flags);
}

/* LOOP_CONFIGURE has no way to say so, and reports what it came to. */
TEST_F(loop, configure_with_an_unaligned_offset_is_buffered)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));

	config.info.lo_offset = 511;
	config.info.lo_flags = LO_FLAGS_DIRECT_IO;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	EXPECT_EQ(0, status_of(self->fd).lo_flags);
}

TEST_HARNESS_MAIN
