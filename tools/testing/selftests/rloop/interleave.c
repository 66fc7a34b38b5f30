// SPDX-License-Identifier: GPL-2.0
/*
 * interleave DEVICE BLOCKS THREADS [OPS]
 *
 * Writes BLOCKS blocks of 4096 bytes from several threads at once, past the
 * page cache of the device: half of the threads whole even blocks, the others
 * single sectors of odd ones. Each thread has blocks of its own, and reads back
 * what it wrote, in other sizes too. So nothing may ever be seen that is not the
 * last that was written there, although neighbours are written differently.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include "rloop_util.h"

enum { BLOCK = 4096, SECTOR = 512, SECTORS = BLOCK / SECTOR };

static int fd, threads, ops = 400;
static long blocks;
static uint32_t (*version)[SECTORS];
static atomic_int bad;

static uint64_t word(long block, int sector, int i, uint32_t ver)
{
	return ((uint64_t)ver << 32 | (uint32_t)(block * SECTORS + sector)) + i;
}

static void fill(char *buf, long block, int sector, uint32_t ver)
{
	uint64_t *w = (uint64_t *)buf;
	int i;

	for (i = 0; i < SECTOR / 8; i++)
		w[i] = word(block, sector, i, ver);
}

static void check(const char *buf, long block, int sector, const char *how)
{
	uint64_t want[SECTOR / 8];

	fill((char *)want, block, sector, version[block][sector]);
	if (!memcmp(buf, want, SECTOR))
		return;
	if (!atomic_fetch_add(&bad, 1))
		fprintf(stderr, "block %ld sector %d: version %u, not %u (%s)\n", block, sector,
			(unsigned int)(*(uint64_t *)buf >> 32), version[block][sector], how);
}

static void io(int write, char *buf, long block, int sector, size_t len)
{
	off_t pos = (off_t)block * BLOCK + sector * SECTOR;
	ssize_t ret = write ? pwrite(fd, buf, len, pos) : pread(fd, buf, len, pos);

	if (ret != (ssize_t)len && !atomic_fetch_add(&bad, 1))
		fprintf(stderr, "%s of %zu at %lld: %zd, %m\n", write ? "write" : "read", len,
			(long long)pos, ret);
}

static void *run(void *arg)
{
	long me = (long)arg, nr;
	unsigned int seed = me + 1;
	int whole = me % 2 == 0, s, i;
	char *buf = aligned_alloc(BLOCK, BLOCK);
	long mine = blocks / threads;

	for (i = 0; i < ops && !bad; i++) {
		/* Blocks of one parity, which no other thread has. */
		nr = (rand_r(&seed) % mine) * threads + me;
		if (whole) {
			version[nr][0]++;
			for (s = 0; s < SECTORS; s++) {
				version[nr][s] = version[nr][0];
				fill(buf + s * SECTOR, nr, s, version[nr][s]);
			}
			io(1, buf, nr, 0, BLOCK);
		} else {
			s = rand_r(&seed) % SECTORS;
			version[nr][s]++;
			fill(buf, nr, s, version[nr][s]);
			io(1, buf, nr, s, SECTOR);
		}
		if (rand_r(&seed) % 2) {
			io(0, buf, nr, 0, BLOCK);
			for (s = 0; s < SECTORS; s++)
				check(buf + s * SECTOR, nr, s, "whole");
		} else {
			s = rand_r(&seed) % SECTORS;
			io(0, buf, nr, s, SECTOR);
			check(buf, nr, s, "sector");
		}
	}
	free(buf);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t tid[64];
	char *buf = aligned_alloc(BLOCK, BLOCK);
	long i, nr;
	int s;

	if (argc < 4)
		return 2;
	fd = open(argv[1], O_RDWR | O_DIRECT);
	blocks = atol(argv[2]);
	threads = atoi(argv[3]);
	if (argc > 4)
		ops = atoi(argv[4]);
	if (fd < 0 || threads < 2 || threads > 64 || threads % 2 || blocks < threads)
		return 2;
	version = calloc(blocks, sizeof(*version));
	for (nr = 0; nr < blocks; nr++) {
		for (s = 0; s < SECTORS; s++)
			fill(buf + s * SECTOR, nr, s, 0);
		io(1, buf, nr, 0, BLOCK);
	}
	for (i = 0; i < threads; i++)
		pthread_create(&tid[i], NULL, run, (void *)i);
	for (i = 0; i < threads; i++)
		pthread_join(tid[i], NULL);
	for (nr = 0; nr < blocks; nr++) {
		io(0, buf, nr, 0, BLOCK);
		for (s = 0; s < SECTORS; s++)
			check(buf + s * SECTOR, nr, s, "in the end");
	}
	return bad ? 1 : 0;
}
