// SPDX-License-Identifier: GPL-2.0
/*
 * atomic FILE POS LEN [dsync|MAPPED]: writes so much there with RWF_ATOMIC, past the page cache.
 * MAPPED is a file of which the page at POS is mapped meanwhile: it must see what is written.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include "rloop_util.h"

#ifndef RWF_ATOMIC
#define RWF_ATOMIC 0x40
#endif

int main(int argc, char **argv)
{
	int fd, mapped = -1, dsync;
	const char *page = NULL;
	struct iovec iov;
	long long pos;

	if (argc < 4)
		return 2;
	fd = open(argv[1], O_RDWR | O_DIRECT);
	pos = atoll(argv[2]);
	iov.iov_len = atoll(argv[3]);
	if (fd < 0 || posix_memalign(&iov.iov_base, 65536, iov.iov_len))
		return 2;
	pattern_fill(iov.iov_base, iov.iov_len, 9, pos);
	dsync = argc > 4 && !strcmp(argv[4], "dsync");
	if (argc > 4 && !dsync) {
		mapped = open(argv[4], O_RDONLY);
		page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, mapped, pos);
		/* It is there when it has been read. */
		if (page == MAP_FAILED || *page == *(char *)iov.iov_base)
			return 2;
	}
	if (pwritev2(fd, &iov, 1, pos, RWF_ATOMIC | (dsync ? RWF_DSYNC : 0)) !=
	    (ssize_t)iov.iov_len) {
		perror("pwritev2");
		return 1;
	}
	if (page && memcmp(page, iov.iov_base, 4096)) {
		fprintf(stderr, "the mapped page has not changed\n");
		return 1;
	}
	return 0;
}
