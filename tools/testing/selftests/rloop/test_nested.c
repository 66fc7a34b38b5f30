// SPDX-License-Identifier: GPL-2.0
/* A device on a device is fine; a circle is not. */
#include "rloop_device.h"

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

TEST_F(loop, an_unbound_device_below_is_einval)
{
	int upper, nr;

	upper = upper_device(self->ctl, &nr);
	EXPECT_EQ(-EINVAL, configure(self->fd, upper, 0));
	EXPECT_UNBOUND(self);
	EXPECT_EQ(0, drop_upper(self->ctl, upper, nr));
}

TEST_HARNESS_MAIN
