/* SPDX-License-Identifier: GPL-2.0 */
/* Small things that the tests and their tools share. */
#ifndef RLOOP_UTIL_H
#define RLOOP_UTIL_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The eight bytes that belong at @index of the stream named by @seed. */
static inline uint64_t pattern_word(uint64_t seed, uint64_t index)
{
	uint64_t x = seed * 0xd1342543de82ef95ull + index * 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* Any start and length; seed 0 is zeroes. */
static inline void pattern_fill(void *buf, size_t len, uint64_t seed, uint64_t pos)
{
	unsigned char *p = buf;
	size_t i;

	if (!seed) {
		memset(buf, 0, len);
		return;
	}
	for (i = 0; i < len; i++) {
		uint64_t w = pattern_word(seed, (pos + i) / 8);

		if ((pos + i) % 8 == 0 && len - i >= 8) {
			memcpy(p + i, &w, 8);
			i += 7;
		} else {
			p[i] = w >> ((pos + i) % 8 * 8);
		}
	}
}

/* What the driver's disks are called: rloop's can be named by name=. */
static inline const char *prefix(void)
{
	const char *p = getenv("RLOOP_PREFIX");

	return p ? p : "loop";
}

static inline const char *control_node(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/dev/%s-control", prefix());
	return path;
}

/* One number from a file, -1 if it can't be read. */
static inline long long read_number(const char *path)
{
	long long n = -1;
	FILE *f = fopen(path, "r");

	if (f) {
		if (fscanf(f, "%lld", &n) != 1)
			n = -1;
		fclose(f);
	}
	return n;
}

#endif
