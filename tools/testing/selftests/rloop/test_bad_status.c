// SPDX-License-Identifier: GPL-2.0
/* Configurations that make no sense: refused, and nothing changed. */
#include "rloop_device.h"

struct bad {
	const char *what;
	int error;
	unsigned long long offset, sizelimit;
	unsigned int crypt, key_size, flags;
};

static const struct bad bad_infos[] = {
	{ "negative offset", -EOVERFLOW, .offset = -512ULL },
	{ "offset 2^63", -EOVERFLOW, .offset = 1ULL << 63 },
	{ "negative sizelimit", -EOVERFLOW, .sizelimit = -1ULL },
	{ "sizelimit 2^63", -EOVERFLOW, .sizelimit = 1ULL << 63 },
	{ "xor", -EINVAL, .crypt = LO_CRYPT_XOR },
	{ "cryptoapi", -EINVAL, .crypt = LO_CRYPT_CRYPTOAPI },
	{ "unknown cipher", -EINVAL, .crypt = 5 },
	{ "cipher out of range", -EINVAL, .crypt = 0xffffffff },
	{ "long key", -EINVAL, .key_size = LO_KEY_SIZE + 1 },
	{ "negative key size", -EINVAL, .key_size = 0x80000000 },
};

static void fill(struct loop_info64 *info, const struct bad *bad)
{
	info->lo_offset = bad->offset;
	info->lo_sizelimit = bad->sizelimit;
	info->lo_encrypt_type = bad->crypt;
	info->lo_encrypt_key_size = bad->key_size;
}

TEST_F(loop, configure_refuses_bad_values)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_infos); i++) {
		struct loop_config config = config_of(backing_file(FILE_SIZE));

		fill(&config.info, &bad_infos[i]);
		EXPECT_EQ(bad_infos[i].error, IOCTL(self->fd, LOOP_CONFIGURE, &config))
			TH_LOG("%s", bad_infos[i].what);
		EXPECT_UNBOUND(self);
		close(config.fd);
	}
	EXPECT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
}

TEST_F(loop, configure_refuses_unknown_flags)
{
	const unsigned int flags[] = { 2, 32, 64, 0x80000000, 0xffffffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		EXPECT_EQ(-EINVAL, configure(self->fd, backing_file(FILE_SIZE), flags[i]))
			TH_LOG("flags %x", flags[i]);
		EXPECT_UNBOUND(self);
	}
	EXPECT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	EXPECT_EQ(0, status_of(self->fd).lo_flags);
}

TEST_F(loop, set_status_refuses_bad_values)
{
	struct loop_info64 before, after, info;
	unsigned int i;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	before = status_of(self->fd);
	for (i = 0; i < ARRAY_SIZE(bad_infos); i++) {
		info = before;
		fill(&info, &bad_infos[i]);
		info.lo_flags = LO_FLAGS_AUTOCLEAR;
		memcpy(info.lo_file_name, "changed", sizeof("changed"));
		EXPECT_EQ(bad_infos[i].error, IOCTL(self->fd, LOOP_SET_STATUS64, &info))
			TH_LOG("%s", bad_infos[i].what);
		after = status_of(self->fd);
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
		EXPECT_EQ(FILE_SIZE, device_bytes(self->fd));
	}
}

TEST_F(loop, a_negative_offset_in_the_old_structure_is_eoverflow)
{
	struct loop_info old;

	ASSERT_EQ(0, configure(self->fd, backing_file(FILE_SIZE), 0));
	memset(&old, 0, sizeof(old));
	old.lo_offset = -512;
	EXPECT_EQ(-EOVERFLOW, IOCTL(self->fd, LOOP_SET_STATUS, &old));
	EXPECT_EQ(0, status_of(self->fd).lo_offset);
}

TEST_HARNESS_MAIN
