// SPDX-License-Identifier: GPL-2.0
/*
 * pattern write|check|sparse FILE OFFSET LENGTH SEED [-d] [-s] [-b BYTES] [-p POS]
 *
 * Writes or checks LENGTH bytes at OFFSET; sparse: any of them may be zero. What is
 * written depends on the seed and on the distance from OFFSET, so that data in the wrong
 * place is noticed; seed 0 is zeroes. -d O_DIRECT, -s fsync at the end, -b block size, -p the
 * distance that OFFSET itself is taken for.
 *
 * Exit status 1: wrong data, 2: usage or set-up, 3: an I/O error, which it names
 * together with the number of bytes that were acknowledged before.
 */
#include <fcntl.h>
#include <unistd.h>
#include "rloop_util.h"

int main(int argc, char **argv)
{
	long long off, len, done = 0, pos = 0;
	int opt, fd, flags = 0, sync = 0, write_it, sparse, err = 0;
	size_t bs = 65536, i;
	char *buf, *want;
	uint64_t seed;

	while ((opt = getopt(argc, argv, "dsb:p:")) != -1) {
		switch (opt) {
		case 'd':
			flags |= O_DIRECT;
			break;
		case 's':
			sync = 1;
			break;
		case 'b':
			bs = strtoul(optarg, NULL, 0);
			break;
		case 'p':
			pos = strtoll(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	argv += optind;
	if (argc - optind != 5)
		return 2;
	write_it = !strcmp(argv[0], "write");
	sparse = !strcmp(argv[0], "sparse");
	off = strtoll(argv[2], NULL, 0);
	len = strtoll(argv[3], NULL, 0);
	seed = strtoull(argv[4], NULL, 0);
	fd = open(argv[1], flags | (write_it ? O_WRONLY : O_RDONLY));
	if (fd < 0) {
		perror(argv[1]);
		return 2;
	}
	buf = aligned_alloc(4096, bs);
	want = aligned_alloc(4096, bs);
	if (!buf || !want)
		return 2;

	while (done < len) {
		size_t n = len - done < (long long)bs ? (size_t)(len - done) : bs;
		ssize_t got;

		pattern_fill(want, n, seed, pos + done);
		if (write_it)
			got = pwrite(fd, want, n, off + done);
		else
			got = pread(fd, buf, n, off + done);
		if (got <= 0) {
			err = got ? errno : 0;
			printf("%lld bytes, then %s\n", done,
			       got ? strerrorname_np(err) : "EOF");
			return 3;
		}
		for (i = 0; sparse && i < (size_t)got; i++)
			want[i] = buf[i] ? want[i] : 0;
		if (!write_it && memcmp(buf, want, got)) {
			for (i = 0; buf[i] == want[i];)
				i++;
			printf("wrong data at byte %lld of %s: want %02x, got %02x\n",
			       off + done + (long long)i, argv[1],
			       (unsigned char)want[i], (unsigned char)buf[i]);
			return 1;
		}
		done += got;
	}
	if (sync && fsync(fd)) {
		printf("%lld bytes, fsync %s\n", done, strerrorname_np(errno));
		return 3;
	}
	if (close(fd)) {
		perror("close");
		return 3;
	}
	return 0;
}
