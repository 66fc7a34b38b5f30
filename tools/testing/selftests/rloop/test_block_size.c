// SPDX-License-Identifier: GPL-2.0
/* LOOP_SET_BLOCK_SIZE, and block sizes that LOOP_CONFIGURE refuses. */
#include "rloop_device.h"

static const unsigned int bad_sizes[] = { 1, 511, 513, 3072, 131072, 0x80000000 };

TEST_F(loop, every_power_of_two_up_to_a_page)
{
	unsigned int size;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	for (size = 4096; size >= 512; size /= 2) {
		ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_BLOCK_SIZE, size));
		EXPECT_EQ(size, block_size_of(self->fd));
	}
	/* The same again is fine. */
	EXPECT_EQ(0, IOCTL(self->fd, LOOP_SET_BLOCK_SIZE, 512));
}

TEST_F(loop, zero_is_the_default)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));

	config.block_size = 2048;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_BLOCK_SIZE, 0));
	EXPECT_EQ(512, block_size_of(self->fd));
}

TEST_F(loop, others_are_einval_and_change_nothing)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));
	unsigned int i;

	config.block_size = 1024;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	for (i = 0; i < ARRAY_SIZE(bad_sizes); i++) {
		EXPECT_EQ(-EINVAL, IOCTL(self->fd, LOOP_SET_BLOCK_SIZE, bad_sizes[i]))
			TH_LOG("size %u", bad_sizes[i]);
		EXPECT_EQ(1024, block_size_of(self->fd));
		EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
	}
}

TEST_F(loop, configure_refuses_the_same)
{
	unsigned int i;

	/* The C driver is left half configured by these. */
	RLOOP_ONLY();
	for (i = 0; i < ARRAY_SIZE(bad_sizes); i++) {
		struct loop_config config = config_of(backing_file(FILE_SIZE));

		config.block_size = bad_sizes[i];
		EXPECT_EQ(-EINVAL, IOCTL(self->fd, LOOP_CONFIGURE, &config))
			TH_LOG("size %u", bad_sizes[i]);
		EXPECT_UNBOUND(self);
		EXPECT_EQ(512, block_size_of(self->fd));
	}
	EXPECT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
}

TEST_F(loop, dirty_data_survives_the_change)
{
	int file = backing_file(FILE_SIZE);
	char want[4096], got[4096];

	pattern_fill(want, sizeof(want), 5, 0);
	ASSERT_EQ(0, configure(self->fd, file, 0));
	ASSERT_EQ(sizeof(want), pwrite(self->fd, want, sizeof(want), 4096));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_BLOCK_SIZE, 4096));
	ASSERT_EQ(sizeof(got), pread(file, got, sizeof(got), 4096));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
	ASSERT_EQ(sizeof(got), pread(self->fd, got, sizeof(got), 4096));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
}

TEST_F(loop, a_device_that_another_claimed_is_ebusy)
{
	int excl;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	excl = open(self->path, O_RDWR | O_EXCL);
	ASSERT_GE(excl, 0);
	EXPECT_EQ(-EBUSY, IOCTL(self->fd, LOOP_SET_BLOCK_SIZE, 4096));
	EXPECT_EQ(0, IOCTL(excl, LOOP_SET_BLOCK_SIZE, 4096));
	close(excl);
	EXPECT_EQ(4096, block_size_of(self->fd));
}

TEST_HARNESS_MAIN
