// SPDX-License-Identifier: GPL-2.0
/* control add|remove NUMBER, control get-free: the control node for scripts. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <linux/rloop.h>
#include "rloop_util.h"

int main(int argc, char **argv)
{
	int fd = open(control_node(), O_RDWR);
	int ret = -1, nr = argc > 2 ? atoi(argv[2]) : -1;

	errno = EINVAL;
	if (fd < 0)
		perror("control node");
	else if (argc > 1 && !strcmp(argv[1], "add"))
		ret = ioctl(fd, LOOP_CTL_ADD, nr);
	else if (argc > 1 && !strcmp(argv[1], "remove"))
		ret = ioctl(fd, LOOP_CTL_REMOVE, nr);
	else if (argc > 1 && !strcmp(argv[1], "get-free"))
		ret = ioctl(fd, LOOP_CTL_GET_FREE);
	if (ret < 0) {
		perror("control");
		return 1;
	}
	printf("%d\n", ret);
	return 0;
}
