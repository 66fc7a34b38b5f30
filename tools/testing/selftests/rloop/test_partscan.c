// SPDX-License-Identifier: GPL-2.0
/* Partitions: there when asked for, once, and gone with the file. */
#include <linux/blkpg.h>
#include "rloop_device.h"
#include "rloop_mbr.h"
#include "rloop_uevent.h"

static bool has_partition(const char *sys, int nr, int part)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s%dp%d", sys, prefix(), nr, part);
	return access(path, F_OK) == 0;
}

static long long partition_value(const char *sys, int nr, int part, const char *what)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s%dp%d/%s", sys, prefix(), nr, part, what);
	return read_number(path);
}

#define HAS(part)		has_partition(self->sys, self->nr, part)
#define VALUE(part, what)	partition_value(self->sys, self->nr, part, what)

TEST_F(loop, they_are_there_when_configure_returns)
{
	ASSERT_EQ(0, configure(self->fd, partitioned_file(FILE_SIZE), LO_FLAGS_PARTSCAN));
	EXPECT_EQ(PART1_START, VALUE(1, "start"));
	EXPECT_EQ(PART1_SECTORS, VALUE(1, "size"));
	EXPECT_EQ(PART2_START, VALUE(2, "start"));
	EXPECT_EQ(PART2_SECTORS, VALUE(2, "size"));
}

TEST_F(loop, they_are_there_when_set_status_returns)
{
	struct loop_info64 info;

	ASSERT_EQ(0, configure(self->fd, partitioned_file(FILE_SIZE), 0));
	EXPECT_FALSE(HAS(1));
	info = status_of(self->fd);
	info.lo_flags |= LO_FLAGS_PARTSCAN;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	EXPECT_TRUE(HAS(1));
	EXPECT_TRUE(HAS(2));
}

TEST_F(loop, without_the_flag_there_are_none)
{
	ASSERT_EQ(0, configure(self->fd, partitioned_file(FILE_SIZE), 0));
	EXPECT_FALSE(HAS(1));
	EXPECT_EQ(-EINVAL, IOCTL(self->fd, BLKRRPART, 0));
	EXPECT_FALSE(HAS(1));
}

TEST_F(loop, they_can_be_read_again)
{
	int file = backing_file(FILE_SIZE), mbr = partitioned_file(FILE_SIZE);
	char sector[512];

	ASSERT_EQ(0, configure(self->fd, file, LO_FLAGS_PARTSCAN));
	EXPECT_FALSE(HAS(1));
	ASSERT_EQ(sizeof(sector), pread(mbr, sector, sizeof(sector), 0));
	ASSERT_EQ(sizeof(sector), pwrite(self->fd, sector, sizeof(sector), 0));
	ASSERT_EQ(0, IOCTL(self->fd, BLKRRPART, 0));
	EXPECT_TRUE(HAS(1));
}

TEST_F(loop, they_go_with_the_file)
{
	ASSERT_EQ(0, configure(self->fd, partitioned_file(FILE_SIZE), LO_FLAGS_PARTSCAN));
	EXPECT_TRUE(HAS(1));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	close(self->fd);
	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	EXPECT_FALSE(HAS(1));
	EXPECT_FALSE(HAS(2));
	/* And so does the wish for them. */
	ASSERT_EQ(0, configure(self->fd, partitioned_file(FILE_SIZE), 0));
	EXPECT_FALSE(HAS(1));
}

TEST_F(loop, those_added_by_hand_go_with_the_file)
{
	struct blkpg_partition part = { .start = MIB, .length = MIB, .pno = 5 };
	struct blkpg_ioctl_arg arg = {
		.op = BLKPG_ADD_PARTITION, .datalen = sizeof(part), .data = &part,
	};

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	ASSERT_EQ(0, IOCTL(self->fd, BLKPG, &arg));
	EXPECT_TRUE(HAS(5));
	EXPECT_EQ(MIB / 512, VALUE(5, "size"));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	close(self->fd);
	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	EXPECT_FALSE(HAS(5));
}

TEST_F(loop, change_fd_scans_the_new_file)
{
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE),
			       LO_FLAGS_PARTSCAN | LO_FLAGS_READ_ONLY));
	EXPECT_FALSE(HAS(1));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CHANGE_FD, partitioned_file(FILE_SIZE)));
	EXPECT_TRUE(HAS(1));
}

TEST_F(loop, their_data_is_where_the_table_says)
{
	int file = partitioned_file(FILE_SIZE), part;
	char want[4096], got[4096], path[96];

	pattern_fill(want, sizeof(want), 7, 0);
	ASSERT_EQ(0, configure(self->fd, file, LO_FLAGS_PARTSCAN));
	snprintf(path, sizeof(path), "%sp2", self->path);
	part = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(part, 0);
	EXPECT_EQ(sizeof(want), pwrite(part, want, sizeof(want), 8192));
	EXPECT_EQ(0, fsync(part));
	EXPECT_EQ(sizeof(got), pread(file, got, sizeof(got), PART2_START * 512 + 8192));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
	close(part);
}

/* Scanned once: nothing comes twice, nothing goes and comes back. */
TEST_F(loop, they_come_once)
{
	const char *disk = self->sys + strlen("/sys/block/");
	struct uevents evs;
	char part[48];
	int sk = uevent_open(), i;

	ASSERT_GE(sk, 0);
	ASSERT_EQ(0, configure(self->fd, partitioned_file(FILE_SIZE), LO_FLAGS_PARTSCAN));
	ASSERT_TRUE(uevent_collect(sk, disk, &evs));
	for (i = 1; i <= 2; i++) {
		snprintf(part, sizeof(part), "%sp%d", disk, i);
		EXPECT_EQ(1, uevent_count(&evs, "add", part));
		EXPECT_EQ(0, uevent_count(&evs, "remove", part));
	}
}

/* It is scanned, so opening it is no reason to do it again. */
TEST_F(loop, opening_the_device_scans_no_more)
{
	const char *disk = self->sys + strlen("/sys/block/");
	struct uevents evs;
	int sk, fd;

	ASSERT_EQ(0, configure(self->fd, partitioned_file(FILE_SIZE), LO_FLAGS_PARTSCAN));
	sk = uevent_open();
	ASSERT_GE(sk, 0);
	fd = open(self->path, O_RDONLY);
	ASSERT_GE(fd, 0);
	close(fd);
	/* The last close and a fresh open, too. */
	close(self->fd);
	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	ASSERT_TRUE(uevent_collect(sk, disk, &evs));
	EXPECT_EQ(0, evs.n);
	EXPECT_TRUE(HAS(1));
}

/*
 * The scan comes before all events: one change of the disk, then its partitions,
 * so that a program that the first one wakes finds it scanned.
 */
TEST_F(loop, they_are_announced_after_one_change_of_the_disk)
{
	const char *disk = self->sys + strlen("/sys/block/");
	struct uevents evs;
	char part[48];
	int sk, i;

	RLOOP_ONLY();
	sk = uevent_open();
	ASSERT_GE(sk, 0);
	ASSERT_EQ(0, configure(self->fd, partitioned_file(FILE_SIZE), LO_FLAGS_PARTSCAN));
	ASSERT_TRUE(uevent_collect(sk, disk, &evs));
	for (i = 1; i <= 2; i++) {
		snprintf(part, sizeof(part), "%sp%d", disk, i);
		EXPECT_GT(uevent_index(&evs, "add", part),
			  uevent_index(&evs, "change", disk));
	}
}

TEST_HARNESS_MAIN
