// SPDX-License-Identifier: GPL-2.0
/* LOOP_CLR_FD and AUTOCLEAR: when a device lets go of its file. */
#include <sys/prctl.h>
#include "rloop_device.h"

static bool is_bound(int fd)
{
	struct loop_info64 info;

	return ioctl(fd, LOOP_GET_STATUS64, &info) == 0;
}

TEST_F(loop, the_only_opener_detaches_at_once)
{
	struct loop_info64 info;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	EXPECT_EQ(-ENXIO, IOCTL(self->fd, LOOP_GET_STATUS64, &info));
	EXPECT_EQ(-ENXIO, IOCTL(self->fd, LOOP_CLR_FD, 0));
}

/* Until the last close no further open succeeds. */
TEST_F(loop, a_device_that_is_being_detached_cant_be_opened)
{
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	EXPECT_EQ(-1, open(self->path, O_RDONLY));
	EXPECT_EQ(ENXIO, errno);
}

/* A busy device is marked, works on, and is detached by the last close. */
TEST_F(loop, with_another_opener_the_detach_is_lazy)
{
	char want[4096], got[4096];
	int file = backing_file(FILE_SIZE), other;

	pattern_fill(want, sizeof(want), 3, 0);
	ASSERT_EQ(0, configure(self->fd, file, 0));
	other = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(other, 0);
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	EXPECT_EQ(LO_FLAGS_AUTOCLEAR, status_of(self->fd).lo_flags);
	close(self->fd);
	self->fd = -1;

	EXPECT_TRUE(is_bound(other));
	EXPECT_EQ(sizeof(want), pwrite(other, want, sizeof(want), MIB));
	EXPECT_EQ(0, fsync(other));
	EXPECT_EQ(sizeof(got), pread(file, got, sizeof(got), MIB));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
	close(other);

	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	EXPECT_UNBOUND(self);
}

TEST_F(loop, a_lazy_detach_can_be_taken_back)
{
	struct loop_info64 info;
	int other;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	other = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(other, 0);
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	info = status_of(self->fd);
	info.lo_flags = 0;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	close(other);
	close(self->fd);
	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	EXPECT_TRUE(is_bound(self->fd));
}

TEST_F(loop, sysfs_tells_that_a_detach_is_lazy)
{
	struct loop_info64 info;
	char path[96], state[16] = "";
	int other, fd;

	RLOOP_ONLY();
	snprintf(path, sizeof(path), "%s/rloop/state", self->sys);
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	other = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(other, 0);
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	fd = open(path, O_RDONLY);
	ASSERT_EQ(10, pread(fd, state, sizeof(state), 0));
	EXPECT_STREQ("detaching\n", state);
	info = status_of(self->fd);
	info.lo_flags = 0;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	ASSERT_EQ(6, pread(fd, state, 6, 0));
	EXPECT_EQ(0, strncmp("bound\n", state, 6));
	close(fd);
	close(other);
}

static void requester(const char *sys, char *text, int size)
{
	char path[96];
	int fd, n;

	snprintf(path, sizeof(path), "%s/rloop/detach_requested_by", sys);
	fd = open(path, O_RDONLY);
	n = read(fd, text, size - 1);
	text[n < 0 ? 0 : n] = 0;
	close(fd);
}

TEST_F(loop, sysfs_tells_who_requested_a_lazy_detach)
{
	char want[64], got[64];
	struct loop_info64 info;
	int other;

	RLOOP_ONLY();
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), LO_FLAGS_AUTOCLEAR));
	other = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(other, 0);
	/* Autoclear is no detach. */
	requester(self->sys, got, sizeof(got));
	EXPECT_STREQ("\n", got);
	ASSERT_EQ(0, prctl(PR_SET_NAME, "a \\b\nc\x7f\xc3\xa4"));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	requester(self->sys, got, sizeof(got));
	sprintf(want, "%d a \\134b\\012c\\177\xc3\xa4\n", getpid());
	EXPECT_STREQ(want, got);
	info = status_of(self->fd);
	info.lo_flags = 0;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	requester(self->sys, got, sizeof(got));
	EXPECT_STREQ("\n", got);
	close(other);
}

TEST_F(loop, autoclear_detaches_with_the_last_close)
{
	int other;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), LO_FLAGS_AUTOCLEAR));
	other = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(other, 0);
	close(self->fd);
	EXPECT_TRUE(is_bound(other));
	close(other);
	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	EXPECT_UNBOUND(self);
}

/* A lease on a file is only given where no other task has it open. */
TEST_F(loop, the_file_is_let_go)
{
	char path[256];
	int file = backing_file_at(path, FILE_SIZE, O_RDWR);

	ASSERT_EQ(0, configure(self->fd, file, 0));
	close(file);
	file = open(path, O_RDWR);
	ASSERT_GE(file, 0);
	EXPECT_NE(0, fcntl(file, F_SETLEASE, F_WRLCK));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, fcntl(file, F_SETLEASE, F_WRLCK));
	close(file);
	unlink(path);
}

TEST_F(loop, what_was_written_is_in_the_file)
{
	char want[4096], got[4096];
	int file = backing_file(FILE_SIZE);

	pattern_fill(want, sizeof(want), 4, 0);
	ASSERT_EQ(0, configure(self->fd, file, 0));
	/* In the cache of the device only, until the last close. */
	ASSERT_EQ(sizeof(want), pwrite(self->fd, want, sizeof(want), 12288));
	close(self->fd);
	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(sizeof(got), pread(file, got, sizeof(got), 12288));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
}

TEST_HARNESS_MAIN
