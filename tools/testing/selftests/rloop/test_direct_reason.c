// SPDX-License-Identifier: GPL-2.0
/* rloop/direct_reason after each ioctl that decides about direct I/O. */
#include "rloop_device.h"

#define EXPECT_REASON(...) do { \
	char __want[128], __got[128]; \
	snprintf(__want, sizeof(__want), __VA_ARGS__); \
	reason_of(self->sys, __got, sizeof(__got)); \
	EXPECT_STREQ(__want, __got); \
} while (0)

static void reason_of(const char *sys, char *text, int size)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/rloop/direct_reason", sys);
	f = fopen(path, "r");
	if (!f || !fgets(text, size, f))
		strcpy(text, "nothing");
	text[strcspn(text, "\n")] = 0;
	if (f)
		fclose(f);
}

/* The unit of the file's direct I/O, 0 if the file system reports none. */
static unsigned int reported_unit(int file)
{
	struct statx st;

	if (statx(file, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) ||
	    !(st.stx_mask & STATX_DIOALIGN) || !st.stx_dio_mem_align)
		return 0;
	return st.stx_dio_offset_align;
}

static void in_effect(char *text, int file, int block_size)
{
	unsigned int unit = reported_unit(file);

	if (!unit)
		strcpy(text, "in effect for multiples of 512: the file system reports no unit");
	else if (block_size % unit)
		sprintf(text, "in effect for multiples of %u: logical block size %d is none",
			unit, block_size);
	else
		strcpy(text, "in effect");
}

static unsigned int unit_of(int file)
{
	return reported_unit(file) ?: 512;
}

static int set_offset(int fd, unsigned long long offset)
{
	struct loop_info64 info = { .lo_offset = offset };

	return IOCTL(fd, LOOP_SET_STATUS64, &info);
}

TEST_F(loop, of_a_device_that_is_not_bound)
{
	RLOOP_ONLY();
	EXPECT_REASON("unbound");
}

TEST_F(loop, after_set_direct_io)
{
	int file = backing_file(FILE_SIZE);
	char on[128];

	RLOOP_ONLY();
	ASSERT_EQ(0, configure(self->fd, file, 0));
	EXPECT_REASON("not requested");
	in_effect(on, file, 512);
	if (IOCTL(self->fd, LOOP_SET_DIRECT_IO, 1) == -EINVAL)
		strcpy(on, "the file has no direct I/O");
	EXPECT_REASON("%s", on);
	EXPECT_EQ(0, IOCTL(self->fd, LOOP_SET_DIRECT_IO, 0));
	EXPECT_REASON("not requested");
}

TEST_F(loop, after_configure_and_set_status)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));
	unsigned int unit = unit_of(config.fd);
	char on[128];

	RLOOP_ONLY();
	config.block_size = 512;
	config.info.lo_flags = LO_FLAGS_DIRECT_IO;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	in_effect(on, config.fd, 512);
	EXPECT_REASON("%s", on);
	EXPECT_EQ(0, set_offset(self->fd, unit / 2));
	EXPECT_REASON("offset %u is no multiple of %u", unit / 2, unit);
	/* What is refused changes nothing. */
	EXPECT_EQ(-EINVAL, IOCTL(self->fd, LOOP_SET_DIRECT_IO, 1));
	EXPECT_REASON("offset %u is no multiple of %u", unit / 2, unit);
	/* Nothing but a request turns it on again. */
	EXPECT_EQ(0, set_offset(self->fd, 4096));
	EXPECT_REASON("not requested");
	EXPECT_EQ(0, IOCTL(self->fd, LOOP_SET_DIRECT_IO, 1));
	EXPECT_REASON("%s", on);
}

TEST_F(loop, after_configure_with_an_unaligned_offset)
{
	struct loop_config config = config_of(backing_file(FILE_SIZE));

	RLOOP_ONLY();
	config.info.lo_offset = 511;
	config.info.lo_flags = LO_FLAGS_DIRECT_IO;
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CONFIGURE, &config));
	EXPECT_REASON("offset 511 is no multiple of %u", unit_of(config.fd));
	/* What makes it impossible comes before what is not requested. */
	EXPECT_EQ(0, set_offset(self->fd, 510));
	EXPECT_REASON("offset 510 is no multiple of %u", unit_of(config.fd));
	EXPECT_EQ(0, set_offset(self->fd, 511));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
	EXPECT_REASON("offset 511 is no multiple of %u", unit_of(config.fd));
}

TEST_F(loop, after_change_fd)
{
	int direct = backing_file_at(NULL, FILE_SIZE, O_RDWR);
	char on[128];

	RLOOP_ONLY();
	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), LO_FLAGS_READ_ONLY));
	EXPECT_REASON("not requested");
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CHANGE_FD, backing_file(FILE_SIZE)));
	EXPECT_REASON("not requested");
	/* A descriptor with O_DIRECT asks for it. */
	ASSERT_EQ(0, fcntl(direct, F_SETFL, O_RDWR | O_DIRECT));
	ASSERT_EQ(0, IOCTL(self->fd, LOOP_CHANGE_FD, direct));
	in_effect(on, direct, block_size_of(self->fd));
	EXPECT_REASON("%s", on);
}

TEST_HARNESS_MAIN
