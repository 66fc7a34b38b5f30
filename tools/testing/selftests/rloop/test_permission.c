// SPDX-License-Identifier: GPL-2.0
/* Changing a device needs a writable descriptor or CAP_SYS_ADMIN. */
#include <linux/capability.h>
#include <sched.h>
#include <sys/wait.h>
#include <sys/syscall.h>
#include "rloop_device.h"

static int sys_admin(bool on)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -1;
	if (on)
		data[0].effective |= 1u << CAP_SYS_ADMIN;
	else
		data[0].effective &= ~(1u << CAP_SYS_ADMIN);
	return syscall(SYS_capset, &head, data);
}

/* What each call answers on this descriptor. */
static void expect_all(struct __test_metadata *_metadata, int fd, int error)
{
	struct loop_info64 info = { 0 };
	struct loop_info old = { 0 };

	EXPECT_EQ(error, IOCTL(fd, LOOP_SET_STATUS64, &info));
	EXPECT_EQ(error, IOCTL(fd, LOOP_SET_STATUS, &old));
	EXPECT_EQ(error, IOCTL(fd, LOOP_SET_CAPACITY, 0));
	EXPECT_EQ(error, IOCTL(fd, LOOP_SET_DIRECT_IO, 0));
	EXPECT_EQ(error, IOCTL(fd, LOOP_SET_BLOCK_SIZE, 512));
}

TEST_F(loop, a_readable_descriptor_without_the_capability_is_eperm)
{
	int fd;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	fd = open(self->path, O_RDONLY);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, sys_admin(false));
	expect_all(_metadata, fd, -EPERM);
	ASSERT_EQ(0, sys_admin(true));
	close(fd);
}

TEST_F(loop, a_writable_descriptor_is_enough)
{
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	ASSERT_EQ(0, sys_admin(false));
	expect_all(_metadata, self->fd, 0);
	ASSERT_EQ(0, sys_admin(true));
}

TEST_F(loop, the_capability_is_enough)
{
	int fd;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	fd = open(self->path, O_RDONLY);
	ASSERT_GE(fd, 0);
	expect_all(_metadata, fd, 0);
	close(fd);
}

/* All capabilities, in a namespace of its own, are none here. */
TEST_F(loop, a_user_namespace_gives_no_right)
{
	int fd, status;
	pid_t pid;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	fd = open(self->path, O_RDONLY);
	ASSERT_GE(fd, 0);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (unshare(CLONE_NEWUSER))
			_exit(errno == EINVAL || errno == ENOSYS ? 4 : 2);
		expect_all(_metadata, fd, -EPERM);
		_exit(_metadata->exit_code ? 1 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	close(fd);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
		SKIP(return, "no user namespaces in this kernel");
	EXPECT_EQ(0, status);
}

/* Neither node is for everybody; what they allow is a matter of their mode. */
TEST_F(loop, the_nodes_are_not_for_others)
{
	struct stat st;

	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(0, st.st_mode & 0007);
	ASSERT_EQ(0, stat(control_node(), &st));
	EXPECT_EQ(0, st.st_mode & 0007);
}

TEST_F(loop, anyone_may_ask_for_the_status)
{
	int fd;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	fd = open(self->path, O_RDONLY);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, sys_admin(false));
	EXPECT_EQ(self->nr, (int)status_of(fd).lo_number);
	ASSERT_EQ(0, sys_admin(true));
	close(fd);
}

TEST_HARNESS_MAIN
