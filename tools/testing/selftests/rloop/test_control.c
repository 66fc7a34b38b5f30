// SPDX-License-Identifier: GPL-2.0
/* The control device: which devices there are. */
#include "rloop_device.h"

TEST_F(loop, add_gives_the_number_asked_for)
{
	char path[64];

	ASSERT_EQ(777, IOCTL(self->ctl, LOOP_CTL_ADD, 777));
	sprintf(path, "/sys/block/%s%d", prefix(), 777);
	EXPECT_EQ(0, access(path, F_OK));
	sprintf(path, "/dev/%s%d", prefix(), 777);
	EXPECT_EQ(0, access(path, F_OK));
	EXPECT_EQ(0, remove_device(self->ctl, 777));
}

TEST_F(loop, add_of_an_existing_device_is_eexist)
{
	EXPECT_EQ(-EEXIST, IOCTL(self->ctl, LOOP_CTL_ADD, self->nr));
}

TEST_F(loop, add_beyond_the_minors_is_einval)
{
	EXPECT_EQ(-EINVAL, IOCTL(self->ctl, LOOP_CTL_ADD, 1 << 20));
	/* The number is not lost. */
	EXPECT_EQ(-ENODEV, IOCTL(self->ctl, LOOP_CTL_REMOVE, 1 << 20));
}

TEST_F(loop, remove_takes_the_device_away)
{
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, remove_device(self->ctl, self->nr));
	EXPECT_NE(0, access(self->sys, F_OK));
	EXPECT_NE(0, access(self->path, F_OK));
	EXPECT_EQ(-ENODEV, IOCTL(self->ctl, LOOP_CTL_REMOVE, self->nr));
	EXPECT_EQ(self->nr, IOCTL(self->ctl, LOOP_CTL_ADD, self->nr));
}

TEST_F(loop, remove_of_a_negative_number_is_einval)
{
	EXPECT_EQ(-EINVAL, IOCTL(self->ctl, LOOP_CTL_REMOVE, -1));
}

TEST_F(loop, remove_of_a_missing_device_is_enodev)
{
	EXPECT_EQ(-ENODEV, IOCTL(self->ctl, LOOP_CTL_REMOVE, 54321));
}

TEST_F(loop, remove_of_an_open_device_is_ebusy)
{
	EXPECT_EQ(-EBUSY, IOCTL(self->ctl, LOOP_CTL_REMOVE, self->nr));
	/* It is as usable as before. */
	EXPECT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
}

TEST_F(loop, remove_of_a_bound_device_is_ebusy)
{
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	close(self->fd);
	EXPECT_EQ(-EBUSY, IOCTL(self->ctl, LOOP_CTL_REMOVE, self->nr));
	self->fd = open(self->path, O_RDWR);
	ASSERT_GE(self->fd, 0);
	EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
}

TEST_F(loop, get_free_does_not_give_a_bound_device)
{
	struct loop_info64 info;
	char path[64];
	int fd, nr;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	nr = IOCTL(self->ctl, LOOP_CTL_GET_FREE, 0);
	ASSERT_GE(nr, 0);
	EXPECT_NE(self->nr, nr);
	sprintf(path, "/dev/%s%d", prefix(), nr);
	fd = open(path, O_RDONLY);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-ENXIO, IOCTL(fd, LOOP_GET_STATUS64, &info));
	close(fd);
}

TEST_F(loop, get_free_gives_an_existing_device_first)
{
	int nr = IOCTL(self->ctl, LOOP_CTL_GET_FREE, 0);

	EXPECT_GE(nr, 0);
	EXPECT_LE(nr, self->nr);
	EXPECT_EQ(nr, IOCTL(self->ctl, LOOP_CTL_GET_FREE, 0));
}

/* With every device bound, there is one more. */
TEST_F(loop, get_free_makes_a_device_when_all_are_bound)
{
	int fds[64], nrs[64], n = 0, i, nr, last = -1;
	char path[64];

	for (i = 0; i < 63; i++) {
		nr = IOCTL(self->ctl, LOOP_CTL_GET_FREE, 0);
		ASSERT_GE(nr, 0);
		/* ADD gave the lowest free number, so what follows is new. */
		if (nr > self->nr) {
			last = nr;
			break;
		}
		sprintf(path, "/dev/%s%d", prefix(), nr);
		fds[n] = open(path, O_RDWR | O_CLOEXEC);
		ASSERT_GE(fds[n], 0);
		ASSERT_EQ(0, configure(fds[n], backing_file(MIB), 0));
		nrs[n++] = nr;
	}
	EXPECT_GT(last, self->nr);
	sprintf(path, "/sys/block/%s%d", prefix(), last);
	EXPECT_EQ(0, access(path, F_OK));
	for (i = 0; i < n; i++) {
		ioctl(fds[i], LOOP_CLR_FD);
		close(fds[i]);
		/* The fixture's own device goes with the fixture. */
		(void)nrs[i];
	}
	if (last >= 0)
		EXPECT_EQ(0, remove_device(self->ctl, last));
}

TEST_F(loop, unknown_control_ioctl_is_enosys)
{
	EXPECT_EQ(-ENOSYS, IOCTL(self->ctl, 0x4C83, 0));
	EXPECT_EQ(-ENOSYS, IOCTL(self->ctl, LOOP_SET_FD, 0));
}

TEST_HARNESS_MAIN
