// SPDX-License-Identifier: GPL-2.0
/*
 * submit FILE read|write: one I/O of 4096 bytes at the start of FILE, past the page
 * cache. Says 'submitted' when the system call that submits it is back, and 'ended'
 * with the result when the I/O is, and the bytes that the process is charged with.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "rloop_util.h"

/* Bytes that this process has had read or written, as far as the kernel keeps account. */
static long long accounted(const char *key)
{
	FILE *f = fopen("/proc/self/io", "r");
	long long bytes = 0, n;
	char name[64];

	while (f && fscanf(f, "%63s %lld", name, &n) == 2)
		if (!strcmp(name, key))
			bytes = n;
	if (f)
		fclose(f);
	return bytes;
}

int main(int argc, char **argv)
{
	const char *key = argc > 2 && !strcmp(argv[2], "write") ? "write_bytes:" : "read_bytes:";
	long long before;
	struct iocb iocb = { .aio_nbytes = 4096 }, *iocbs[] = { &iocb };
	aio_context_t ring = 0;
	struct io_event event;
	void *buf;

	if (argc != 3 || posix_memalign(&buf, 4096, 4096))
		return 2;
	memset(buf, 0x5a, 4096);
	iocb.aio_fildes = open(argv[1], O_RDWR | O_DIRECT);
	iocb.aio_lio_opcode = strcmp(argv[2], "write") ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE;
	iocb.aio_buf = (uintptr_t)buf;
	before = accounted(key);
	if (syscall(SYS_io_setup, 1, &ring) || syscall(SYS_io_submit, ring, 1, iocbs) != 1) {
		perror("io_submit");
		return 1;
	}
	puts("submitted");
	fflush(stdout);
	if (syscall(SYS_io_getevents, ring, 1, 1, &event, NULL) != 1)
		return 1;
	printf("ended %lld accounted %lld\n", (long long)event.res, accounted(key) - before);
	return event.res != 4096;
}
