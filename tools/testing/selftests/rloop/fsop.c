// SPDX-License-Identifier: GPL-2.0
/*
 * fsop shutdown DIR: the file system is shut down at once, without writing its log
 * fsop map FILE: maps a page of FILE shared and writable, says 'mapped', and waits for the end of
 *                its input
 * fsop peek FILE POS: maps the page at POS of FILE, and says its first byte for each line of input
 * fsop fragment FILE OTHER BYTES COUNT: FILE becomes COUNT extents of BYTES each, with a piece of
 *                OTHER behind each of them
 * fsop verity FILE: FILE gets fs-verity
 * fsop encrypt DIR: new files in DIR, which is empty, are encrypted
 * What needs an ioctl, or too many processes. Names the errno and ends with status 1 if it fails.
 */
#include <fcntl.h>
#include <linux/ext4.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rloop_util.h"

static int map(const char *file)
{
	char c, *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, open(file, O_RDWR), 0);

	if (p == MAP_FAILED)
		return -1;
	puts("mapped");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return munmap(p, 4096);
}

static int peek(const char *file, long long pos)
{
	unsigned char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, open(file, O_RDONLY), pos);
	char c;

	if (p == MAP_FAILED)
		return -1;
	while (read(0, &c, 1) > 0) {
		printf("%d\n", *p);
		fflush(stdout);
	}
	return 0;
}

/* The pieces of both are allocated in turns, so that none is behind another of its file. */
static int fragment(const char *file, const char *other, long long bytes, long long count)
{
	int fd[2] = { open(file, O_RDWR | O_CREAT, 0600), open(other, O_RDWR | O_CREAT, 0600) };
	long long i;

	for (i = 0; i < 2 * count; i++)
		if (fallocate(fd[i % 2], 0, i / 2 * bytes, bytes))
			return -1;
	return 0;
}

static int verity(const char *file)
{
	struct fsverity_enable_arg arg = {
		.version = 1,
		.hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
		.block_size = 4096,
	};

	return ioctl(open(file, O_RDONLY), FS_IOC_ENABLE_VERITY, &arg);
}

static int encrypt(const char *dir)
{
	struct {
		struct fscrypt_add_key_arg arg;
		unsigned char raw[64];
	} key = {
		.arg.key_spec.type = FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER,
		.arg.raw_size = sizeof(key.raw),
		.raw = "a key that only this test has",
	};
	struct fscrypt_policy_v2 policy = {
		.version = FSCRYPT_POLICY_V2,
		.contents_encryption_mode = FSCRYPT_MODE_AES_256_XTS,
		.filenames_encryption_mode = FSCRYPT_MODE_AES_256_CTS,
		.flags = FSCRYPT_POLICY_FLAGS_PAD_32,
	};
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	if (ioctl(fd, FS_IOC_ADD_ENCRYPTION_KEY, &key))
		return -1;
	memcpy(policy.master_key_identifier, key.arg.key_spec.u.identifier,
	       sizeof(policy.master_key_identifier));
	return ioctl(fd, FS_IOC_SET_ENCRYPTION_POLICY, &policy);
}

int main(int argc, char **argv)
{
	unsigned int nolog = EXT4_GOING_FLAGS_NOLOGFLUSH;
	int ret;

	if (argc == 3 && !strcmp(argv[1], "shutdown"))
		ret = ioctl(open(argv[2], O_RDONLY), EXT4_IOC_SHUTDOWN, &nolog);
	else if (argc == 3 && !strcmp(argv[1], "map"))
		ret = map(argv[2]);
	else if (argc == 4 && !strcmp(argv[1], "peek"))
		ret = peek(argv[2], atoll(argv[3]));
	else if (argc == 6 && !strcmp(argv[1], "fragment"))
		ret = fragment(argv[2], argv[3], atoll(argv[4]), atoll(argv[5]));
	else if (argc == 3 && !strcmp(argv[1], "verity"))
		ret = verity(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "encrypt"))
		ret = encrypt(argv[2]);
	else
		return 2;
	if (ret)
		printf("%s: %s\n", argv[1], strerrorname_np(errno));
	return ret ? 1 : 0;
}
