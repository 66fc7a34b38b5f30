// SPDX-License-Identifier: GPL-2.0
/*
 * A LOOP_CONFIGURE that fails at its last step, the queue limits, leaves
 * everything as it was. (The C driver keeps a stale pointer to the file, the
 * read-only mark and, worst, its uevents suppressed for good.)
 */
#include "rloop_device.h"
#include "rloop_uevent.h"

static int fail_late(int fd, int file, unsigned int flags)
{
	struct loop_config config = config_of(file);

	config.block_size = 3072;
	config.info.lo_flags = flags;
	config.info.lo_offset = 1024;
	memcpy(config.info.lo_file_name, "late", sizeof("late"));
	return IOCTL(fd, LOOP_CONFIGURE, &config);
}

TEST_F(loop, the_device_is_unbound)
{
	RLOOP_ONLY();
	ASSERT_EQ(-EINVAL, fail_late(self->fd, backing_file(FILE_SIZE), 0));
	EXPECT_UNBOUND(self);
	EXPECT_EQ(512, block_size_of(self->fd));
}

TEST_F(loop, nothing_is_told)
{
	const char *disk = self->sys + strlen("/sys/block/");
	struct uevents evs;
	int sk;

	RLOOP_ONLY();
	sk = uevent_open();
	ASSERT_GE(sk, 0);
	ASSERT_EQ(-EINVAL, fail_late(self->fd, backing_file(FILE_SIZE), 0));
	ASSERT_TRUE(uevent_collect(sk, disk, &evs));
	EXPECT_EQ(0, evs.n);
}

TEST_F(loop, the_next_file_is_told)
{
	const char *disk = self->sys + strlen("/sys/block/");
	struct uevents evs;
	int sk;

	RLOOP_ONLY();
	ASSERT_EQ(-EINVAL, fail_late(self->fd, backing_file(FILE_SIZE), 0));
	sk = uevent_open();
	ASSERT_GE(sk, 0);
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	ASSERT_TRUE(uevent_collect(sk, disk, &evs));
	EXPECT_GE(uevent_count(&evs, "change", disk), 1);
}

TEST_F(loop, the_next_file_finds_nothing_of_it)
{
	struct loop_info64 info;
	int ro = -1;

	RLOOP_ONLY();
	ASSERT_EQ(-EINVAL, fail_late(self->fd, backing_file(FILE_SIZE),
				     LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR));
	EXPECT_EQ(0, ioctl(self->fd, BLKROGET, &ro));
	EXPECT_EQ(0, ro);
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	info = status_of(self->fd);
	EXPECT_EQ(0, info.lo_flags);
	EXPECT_EQ(0, info.lo_offset);
	EXPECT_STREQ("", (char *)info.lo_file_name);
	EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
}

/* A lease on a file is only given where no other task has it open. */
TEST_F(loop, the_file_is_not_held)
{
	char path[256];
	int file = backing_file_at(path, FILE_SIZE, O_RDWR);

	ASSERT_GE(file, 0);
	EXPECT_EQ(-EINVAL, fail_late(self->fd, file, 0));
	close(file);
	file = open(path, O_RDWR);
	ASSERT_GE(file, 0);
	EXPECT_EQ(0, fcntl(file, F_SETLEASE, F_WRLCK));
	unlink(path);
}

TEST_F(loop, the_claim_is_given_back)
{
	int excl;

	ASSERT_EQ(-EINVAL, fail_late(self->fd, backing_file(FILE_SIZE), 0));
	excl = open(self->path, O_RDWR | O_EXCL);
	EXPECT_GE(excl, 0);
	close(excl);
}

TEST_F(loop, the_module_is_not_held)
{
	char path[64];
	long long users;

	sprintf(path, "/sys/module/%s/refcnt", is_rloop() ? "rloop" : "loop");
	users = read_number(path);
	if (users < 0)
		SKIP(return, "the driver is not a module");
	ASSERT_EQ(-EINVAL, fail_late(self->fd, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(users, read_number(path));
}

TEST_HARNESS_MAIN
