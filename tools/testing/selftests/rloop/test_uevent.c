// SPDX-License-Identifier: GPL-2.0
/* What user space is told of a device. */
#include "rloop_device.h"
#include "rloop_uevent.h"

#define COLLECT() ASSERT_TRUE(uevent_collect(sk, disk, &evs))
#define CHANGES() uevent_count(&evs, "change", disk)

/* A socket, the name of the disk, and nothing that happened before. */
#define LISTEN() \
	struct uevents evs; \
	const char *disk = self->sys + strlen("/sys/block/"); \
	int sk = uevent_open(); \
	ASSERT_GE(sk, 0); \
	COLLECT()

TEST_F(loop, a_file_is_a_change)
{
	LISTEN();
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	COLLECT();
	EXPECT_GE(CHANGES(), 1);
}

TEST_F(loop, a_new_size_is_a_change)
{
	int file = backing_file(FILE_SIZE);

	ASSERT_EQ(0, configure(self->fd, file, 0));
	LISTEN();
	ASSERT_EQ(0, ftruncate(file, 2 * FILE_SIZE));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_CAPACITY, 0));
	COLLECT();
	ASSERT_EQ(1, CHANGES());
	EXPECT_TRUE(evs.ev[0].resize);
}

TEST_F(loop, a_new_offset_is_a_change)
{
	struct loop_info64 info;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	info = status_of(self->fd);
	info.lo_offset = MIB;
	LISTEN();
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	COLLECT();
	EXPECT_EQ(1, CHANGES());
}

TEST_F(loop, another_file_is_a_change)
{
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), LO_FLAGS_READ_ONLY));
	LISTEN();
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CHANGE_FD, backing_file(FILE_SIZE)));
	COLLECT();
	EXPECT_GE(CHANGES(), 1);
}

TEST_F(loop, detaching_is_a_change)
{
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	LISTEN();
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	close(self->fd);
	self->fd = -1;
	COLLECT();
	EXPECT_GE(CHANGES(), 1);
}

TEST_F(loop, a_refused_file_is_no_change)
{
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	LISTEN();
	EXPECT_EQ(-EINVAL, configure(self->fd, pipes[0], 0));
	COLLECT();
	EXPECT_EQ(0, CHANGES());
}

TEST_F(loop, a_device_comes_and_goes)
{
	LISTEN();
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, remove_device(self->ctl, self->nr));
	COLLECT();
	EXPECT_EQ(1, uevent_count(&evs, "remove", disk));
	ASSERT_EQ(self->nr, IOCTL(self->ctl, LOOP_CTL_ADD, self->nr));
	COLLECT();
	EXPECT_EQ(1, uevent_count(&evs, "add", disk));
}

TEST_HARNESS_MAIN
