// SPDX-License-Identifier: GPL-2.0
/* LOOP_SET_CAPACITY: the device follows the size of its file when told to. */
#include "rloop_device.h"

TEST_F(loop, a_file_that_grew)
{
	int file = backing_file(FILE_SIZE);

	ASSERT_EQ(0, configure(self->fd, file, 0));
	ASSERT_EQ(0, ftruncate(file, 2 * FILE_SIZE));
	EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_CAPACITY, 0));
	EXPECT_EQ(2 * FILE_SIZE, device_bytes(self->fd));
}

TEST_F(loop, a_file_that_shrank)
{
	int file = backing_file(FILE_SIZE);

	ASSERT_EQ(0, configure(self->fd, file, 0));
	ASSERT_EQ(0, ftruncate(file, MIB + 700));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_CAPACITY, 0));
	EXPECT_EQ(MIB + 512, device_bytes(self->fd));
}

TEST_F(loop, offset_and_sizelimit_are_kept)
{
	int file = backing_file(FILE_SIZE);
	struct loop_config config = config_of(file);

	config.info.lo_offset = MIB;
	config.info.lo_sizelimit = FILE_SIZE;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	EXPECT_EQ(FILE_SIZE - MIB, device_bytes(self->fd));
	ASSERT_EQ(0, ftruncate(file, 3 * FILE_SIZE));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_CAPACITY, 0));
	EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
}

TEST_HARNESS_MAIN
