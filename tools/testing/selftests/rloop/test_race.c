// SPDX-License-Identifier: GPL-2.0
/*
 * Many at once on the same device: binding, detaching, asking, changing, reading
 * and writing, adding and removing. Nothing is expected of the single call but
 * that it returns; the device must be usable afterwards, and the kernel silent.
 */
#include <pthread.h>
#include "rloop_device.h"

enum { ROUNDS = 150 };

struct shared {
	const char *path;
	int ctl, nr;
};

static unsigned int rnd(unsigned int *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 16;
}

/* Binds and detaches. */
static void *binder(void *arg)
{
	struct shared *s = arg;
	const unsigned int flags[] = {
		0, LO_FLAGS_DIRECT_IO, LO_FLAGS_AUTOCLEAR, LO_FLAGS_PARTSCAN, LO_FLAGS_READ_ONLY,
	};
	int file = backing_file(MIB), i;

	for (i = 0; i < ROUNDS; i++) {
		int fd = open(s->path, O_RDWR | O_CLOEXEC);

		if (fd < 0)
			continue;
		configure(fd, file, flags[i % ARRAY_SIZE(flags)]);
		if (i % 4)
			ioctl(fd, LOOP_CLR_FD);
		close(fd);
	}
	close(file);
	return NULL;
}

/* Asks and changes. */
static void *meddler(void *arg)
{
	struct shared *s = arg;
	unsigned int state = 1;
	struct loop_info64 info;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		int fd = open(s->path, O_RDWR | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (ioctl(fd, LOOP_GET_STATUS64, &info) == 0) {
			info.lo_offset = rnd(&state) % 4 * 4096;
			ioctl(fd, LOOP_SET_STATUS64, &info);
		}
		ioctl(fd, LOOP_SET_DIRECT_IO, rnd(&state) % 2);
		ioctl(fd, LOOP_SET_BLOCK_SIZE, rnd(&state) % 2 ? 512 : 4096);
		ioctl(fd, LOOP_SET_CAPACITY, 0);
		close(fd);
	}
	return NULL;
}

/* Reads and writes past the cache. */
static void *user(void *arg)
{
	struct shared *s = arg;
	char *buf = aligned_alloc(4096, 65536);
	unsigned int state = 2;
	int i;

	memset(buf, 0, 65536);
	for (i = 0; i < ROUNDS; i++) {
		int fd = open(s->path, O_RDWR | O_DIRECT | O_CLOEXEC);
		long long pos = rnd(&state) % 16 * 65536;
		ssize_t n;

		if (fd < 0)
			continue;
		n = pwrite(fd, buf, 65536, pos);
		n += pread(fd, buf, 65536, pos);
		if (n >= 0 && i % 8 == 0)
			fsync(fd);
		close(fd);
	}
	free(buf);
	return NULL;
}

/* Looks at the attributes. */
static void *reader(void *arg)
{
	struct shared *s = arg;
	const char *const names[] = { "loop/backing_file", "loop/dio", "rloop/flush" };
	char path[96], buf[4096];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		int fd;

		snprintf(path, sizeof(path), "/sys/block/%s%d/%s", prefix(), s->nr, names[i % 3]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, buf, sizeof(buf)) < 0)
			errno = 0;
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* Makes and removes other devices, and tries to remove this one. */
static void *controller(void *arg)
{
	struct shared *s = arg;
	int i;

	for (i = 0; i < ROUNDS / 4; i++) {
		int nr = ioctl(s->ctl, LOOP_CTL_ADD, -1);

		ioctl(s->ctl, LOOP_CTL_GET_FREE);
		if (nr >= 0)
			remove_device(s->ctl, nr);
	}
	return NULL;
}

TEST_F_TIMEOUT(loop, everything_at_once, 240)
{
	void *(*const jobs[])(void *) = {
		binder, binder, meddler, user, user, reader, controller,
	};
	struct shared shared = { self->path, self->ctl, self->nr };
	pthread_t threads[ARRAY_SIZE(jobs)];
	char want[4096], got[4096];
	int file = backing_file(FILE_SIZE), i;
	struct loop_info64 info;

	close(self->fd);
	self->fd = -1;
	for (i = 0; i < (int)ARRAY_SIZE(jobs); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, jobs[i], &shared));
	for (i = 0; i < (int)ARRAY_SIZE(jobs); i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));

	/* Whatever state it was left in, it is good for another file. */
	self->fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	if (IOCTL(self->fd, LOOP_GET_STATUS64, &info) == 0) {
		ASSERT_EQ(0, IOCTL(self->fd, LOOP_CLR_FD, 0));
		close(self->fd);
		self->fd = open(self->path, O_RDWR | O_CLOEXEC);
		ASSERT_GE(self->fd, 0);
	}
	ASSERT_EQ(0, configure(self->fd, file, 0));
	pattern_fill(want, sizeof(want), 9, 0);
	ASSERT_EQ(sizeof(want), pwrite(self->fd, want, sizeof(want), 0));
	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(sizeof(got), pread(file, got, sizeof(got), 0));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
}

TEST_HARNESS_MAIN
