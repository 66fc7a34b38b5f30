// SPDX-License-Identifier: GPL-2.0
/* LOOP_SET_STATUS(64) and LOOP_GET_STATUS(64). */
#include "rloop_device.h"

TEST_F(loop, status_names_the_backing_file)
{
	int file = backing_file(FILE_SIZE);
	struct loop_info64 info;
	struct stat st;

	ASSERT_EQ(0, fstat(file, &st));
	ASSERT_EQ(0, configure(self->fd, file, 0));
	info = status_of(self->fd);
	EXPECT_EQ(self->nr, (int)info.lo_number);
	EXPECT_EQ(st.st_dev, info.lo_device);
	EXPECT_EQ(st.st_ino, info.lo_inode);
	EXPECT_EQ(0, info.lo_rdevice);
	EXPECT_EQ(0, info.lo_encrypt_type);
	EXPECT_EQ(0, info.lo_encrypt_key_size);
}

TEST_F(loop, set_status_moves_offset_and_sizelimit)
{
	struct loop_info64 info;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	info = status_of(self->fd);
	info.lo_offset = MIB;
	info.lo_sizelimit = MIB + 512;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	EXPECT_EQ(MIB + 512, device_bytes(self->fd));
	EXPECT_EQ(MIB, status_of(self->fd).lo_offset);
	info.lo_sizelimit = 0;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	EXPECT_EQ(FILE_SIZE - MIB, device_bytes(self->fd));
}

/* What was written through the old offset must not be lost or end up elsewhere. */
TEST_F(loop, set_status_writes_back_before_the_offset_moves)
{
	int file = backing_file(FILE_SIZE);
	struct loop_info64 info;
	char want[4096], got[4096];

	pattern_fill(want, sizeof(want), 1, 0);
	ASSERT_EQ(0, configure(self->fd, file, 0));
	ASSERT_EQ(sizeof(want), pwrite(self->fd, want, sizeof(want), 8192));
	info = status_of(self->fd);
	info.lo_offset = 8192;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	ASSERT_EQ(sizeof(got), pread(file, got, sizeof(got), 8192));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
	/* The cache of the device knows of the move as well. */
	ASSERT_EQ(sizeof(got), pread(self->fd, got, sizeof(got), 0));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
}

TEST_F(loop, autoclear_can_be_set_and_cleared)
{
	struct loop_info64 info;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	info = status_of(self->fd);
	info.lo_flags = LO_FLAGS_AUTOCLEAR;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	EXPECT_EQ(LO_FLAGS_AUTOCLEAR, status_of(self->fd).lo_flags);
	info.lo_flags = 0;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	EXPECT_EQ(0, status_of(self->fd).lo_flags);
}

TEST_F(loop, partscan_can_be_set_but_not_cleared)
{
	struct loop_info64 info;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	info = status_of(self->fd);
	info.lo_flags = LO_FLAGS_PARTSCAN;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	info.lo_flags = 0;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	EXPECT_EQ(LO_FLAGS_PARTSCAN, status_of(self->fd).lo_flags);
}

TEST_F(loop, other_flags_are_ignored)
{
	struct loop_info64 info;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	info = status_of(self->fd);
	info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_DIRECT_IO | 0x80000000 | 2;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	EXPECT_EQ(0, status_of(self->fd).lo_flags);
}

TEST_F(loop, read_only_and_direct_survive_set_status)
{
	const unsigned int flags = LO_FLAGS_READ_ONLY | LO_FLAGS_DIRECT_IO;
	struct loop_info64 info;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), flags));
	info = status_of(self->fd);
	if (!(info.lo_flags & LO_FLAGS_DIRECT_IO))
		SKIP(return, "no direct I/O on this file system");
	info.lo_flags = 0;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	EXPECT_EQ(flags, status_of(self->fd).lo_flags);
}

/* Direct I/O needs an aligned offset, and is given up without one. */
TEST_F(loop, an_unaligned_offset_ends_direct_io)
{
	struct loop_info64 info;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), LO_FLAGS_DIRECT_IO));
	info = status_of(self->fd);
	if (!(info.lo_flags & LO_FLAGS_DIRECT_IO))
		SKIP(return, "no direct I/O on this file system");
	info.lo_offset = 100;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	EXPECT_EQ(0, status_of(self->fd).lo_flags);
	EXPECT_EQ(100, status_of(self->fd).lo_offset);
}

TEST_F(loop, the_file_name_can_be_changed)
{
	struct loop_info64 info;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	info = status_of(self->fd);
	memcpy(info.lo_file_name, "another", sizeof("another"));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS64, &info));
	EXPECT_STREQ("another", (char *)status_of(self->fd).lo_file_name);
}

TEST_F(loop, the_old_structure_carries_the_same)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));
	struct loop_info64 now;
	struct loop_info old;

	config.info.lo_offset = MIB;
	memcpy(config.info.lo_file_name, "name", sizeof("name"));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	memset(&old, 0xff, sizeof(old));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_GET_STATUS, &old));
	now = status_of(self->fd);
	EXPECT_EQ(self->nr, old.lo_number);
	EXPECT_EQ(MIB, old.lo_offset);
	EXPECT_EQ(0, old.lo_flags);
	EXPECT_EQ(now.lo_inode, old.lo_inode);
	EXPECT_EQ(now.lo_device, old.lo_device);
	EXPECT_STREQ("name", old.lo_name);
	EXPECT_EQ(0, old.lo_encrypt_type);
}

/* It has no sizelimit, so that goes; its encryption fields are not looked at. */
TEST_F(loop, the_old_structure_sets_the_same)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));
	struct loop_info old;

	config.info.lo_sizelimit = MIB;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	memset(&old, 0, sizeof(old));
	old.lo_offset = 1024;
	old.lo_flags = LO_FLAGS_AUTOCLEAR;
	old.lo_encrypt_type = LO_CRYPT_XOR;
	old.lo_encrypt_key_size = LO_KEY_SIZE + 1;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_SET_STATUS, &old));
	EXPECT_EQ(FILE_SIZE - 1024, device_bytes(self->fd));
	EXPECT_EQ(0, status_of(self->fd).lo_sizelimit);
	EXPECT_EQ(LO_FLAGS_AUTOCLEAR, status_of(self->fd).lo_flags);
}

TEST_F(loop, what_does_not_fit_the_old_structure_is_eoverflow)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));
	struct loop_info old;

	config.info.lo_offset = 1LL << 33;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	EXPECT_EQ(-EOVERFLOW, IOCTL(self->fd, LOOP_GET_STATUS, &old));
}

TEST_HARNESS_MAIN
