// SPDX-License-Identifier: GPL-2.0
/* Descriptors that can't back a device: the C driver's errno, nothing changed. */
#include <sys/socket.h>
#include "rloop_device.h"

/* All three ways to give a device a file. */
#define EXPECT_REFUSED(error, backing) do { \
	int __file = (backing); \
	EXPECT_EQ(error, configure(self->fd, __file, 0)); \
	EXPECT_UNBOUND(self); \
	EXPECT_EQ(error, IOCTL(self->fd, LOOP_SET_FD, __file)); \
	EXPECT_UNBOUND(self); \
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), LO_FLAGS_READ_ONLY)); \
	EXPECT_EQ(error, IOCTL(self->fd, LOOP_CHANGE_FD, __file)); \
	EXPECT_EQ(FILE_SIZE, device_bytes(self->fd)); \
	EXPECT_EQ(LO_FLAGS_READ_ONLY, status_of(self->fd).lo_flags); \
} while (0)

TEST_F(loop, a_directory)
{
	EXPECT_REFUSED(-EINVAL, open("/tmp", O_RDONLY | O_DIRECTORY));
}

TEST_F(loop, a_pipe)
{
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	EXPECT_REFUSED(-EINVAL, fds[0]);
}

TEST_F(loop, the_writing_end_of_a_pipe)
{
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	EXPECT_REFUSED(-EINVAL, fds[1]);
}

TEST_F(loop, a_socket)
{
	int fds[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	EXPECT_REFUSED(-EINVAL, fds[0]);
}

TEST_F(loop, a_character_device)
{
	EXPECT_REFUSED(-EINVAL, open("/dev/zero", O_RDWR));
}

TEST_F(loop, its_own_control_device)
{
	EXPECT_REFUSED(-EINVAL, self->ctl);
}

TEST_F(loop, a_closed_descriptor)
{
	/* A number that the files opened meanwhile will not take. */
	int file = fcntl(backing_file(FILE_SIZE), F_DUPFD, 200);

	ASSERT_GE(file, 200);
	close(file);
	EXPECT_REFUSED(-EBADF, file);
}

TEST_F(loop, a_descriptor_that_never_was)
{
	EXPECT_REFUSED(-EBADF, -1);
}

TEST_F(loop, a_descriptor_without_access)
{
	EXPECT_REFUSED(-EBADF, open("/etc/passwd", O_PATH));
}

TEST_HARNESS_MAIN
