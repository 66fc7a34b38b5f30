// SPDX-License-Identifier: GPL-2.0
/* LOOP_CONFIGURE and LOOP_SET_FD: what a device becomes. */
#include "rloop_device.h"

TEST_F(loop, configure_takes_the_size_of_the_file)
{
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
	EXPECT_EQ(512, block_size_of(self->fd));
	EXPECT_EQ(0, status_of(self->fd).lo_flags);
}

TEST_F(loop, set_fd_is_an_empty_configuration)
{
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_FD, backing_file(FILE_SIZE)));
	EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
	EXPECT_EQ(512, block_size_of(self->fd));
	EXPECT_EQ(0, status_of(self->fd).lo_flags);
	EXPECT_EQ(0, status_of(self->fd).lo_offset);
}

TEST_F(loop, a_partial_sector_at_the_end_is_cut_off)
{
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE + 511), 0));
	EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
}

TEST_F(loop, an_empty_file_is_an_empty_device)
{
	ASSERT_EQ(0, configure(self->fd, backing_file(0), 0));
	EXPECT_EQ(0, device_bytes(self->fd));
}

TEST_F(loop, offset_and_sizelimit_bound_the_device)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));

	config.info.lo_offset = MIB;
	config.info.lo_sizelimit = 2 * MIB;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	EXPECT_EQ(2 * MIB, device_bytes(self->fd));
	EXPECT_EQ(MIB, status_of(self->fd).lo_offset);
	EXPECT_EQ(2 * MIB, status_of(self->fd).lo_sizelimit);
}

TEST_F(loop, sizelimit_beyond_the_file_is_the_file)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));

	config.info.lo_offset = MIB;
	config.info.lo_sizelimit = 100 * MIB;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	EXPECT_EQ(FILE_SIZE - MIB, device_bytes(self->fd));
}

TEST_F(loop, offset_beyond_the_file_is_an_empty_device)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));

	config.info.lo_offset = FILE_SIZE + MIB;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	EXPECT_EQ(0, device_bytes(self->fd));
}

/* The largest values that are allowed must not add up to something small. */
TEST_F(loop, the_largest_offset_and_sizelimit_do_not_overflow)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));

	config.info.lo_offset = INT64_MAX;
	config.info.lo_sizelimit = INT64_MAX;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	EXPECT_EQ(0, device_bytes(self->fd));
}

TEST_F(loop, block_size_4096_is_taken)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));

	config.block_size = 4096;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	EXPECT_EQ(4096, block_size_of(self->fd));
}

TEST_F(loop, the_block_size_goes_back_to_512_with_the_next_file)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));
	int fd;

	config.block_size = 4096;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	close(self->fd);
	fd = open(self->path, O_RDWR | O_CLOEXEC);
	self->fd = fd;
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, IOCTL(fd, LOOP_SET_FD, backing_file(FILE_SIZE)));
	EXPECT_EQ(512, block_size_of(fd));
}

/* Blocks larger than a page, where the kernel has them. */
TEST_F(loop, block_size_64k_is_taken)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));
	int ret;

	config.block_size = 65536;
	ret = IOCTL(self->fd, LOOP_CONFIGURE, &config);
	if (ret == -EINVAL)
		SKIP(return, "no large block sizes in this kernel");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(65536, block_size_of(self->fd));
}

TEST_F(loop, the_file_name_is_kept_and_ended)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));

	memset(config.info.lo_file_name, 'x', LO_NAME_SIZE);
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	EXPECT_EQ(LO_NAME_SIZE - 1, strlen((char *)status_of(self->fd).lo_file_name));
}

TEST_F(loop, flags_that_were_asked_for_are_reported)
{
	const unsigned int flags[] = {
		LO_FLAGS_READ_ONLY, LO_FLAGS_PARTSCAN, LO_FLAGS_AUTOCLEAR,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), flags[i]));
		EXPECT_EQ(flags[i], status_of(self->fd).lo_flags);
		ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
		close(self->fd);
		self->fd = open(self->path, O_RDWR | O_CLOEXEC);
		ASSERT_GE(self->fd, 0);
	}
}

TEST_F(loop, a_file_opened_for_direct_io_makes_the_device_direct)
{
	int file = backing_file_at(NULL, FILE_SIZE, O_RDWR | O_DIRECT);

	if (file < 0)
		SKIP(return, "no O_DIRECT on this file system");
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_FD, file));
	EXPECT_EQ(LO_FLAGS_DIRECT_IO, status_of(self->fd).lo_flags);
}

TEST_F(loop, a_bound_device_is_ebusy)
{
	int first = backing_file(FILE_SIZE), second = backing_file(2 * FILE_SIZE);
	struct loop_info64 before, after;

	ASSERT_EQ(0, configure(self->fd, first, 0));
	before = status_of(self->fd);
	EXPECT_EQ(-EBUSY, configure(self->fd, second, LO_FLAGS_AUTOCLEAR));
	EXPECT_EQ(-EBUSY, IOCTL(self->fd, LOOP_SET_FD, second));
	after = status_of(self->fd);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
}

/* A device that is held exclusively does not change under its holder. */
TEST_F(loop, a_device_that_another_claimed_is_ebusy)
{
	int excl = open(self->path, O_RDWR | O_EXCL);

	ASSERT_GE(excl, 0);
	EXPECT_EQ(-EBUSY, configure(self->fd, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(0, configure(excl, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
	close(excl);
}

TEST_F(loop, the_claim_is_given_back)
{
	int excl;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	excl = open(self->path, O_RDWR | O_EXCL);
	EXPECT_GE(excl, 0);
	close(excl);
}

TEST_F(loop, a_file_opened_for_reading_makes_the_device_read_only)
{
	int ro = 0;

	ASSERT_EQ(0, configure(self->fd, backing_file_at(NULL, FILE_SIZE, O_RDONLY), 0));
	EXPECT_EQ(LO_FLAGS_READ_ONLY, status_of(self->fd).lo_flags);
	EXPECT_EQ(0, ioctl(self->fd, BLKROGET, &ro));
	EXPECT_EQ(1, ro);
}

TEST_F(loop, a_device_opened_for_reading_becomes_read_only)
{
	int fd = open(self->path, O_RDONLY), ro = 0;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, configure(fd, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(LO_FLAGS_READ_ONLY, status_of(fd).lo_flags);
	EXPECT_EQ(0, ioctl(fd, BLKROGET, &ro));
	EXPECT_EQ(1, ro);
	close(fd);
}

/* The C driver takes it, and so do we: only what it is opened for can fail. */
TEST_F(loop, a_file_opened_for_writing_only_is_taken)
{
	ASSERT_EQ(0, configure(self->fd, backing_file_at(NULL, FILE_SIZE, O_WRONLY), 0));
	EXPECT_EQ(0, status_of(self->fd).lo_flags);
}

TEST_F(loop, read_only_does_not_stay_for_the_next_file)
{
	int ro = -1;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), LO_FLAGS_READ_ONLY));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	close(self->fd);
	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(0, ioctl(self->fd, BLKROGET, &ro));
	EXPECT_EQ(0, ro);
}

TEST_F(loop, the_sequence_number_of_the_disk_moves_on)
{
	uint64_t before = 0, bound = 0;

	ASSERT_EQ(0, ioctl(self->fd, BLKGETDISKSEQ, &before));
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	ASSERT_EQ(0, ioctl(self->fd, BLKGETDISKSEQ, &bound));
	EXPECT_GT(bound, before);
}

TEST_HARNESS_MAIN
