// SPDX-License-Identifier: GPL-2.0
/* LOOP_CHANGE_FD: another file of the same size under a read-only device. */
#include "rloop_device.h"

static int filled_file(uint64_t seed, long long size)
{
	int file = backing_file(size);
	char buf[8192];

	pattern_fill(buf, sizeof(buf), seed, 0);
	if (pwrite(file, buf, sizeof(buf), 0) != sizeof(buf))
		return -1;
	return file;
}

static bool holds(int fd, uint64_t seed)
{
	char buf[8192], want[8192];

	pattern_fill(want, sizeof(want), seed, 0);
	return pread(fd, buf, sizeof(buf), 0) == sizeof(buf) &&
	       !memcmp(buf, want, sizeof(buf));
}

TEST_F(loop, the_data_is_that_of_the_new_file)
{
	ASSERT_EQ(0, configure(self->fd, filled_file(1, FILE_SIZE), LO_FLAGS_READ_ONLY));
	EXPECT_TRUE(holds(self->fd, 1));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CHANGE_FD, filled_file(2, FILE_SIZE)));
	EXPECT_EQ(LO_FLAGS_READ_ONLY, status_of(self->fd).lo_flags);
	/* What was cached before the change may still be there. */
	ASSERT_EQ(0, ioctl(self->fd, BLKFLSBUF, 0));
	EXPECT_TRUE(holds(self->fd, 2));
}

TEST_F(loop, status_names_the_new_file)
{
	int file = filled_file(2, FILE_SIZE);
	struct stat st;

	ASSERT_EQ(0, configure(self->fd, filled_file(1, FILE_SIZE), LO_FLAGS_READ_ONLY));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CHANGE_FD, file));
	ASSERT_EQ(0, fstat(file, &st));
	EXPECT_EQ(st.st_ino, status_of(self->fd).lo_inode);
}

TEST_F(loop, the_old_file_is_let_go)
{
	char path[256];
	int file = backing_file_at(path, FILE_SIZE, O_RDWR);

	ASSERT_EQ(0, configure(self->fd, file, LO_FLAGS_READ_ONLY));
	close(file);
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CHANGE_FD, backing_file(FILE_SIZE)));
	file = open(path, O_RDWR);
	ASSERT_GE(file, 0);
	EXPECT_EQ(0, fcntl(file, F_SETLEASE, F_WRLCK));
	unlink(path);
}

TEST_F(loop, a_writable_device_is_einval)
{
	ASSERT_EQ(0, configure(self->fd, filled_file(1, FILE_SIZE), 0));
	EXPECT_EQ(-EINVAL, IOCTL(self->fd, LOOP_CHANGE_FD, filled_file(2, FILE_SIZE)));
	EXPECT_TRUE(holds(self->fd, 1));
}

TEST_F(loop, another_size_is_einval)
{
	ASSERT_EQ(0, configure(self->fd, filled_file(1, FILE_SIZE), LO_FLAGS_READ_ONLY));
	EXPECT_EQ(-EINVAL, IOCTL(self->fd, LOOP_CHANGE_FD, filled_file(2, 2 * FILE_SIZE)));
	EXPECT_EQ(-EINVAL, IOCTL(self->fd, LOOP_CHANGE_FD, filled_file(2, FILE_SIZE - 512)));
	EXPECT_TRUE(holds(self->fd, 1));
	EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
}

/* The size that counts is what offset and sizelimit leave of it. */
TEST_F(loop, a_file_that_is_larger_than_the_limit_is_taken)
{
	struct loop_config config = config_of(filled_file(1, FILE_SIZE));

	config.info.lo_flags = LO_FLAGS_READ_ONLY;
	config.info.lo_sizelimit = MIB;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	EXPECT_EQ(0, IOCTL(self->fd, LOOP_CHANGE_FD, filled_file(2, 2 * FILE_SIZE)));
	EXPECT_EQ(MIB, device_bytes(self->fd));
}

TEST_HARNESS_MAIN
