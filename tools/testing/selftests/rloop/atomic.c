// SPDX-License-Identifier: GPL-2.0
/* atomic FILE POS LEN [dsync]: writes so much there with RWF_ATOMIC, past the page cache. */
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>
#include "rloop_util.h"

#ifndef RWF_ATOMIC
#define RWF_ATOMIC 0x40
#endif

int main(int argc, char **argv)
{
	struct iovec iov;
	long long pos;
	int fd;

	if (argc < 4)
		return 2;
	fd = open(argv[1], O_RDWR | O_DIRECT);
	pos = atoll(argv[2]);
	iov.iov_len = atoll(argv[3]);
	if (fd < 0 || posix_memalign(&iov.iov_base, 65536, iov.iov_len))
		return 2;
	pattern_fill(iov.iov_base, iov.iov_len, 9, pos);
	if (pwritev2(fd, &iov, 1, pos, RWF_ATOMIC | (argc > 4 ? RWF_DSYNC : 0)) !=
	    (ssize_t)iov.iov_len) {
		perror("pwritev2");
		return 1;
	}
	return 0;
}
