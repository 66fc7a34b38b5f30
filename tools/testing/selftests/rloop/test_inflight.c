// SPDX-License-Identifier: GPL-2.0
/*
 * Offset and size change while there is I/O: each write goes as a whole to where the device
 * was at one time, and none goes beyond its bounds.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "rloop_device.h"

#define BLOCK	65536
/* The device is one of two places of the file, or the first half of one. */
#define FIRST	MIB
#define SECOND	(2 * MIB + 4096)

struct writer {
	int fd;
	int writes;
	atomic_bool stop;
};

/* Blocks all of the same byte, which is never 0. */
static void *write_blocks(void *arg)
{
	struct writer *w = arg;
	char *buf = aligned_alloc(4096, BLOCK);
	unsigned int i;

	for (i = 0; !w->stop; i++) {
		memset(buf, 1 + i % 255, BLOCK);
		/* Beyond the end while the device is small. */
		if (pwrite(w->fd, buf, BLOCK, i * 7 % 16 * BLOCK) == BLOCK)
			w->writes++;
	}
	free(buf);
	return NULL;
}

static int place(int fd, unsigned long long offset, unsigned long long size, unsigned int flags)
{
	struct loop_info64 info = {
		.lo_offset = offset, .lo_sizelimit = size, .lo_flags = flags,
	};
	int i, ret = -EAGAIN;

	/* Something may be in the cache of the device. */
	for (i = 0; i < 100 && ret == -EAGAIN; i++)
		ret = ioctl(fd, LOOP_SET_STATUS64, &info) < 0 ? -errno : 0;
	return ret;
}

static bool all_same(const unsigned char *p, size_t len)
{
	return !memcmp(p, p + 1, len - 1);
}

static void moved_about(struct __test_metadata *_metadata, FIXTURE_DATA(loop) * self,
			unsigned int flags)
{
	static unsigned char all[FILE_SIZE];
	static const unsigned char zero[MIB];
	int file = backing_file(FILE_SIZE), i, n, rounds = getenv("RLOOP_FEW") ? 20 : 50;
	struct writer w = { .fd = open(self->path, O_RDWR | O_DIRECT | O_CLOEXEC) };
	pthread_t tid;

	ASSERT_GE(w.fd, 0);
	ASSERT_EQ(0, configure(self->fd, file, flags));
	ASSERT_EQ(0, place(self->fd, FIRST, MIB, 0));
	ASSERT_EQ(0, pthread_create(&tid, NULL, write_blocks, &w));
	for (i = 0; i < rounds; i++) {
		EXPECT_EQ(0, place(self->fd, SECOND, MIB, 0));
		EXPECT_EQ(0, place(self->fd, FIRST, MIB / 2, 0));
		EXPECT_EQ(0, place(self->fd, FIRST, MIB, 0));
	}
	w.stop = true;
	pthread_join(tid, NULL);
	close(w.fd);
	EXPECT_GT(w.writes, 0);
	ASSERT_EQ(FILE_SIZE, pread(file, all, sizeof(all), 0));
	EXPECT_EQ(0, memcmp(all, zero, FIRST));
	EXPECT_EQ(0, memcmp(all + FIRST + MIB, zero, SECOND - FIRST - MIB));
	EXPECT_EQ(0, memcmp(all + SECOND + MIB, zero, FILE_SIZE - SECOND - MIB));
	for (i = 0, n = 0; i < 16; i++) {
		n += !all_same(all + FIRST + i * BLOCK, BLOCK);
		n += !all_same(all + SECOND + i * BLOCK, BLOCK);
	}
	EXPECT_EQ(0, n);
	close(file);
}

TEST_F_TIMEOUT(loop, a_buffered_device_is_moved_about, 120)
{
	moved_about(_metadata, self, 0);
}

TEST_F_TIMEOUT(loop, a_direct_device_is_moved_about, 120)
{
	moved_about(_metadata, self, LO_FLAGS_DIRECT_IO);
}

TEST_HARNESS_MAIN
