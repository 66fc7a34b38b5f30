// SPDX-License-Identifier: GPL-2.0
/* NULL and unmapped pointers, and ioctls that do not exist. */
#include <sys/mman.h>
#include "rloop_device.h"

/* An address with nothing behind it. */
static void *unmapped(void)
{
	void *p = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(p, 8192);
	return p;
}

TEST_F(loop, configure_is_efault)
{
	EXPECT_EQ(-EFAULT, IOCTL(self->fd, LOOP_CONFIGURE, NULL));
	EXPECT_EQ(-EFAULT, IOCTL(self->fd, LOOP_CONFIGURE, unmapped()));
	EXPECT_UNBOUND(self);
}

/* The structure begins in a page that is there and ends in one that is not. */
TEST_F(loop, configure_with_half_a_structure_is_efault)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));
	size_t page = sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	munmap(p + page, page);
	memcpy(p + page - 100, &config, 100);
	EXPECT_EQ(-EFAULT, IOCTL(self->fd, LOOP_CONFIGURE, p + page - 100));
	EXPECT_UNBOUND(self);
}

TEST_F(loop, set_status_is_efault)
{
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(-EFAULT, IOCTL(self->fd, LOOP_SET_STATUS64, NULL));
	EXPECT_EQ(-EFAULT, IOCTL(self->fd, LOOP_SET_STATUS64, unmapped()));
	EXPECT_EQ(-EFAULT, IOCTL(self->fd, LOOP_SET_STATUS, NULL));
	EXPECT_EQ(-EFAULT, IOCTL(self->fd, LOOP_SET_STATUS, unmapped()));
	EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
}

TEST_F(loop, set_status_of_an_unbound_device_is_efault_first)
{
	EXPECT_EQ(-EFAULT, IOCTL(self->fd, LOOP_SET_STATUS64, unmapped()));
	EXPECT_EQ(-EFAULT, IOCTL(self->fd, LOOP_SET_STATUS, unmapped()));
}

TEST_F(loop, get_status_with_null_is_einval)
{
	EXPECT_EQ(-EINVAL, IOCTL(self->fd, LOOP_GET_STATUS64, NULL));
	EXPECT_EQ(-EINVAL, IOCTL(self->fd, LOOP_GET_STATUS, NULL));
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(-EINVAL, IOCTL(self->fd, LOOP_GET_STATUS64, NULL));
	EXPECT_EQ(-EINVAL, IOCTL(self->fd, LOOP_GET_STATUS, NULL));
}

TEST_F(loop, get_status_to_nowhere_is_efault)
{
	/* Nothing to copy yet. */
	EXPECT_EQ(-ENXIO, IOCTL(self->fd, LOOP_GET_STATUS64, unmapped()));
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(-EFAULT, IOCTL(self->fd, LOOP_GET_STATUS64, unmapped()));
	EXPECT_EQ(-EFAULT, IOCTL(self->fd, LOOP_GET_STATUS, unmapped()));
}

/* The block layer tells a 32-bit program otherwise. */
#define UNKNOWN (sizeof(long) == 4 ? -ENOTTY : -EINVAL)

TEST_F(loop, unknown_device_ioctls_are_refused)
{
	EXPECT_EQ(UNKNOWN, IOCTL(self->fd, 0x4C0B, 0));
	EXPECT_EQ(UNKNOWN, IOCTL(self->fd, LOOP_CTL_ADD, 0));
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(UNKNOWN, IOCTL(self->fd, 0x4C0B, 0));
	EXPECT_EQ(UNKNOWN, IOCTL(self->fd, 0x4CFF, 0));
}

TEST_HARNESS_MAIN
