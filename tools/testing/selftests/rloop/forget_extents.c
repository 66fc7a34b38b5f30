// SPDX-License-Identifier: GPL-2.0
/*
 * forget_extents FILE: ext4 looks up all extents of FILE anew. It forgets them under memory
 * pressure, too, but only when it likes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <linux/ext4.h>

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;

	if (fd < 0 || ioctl(fd, EXT4_IOC_CLEAR_ES_CACHE)) {
		perror("forget_extents");
		return 1;
	}
	return 0;
}
