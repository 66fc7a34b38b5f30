// SPDX-License-Identifier: GPL-2.0
/* plugstress: a task that changes queues, file systems and devices while others submit. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <time.h>
#include <linux/fs.h>
#include <linux/rloop.h>
#include "plugstress.h"

static void changed(bool done)
{
	shared->slots[self].rounds++;
	shared->slots[self].refused += !done;
}

static void write_one_of(const char *path, const char *values)
{
	char list[256], *v, *save;
	int n = 1, fd;

	snprintf(list, sizeof(list), "%s", values);
	for (v = list; *v; v++)
		n += *v == ',';
	n = rnd(n);
	for (v = strtok_r(list, ",", &save); v && n; n--)
		v = strtok_r(NULL, ",", &save);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	changed(fd >= 0 && v && write(fd, v, strlen(v)) > 0);
	if (fd >= 0)
		close(fd);
}

static void freeze(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool done = fd >= 0 && !ioctl(fd, FIFREEZE, 0);

	if (done) {
		usleep(rnd(100000));
		while (ioctl(fd, FITHAW, 0) && errno != EINVAL)
			usleep(10000);
	}
	changed(done);
	close(fd);
	usleep(500000);
}

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ll + ts.tv_nsec / 1000;
}

void changer(const struct changer *c)
{
	bool loop = !strcmp(c->how, "dio") || !strcmp(c->how, "bs");
	int fd = loop ? open(c->path, O_RDWR | O_CLOEXEC) : -1;

	if (loop && fd < 0)
		fail("%s", c->path);
	while (!shared->over && !shared->failed) {
		long long begin = now_us(), took;

		if (!strcmp(c->how, "sysfs"))
			write_one_of(c->path, c->values);
		else if (!strcmp(c->how, "freeze"))
			freeze(c->path);
		else if (!strcmp(c->how, "dio"))
			changed(!ioctl(fd, LOOP_SET_DIRECT_IO, rnd(2)));
		else
			changed(!ioctl(fd, LOOP_SET_BLOCK_SIZE, 512 << rnd(4)));
		/* (Where changes take long, there is time left for I/O.) */
		took = now_us() - begin;
		usleep(rnd(200000) + (took < 250000 ? 4 * took : 999999));
	}
	_exit(0);
}
