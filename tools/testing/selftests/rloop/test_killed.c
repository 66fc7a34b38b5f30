// SPDX-License-Identifier: GPL-2.0
/*
 * A task that is killed in the middle of a call, or while it holds a device open, leaves a device
 * that is bound or not, and nothing between: it can be asked, used, detached and removed.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include "rloop_device.h"

static unsigned int random_state = 1;

static unsigned int rnd(unsigned int below)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 16) % below;
}

/* All calls, until it is killed. */
static void call_on(const char *path, int ctl, int nr, int file, int other)
{
	struct loop_info64 info = { 0 };
	char buf[8192];
	int i;

	for (i = 0;; i++) {
		int fd = open(path, O_RDWR | O_CLOEXEC);

		if (fd < 0) {
			ioctl(ctl, LOOP_CTL_ADD, nr);
			continue;
		}
		configure(fd, file, i % 3 ? 0 : LO_FLAGS_DIRECT_IO);
		pwrite(fd, buf, sizeof(buf), 65536);
		ioctl(fd, LOOP_SET_DIRECT_IO, i % 2);
		ioctl(fd, LOOP_SET_BLOCK_SIZE, 512 << i % 3);
		info.lo_offset = i % 4 * 4096;
		info.lo_flags = i % 5 ? 0 : LO_FLAGS_AUTOCLEAR;
		ioctl(fd, LOOP_SET_STATUS64, &info);
		ioctl(fd, LOOP_SET_CAPACITY);
		ioctl(fd, LOOP_CHANGE_FD, other);
		fsync(fd);
		if (i % 4)
			ioctl(fd, LOOP_CLR_FD);
		close(fd);
		if (i % 7 == 0)
			ioctl(ctl, LOOP_CTL_REMOVE, nr);
	}
}

static bool can_be_opened(const char *path)
{
	int i, fd = -1;

	/* The last close of a task that was killed may still be under way. */
	for (i = 0; i < 200 && fd < 0; i++) {
		if (i)
			usleep(10000);
		fd = open(path, O_RDWR | O_CLOEXEC);
	}
	close(fd);
	return fd >= 0;
}

TEST_F(loop, the_device_is_whole)
{
	int file = backing_file(FILE_SIZE), other = backing_file(FILE_SIZE), round, bound = 0;
	struct loop_info64 info;

	close(self->fd);
	for (round = 0; round < 60; round++) {
		struct timespec wait = { .tv_nsec = rnd(30000000) };
		int status, fd, ret;
		char buf[4096];
		pid_t pid = fork();

		ASSERT_GE(pid, 0);
		if (!pid)
			call_on(self->path, self->ctl, self->nr, file, other);
		nanosleep(&wait, NULL);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));

		ret = ioctl(self->ctl, LOOP_CTL_ADD, self->nr);
		ASSERT_TRUE(ret == self->nr || (ret < 0 && errno == EEXIST));
		ASSERT_TRUE(can_be_opened(self->path));
		fd = open(self->path, O_RDWR | O_CLOEXEC);
		ASSERT_GE(fd, 0);
		if (ioctl(fd, LOOP_GET_STATUS64, &info) == 0) {
			bound++;
			EXPECT_EQ(FILE_SIZE - info.lo_offset, device_bytes(fd));
			EXPECT_TRUE(sysfs_group(self->sys));
			EXPECT_EQ(sizeof(buf), pread(fd, buf, sizeof(buf), 65536));
			EXPECT_EQ(0, ioctl(fd, LOOP_CLR_FD));
		} else {
			EXPECT_EQ(ENXIO, errno);
			EXPECT_EQ(0, device_bytes(fd));
			EXPECT_FALSE(sysfs_group(self->sys));
		}
		ASSERT_TRUE(detach_and_close(fd, self->sys));
	}
	TH_LOG("bound after %d of %d", bound, round);
	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	EXPECT_EQ(0, configure(self->fd, file, 0));
}

/* An exclusive opener that is killed lets go of the device. */
TEST_F(loop, an_exclusive_opener_lets_go)
{
	int status, excl, opened[2];
	char byte = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe2(opened, O_CLOEXEC));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (open(self->path, O_RDWR | O_EXCL) >= 0 &&
		    write(opened[1], &byte, 1) == 1)
			pause();
		_exit(0);
	}
	close(opened[1]);
	EXPECT_EQ(1, read(opened[0], &byte, 1));
	close(opened[0]);
	excl = open(self->path, O_RDWR | O_EXCL);
	EXPECT_LT(excl, 0);
	EXPECT_EQ(EBUSY, errno);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	excl = open(self->path, O_RDWR | O_EXCL);
	EXPECT_GE(excl, 0);
	close(excl);
}

TEST_HARNESS_MAIN
