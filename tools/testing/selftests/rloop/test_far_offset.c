// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that were checked against the disk's old size wait while its offset is moved to
 * where no file has bytes: they fail, and the driver does not reckon with what is no
 * number. (The C driver hands a negative position to the file system.)
 */
#include <pthread.h>
#include <stdatomic.h>
#include "rloop_device.h"

enum { READERS = 4, ROUNDS = 50, LENGTH = 16384 };

static atomic_bool enough;
static atomic_int wrong, reads, failed;
static const char *device;

static void *reader(void *arg)
{
	char *buf = aligned_alloc(4096, LENGTH), *want = malloc(LENGTH);
	int fd = open(device, O_RDWR | O_DIRECT | O_CLOEXEC);
	long i;

	for (i = (long)arg; !enough; i += 7) {
		off_t pos = i % (FILE_SIZE / LENGTH) * LENGTH;
		ssize_t got = pread(fd, buf, LENGTH, pos);

		pattern_fill(want, LENGTH, 5, pos);
		if (got > 0 && memcmp(buf, want, got))
			wrong++;
		if (got < 0)
			failed++;
		reads++;
		/* What is written is what is there. */
		if (pwrite(fd, want, LENGTH, pos) < 0)
			failed++;
	}
	close(fd);
	free(buf);
	free(want);
	return NULL;
}

static void move(struct __test_metadata *_metadata, int fd, unsigned long long offset)
{
	struct loop_info64 info = { .lo_offset = offset };

	EXPECT_EQ(0, IOCTL(fd, LOOP_SET_STATUS64, &info));
}

static void run(struct __test_metadata *_metadata, int fd, int file, unsigned int flags)
{
	pthread_t threads[READERS];
	char buf[4096];
	long i;

	for (i = 0; i < FILE_SIZE; i += sizeof(buf)) {
		pattern_fill(buf, sizeof(buf), 5, i);
		ASSERT_EQ(sizeof(buf), pwrite(file, buf, sizeof(buf), i));
	}
	ASSERT_EQ(0, configure(fd, file, flags));
	enough = false;
	for (i = 0; i < READERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, reader, (void *)i));
	for (i = 0; i < ROUNDS; i++) {
		move(_metadata, fd, 0x7ffffffffffffe00ull);
		move(_metadata, fd, 0);
	}
	enough = true;
	for (i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, wrong);
	TH_LOG("%d reads, %d calls failed", reads, failed);
	for (i = 0; i < FILE_SIZE; i += sizeof(buf)) {
		char want[sizeof(buf)];

		pattern_fill(want, sizeof(want), 5, i);
		ASSERT_EQ(sizeof(buf), pread(file, buf, sizeof(buf), i));
		ASSERT_EQ(0, memcmp(buf, want, sizeof(buf)));
	}
}

TEST_F_TIMEOUT(loop, buffered, 240)
{
	RLOOP_ONLY();
	device = self->path;
	run(_metadata, self->fd, backing_file(FILE_SIZE), 0);
}

TEST_F_TIMEOUT(loop, direct, 240)
{
	RLOOP_ONLY();
	device = self->path;
	run(_metadata, self->fd, backing_file(FILE_SIZE), LO_FLAGS_DIRECT_IO);
}

TEST_HARNESS_MAIN
