// SPDX-License-Identifier: GPL-2.0
/*
 * lo DEVICE offset BYTES: LOOP_SET_STATUS64 with that offset
 * lo DEVICE change FILE: LOOP_CHANGE_FD to FILE, read-only
 * lo DEVICE dio 0|1: LOOP_SET_DIRECT_IO
 * lo DEVICE flush: an empty flush, which nothing is written before
 * What losetup has no option for. Names the errno and ends with status 1 if it fails.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/rloop.h>
#include "rloop_util.h"

static int set_offset(int fd, unsigned long long offset)
{
	struct loop_info64 info;

	if (ioctl(fd, LOOP_GET_STATUS64, &info))
		return -1;
	info.lo_offset = offset;
	return ioctl(fd, LOOP_SET_STATUS64, &info);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "", *arg = argc > 3 ? argv[3] : "";
	int fd = argc > 2 ? open(argv[1], O_RDONLY) : -1, ret;

	if (fd < 0) {
		perror("lo");
		return 2;
	}
	if (!strcmp(what, "offset"))
		ret = set_offset(fd, strtoull(arg, NULL, 0));
	else if (!strcmp(what, "change"))
		ret = ioctl(fd, LOOP_CHANGE_FD, open(arg, O_RDONLY));
	else if (!strcmp(what, "dio"))
		ret = ioctl(fd, LOOP_SET_DIRECT_IO, strtoul(arg, NULL, 0));
	else if (!strcmp(what, "flush"))
		ret = fsync(fd);
	else
		return 2;
	if (ret)
		printf("%s: %s\n", what, strerrorname_np(errno));
	return ret ? 1 : 0;
}
