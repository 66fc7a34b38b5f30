// SPDX-License-Identifier: GPL-2.0
/*
 * fua DEVICE COUNT
 *
 * Writes COUNT times 64 KiB, forced-unit-access, pattern seed 2. Through AIO,
 * since after a synchronous write the kernel flushes the device in any case.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "rloop_util.h"

enum { BYTES = 65536 };

int main(int argc, char **argv)
{
	int fd = argc == 3 ? open(argv[1], O_WRONLY | O_DIRECT | O_DSYNC) : -1;
	char *buf = aligned_alloc(4096, BYTES);
	aio_context_t ctx = 0;
	struct io_event event;
	int i;

	if (fd < 0 || !buf || syscall(SYS_io_setup, 1, &ctx)) {
		perror("fua");
		return 2;
	}
	for (i = 0; i < atoi(argv[2]); i++) {
		struct iocb iocb = {
			.aio_fildes = fd,
			.aio_lio_opcode = IOCB_CMD_PWRITE,
			.aio_buf = (uintptr_t)buf,
			.aio_nbytes = BYTES,
			.aio_offset = (long long)i * BYTES,
		}, *list[] = { &iocb };

		pattern_fill(buf, BYTES, 2, (uint64_t)i * BYTES);
		if (syscall(SYS_io_submit, ctx, 1, list) != 1 ||
		    syscall(SYS_io_getevents, ctx, 1, 1, &event, NULL) != 1 ||
		    event.res != BYTES) {
			perror("fua: write");
			return 3;
		}
	}
	return 0;
}
