// SPDX-License-Identifier: GPL-2.0
/* A device on a device is fine; a circle is not. */
#include "rloop_device.h"
#include "rloop_mbr.h"

/* The fixture's device is below; this makes the one above it. */
static int upper_device(int ctl, int *nr)
{
	char path[64];

	*nr = ioctl(ctl, LOOP_CTL_ADD, -1);
	sprintf(path, "/dev/%s%d", prefix(), *nr);
	return open(path, O_RDWR | O_CLOEXEC);
}

static int drop_upper(int ctl, int fd, int nr)
{
	ioctl(fd, LOOP_CLR_FD);
	close(fd);
	return remove_device(ctl, nr);
}

TEST_F(loop, data_goes_through_both)
{
	int file = backing_file(FILE_SIZE), upper, nr;
	char want[8192], got[8192];

	pattern_fill(want, sizeof(want), 6, 0);
	ASSERT_EQ(0, configure(self->fd, file, 0));
	upper = upper_device(self->ctl, &nr);
	EXPECT_EQ(0, configure(upper, self->fd, 0));
	EXPECT_EQ(FILE_SIZE, device_bytes(upper));
	EXPECT_EQ(sizeof(want), pwrite(upper, want, sizeof(want), MIB));
	EXPECT_EQ(0, fsync(upper));
	EXPECT_EQ(sizeof(got), pread(file, got, sizeof(got), MIB));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
	EXPECT_EQ(0, drop_upper(self->ctl, upper, nr));
}

/* /dev/loopNp1 of the fixture's device. */
static int first_partition(FIXTURE_DATA(loop) * self)
{
	char path[96];

	snprintf(path, sizeof(path), "%sp1", self->path);
	return open(path, O_RDWR | O_CLOEXEC);
}

TEST_F(loop, on_a_partition_data_is_where_the_table_says)
{
	int file = partitioned_file(FILE_SIZE), upper, nr, part;
	char want[8192], got[8192];

	pattern_fill(want, sizeof(want), 7, 0);
	ASSERT_EQ(0, configure(self->fd, file, LO_FLAGS_PARTSCAN));
	part = first_partition(self);
	ASSERT_GE(part, 0);
	upper = upper_device(self->ctl, &nr);
	EXPECT_EQ(0, configure(upper, part, LO_FLAGS_DIRECT_IO));
	EXPECT_EQ(PART1_SECTORS * 512, device_bytes(upper));
	EXPECT_EQ(sizeof(want), pwrite(upper, want, sizeof(want), 4096));
	EXPECT_EQ(0, fsync(upper));
	EXPECT_EQ(sizeof(got), pread(file, got, sizeof(got), PART1_START * 512 + 4096));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
	EXPECT_EQ(0, drop_upper(self->ctl, upper, nr));
	close(part);
}

/* The circle goes through a partition. */
TEST_F(loop, on_a_partition_a_circle_is_ebadf)
{
	int file = partitioned_file(FILE_SIZE), upper, nr, part;
	struct loop_config config = config_of(file);

	RLOOP_ONLY();
	config.info.lo_flags = LO_FLAGS_PARTSCAN | LO_FLAGS_READ_ONLY;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	part = first_partition(self);
	ASSERT_GE(part, 0);
	EXPECT_EQ(-EBUSY, configure(self->fd, part, 0));
	upper = upper_device(self->ctl, &nr);
	EXPECT_EQ(0, configure(upper, part, 0));
	EXPECT_EQ(-EBADF, IOCTL(self->fd, LOOP_CHANGE_FD, upper));
	EXPECT_EQ(-EBADF, IOCTL(self->fd, LOOP_CHANGE_FD, part));
	EXPECT_EQ(0, drop_upper(self->ctl, upper, nr));
	close(part);
}

TEST_F(loop, itself_is_ebadf)
{
	EXPECT_EQ(-EBADF, configure(self->fd, self->fd, 0));
	EXPECT_UNBOUND(self);
}

TEST_F(loop, a_circle_is_ebadf)
{
	int upper, nr;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), LO_FLAGS_READ_ONLY));
	upper = upper_device(self->ctl, &nr);
	EXPECT_EQ(0, configure(upper, self->fd, 0));
	EXPECT_EQ(-EBADF, IOCTL(self->fd, LOOP_CHANGE_FD, upper));
	EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
	EXPECT_EQ(0, drop_upper(self->ctl, upper, nr));
}

/* LOOP_CHANGE_FD from a file to a device and back. */
TEST_F(loop, a_device_takes_the_place_of_a_file)
{
	int file = backing_file(FILE_SIZE), below = backing_file(FILE_SIZE), upper, nr;
	char want[4096], got[4096];

	pattern_fill(want, sizeof(want), 8, 0);
	ASSERT_EQ(sizeof(want), pwrite(below, want, sizeof(want), 0));
	ASSERT_EQ(0, configure(self->fd, below, 0));
	upper = upper_device(self->ctl, &nr);
	EXPECT_EQ(0, configure(upper, file, LO_FLAGS_READ_ONLY));
	EXPECT_EQ(0, IOCTL(upper, LOOP_CHANGE_FD, self->fd));
	EXPECT_EQ(FILE_SIZE, device_bytes(upper));
	EXPECT_EQ(self->nr, (int)(status_of(upper).lo_rdevice & 0xff));
	EXPECT_EQ(sizeof(got), pread(upper, got, sizeof(got), 0));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
	EXPECT_EQ(0, IOCTL(upper, LOOP_CHANGE_FD, file));
	EXPECT_EQ(0, status_of(upper).lo_rdevice);
	ASSERT_EQ(0, ioctl(upper, BLKFLSBUF, 0));
	EXPECT_EQ(sizeof(got), pread(upper, got, sizeof(got), 0));
	EXPECT_NE(0, memcmp(want, got, sizeof(got)));
	EXPECT_EQ(0, drop_upper(self->ctl, upper, nr));
	close(file);
	close(below);
}

TEST_F(loop, an_unbound_device_below_is_einval)
{
	int upper, nr;

	upper = upper_device(self->ctl, &nr);
	EXPECT_EQ(-EINVAL, configure(self->fd, upper, 0));
	EXPECT_UNBOUND(self);
	EXPECT_EQ(0, drop_upper(self->ctl, upper, nr));
}

TEST_HARNESS_MAIN
