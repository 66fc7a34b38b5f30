// SPDX-License-Identifier: GPL-2.0
/*
 * logwrites LOG: what a log of writes in the format of dm-log-writes has, an entry in a
 * line: sector, sectors, and any of flush, fua, discard, mark, metadata; for a mark, its
 * text.
 *
 * logwrites LOG IMAGE SEED FIRST MARKS: cuts the power at an entry that is chosen by SEED and
 * comes after the FIRST flush: IMAGE gets all that was written before the last flush, and a
 * part of what was written after that: what a disk with a write cache may have kept. Says
 * which, and what was in each block from byte MARKS on in that moment.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>
#include "rloop_util.h"

#define MAGIC 0x6a736677736872ULL
#define FLUSH 1
#define FUA 2
#define DISCARD 4
#define MARK 8
#define METADATA 16

struct super {
	uint64_t magic, version, entries;
	uint32_t sector_size;
};

struct entry {
	uint64_t sector, sectors, flags, data_len;
};

static int logfd;
static struct super super;
static uint64_t random_state;

/* Where the entry at @pos has its data; @pos becomes the next one's. */
static off_t data_of(const struct entry *e, off_t *pos)
{
	off_t data = *pos + super.sector_size;

	*pos = data;
	if (!(e->flags & DISCARD))
		*pos += e->sectors * super.sector_size;
	return data;
}

static bool read_entry(struct entry *e, off_t pos)
{
	return pread(logfd, e, sizeof(*e), pos) == sizeof(*e);
}

static void show(void)
{
	off_t pos = super.sector_size;
	struct entry e;
	uint64_t i;

	for (i = 0; i < super.entries && read_entry(&e, pos); i++) {
		char text[256] = "";
		off_t header = pos;

		data_of(&e, &pos);
		if (e.flags & MARK)
			pread(logfd, text, e.data_len < 255 ? e.data_len : 255,
			      header + sizeof(e));
		printf("%llu %llu%s%s%s%s%s%s%s\n", (unsigned long long)e.sector,
		       (unsigned long long)e.sectors, e.flags & FLUSH ? " flush" : "",
		       e.flags & FUA ? " fua" : "", e.flags & DISCARD ? " discard" : "",
		       e.flags & METADATA ? " metadata" : "", e.flags & MARK ? " mark" : "",
		       *text ? " " : "", text);
	}
}

enum { MARK_SIZE = 4096, NR_MARKS = 8 };

static char marks[NR_MARKS][64];

static void note_mark(const struct entry *e, off_t data, uint64_t from)
{
	uint64_t at = e->sector * super.sector_size - from;

	if (!(e->flags & DISCARD) && e->sectors && e->sector * super.sector_size >= from &&
	    at < MARK_SIZE * NR_MARKS)
		pread(logfd, marks[at / MARK_SIZE], sizeof(marks[0]) - 1, data);
}

static uint64_t next_random(void)
{
	return pattern_word(random_state++, 1);
}

static void apply(int image, const struct entry *e, off_t data)
{
	static char buf[1 << 20];
	off_t to = e->sector * super.sector_size;
	uint64_t left = e->sectors * super.sector_size;

	while (left) {
		size_t n = left < sizeof(buf) ? left : sizeof(buf);

		if (e->flags & DISCARD)
			memset(buf, 0, n);
		else if (pread(logfd, buf, n, data) != (ssize_t)n)
			return; /* The log ends in the middle of it. */
		if (pwrite(image, buf, n, to) != (ssize_t)n) {
			perror("image");
			exit(2);
		}
		left -= n;
		to += n;
		data += n;
	}
}

/*
 * A cache may be written back in any order: of what no flush confirmed, each write is there
 * or not.
 */
static void cut_power(int image, uint64_t first, uint64_t from)
{
	uint64_t entries = 0, flushes = 0, begin = 0, end, last = 0, i, kept = 0, lost = 0;
	off_t pos = super.sector_size;
	struct entry e;

	/* (QEMU that was killed has not counted the last of them; none is empty.) */
	while (read_entry(&e, pos) && (e.sectors || e.flags)) {
		data_of(&e, &pos);
		entries++;
		flushes += e.flags & FLUSH ? 1 : 0;
		if (flushes <= first)
			begin = entries;
	}
	/* Not the last few: what was under way when QEMU was killed is not whole. */
	if (entries < begin + 256) {
		fprintf(stderr, "only %llu entries in the log\n",
			(unsigned long long)(entries - begin));
		exit(1);
	}
	end = begin + next_random() % (entries - begin - 64);
	pos = super.sector_size;
	for (i = 0; i <= end && read_entry(&e, pos); i++) {
		off_t data = data_of(&e, &pos);

		if (e.flags & FLUSH)
			last = i;
		note_mark(&e, data, from);
	}
	pos = super.sector_size;
	for (i = 0; i <= end && read_entry(&e, pos); i++) {
		off_t data = data_of(&e, &pos);

		/* A flush comes before the data of its own entry. */
		if (i < last || e.flags & FUA || next_random() % 2) {
			apply(image, &e, data);
			kept += i > last;
		} else {
			lost += e.sectors ? 1 : 0;
		}
	}
	printf("at entry %llu of %llu, the last flush is %llu: %llu later writes kept, %llu lost\n",
	       (unsigned long long)end, (unsigned long long)entries, (unsigned long long)last,
	       (unsigned long long)kept, (unsigned long long)lost);
	for (i = 0; i < NR_MARKS; i++)
		printf("%s", marks[i]);
}

int main(int argc, char **argv)
{
	char first[4096];
	int image;

	if (argc != 2 && argc != 6)
		return 2;
	logfd = open(argv[1], O_RDONLY);
	if (logfd < 0 || pread(logfd, first, sizeof(first), 0) != sizeof(first)) {
		perror(argv[1]);
		return 2;
	}
	memcpy(&super, first, sizeof(super));
	if (super.magic != MAGIC || !super.sector_size) {
		fprintf(stderr, "%s: no log of writes\n", argv[1]);
		return 2;
	}
	if (argc == 2) {
		show();
		return 0;
	}
	image = open(argv[2], O_RDWR);
	if (image < 0) {
		perror(argv[2]);
		return 2;
	}
	random_state = strtoull(argv[3], NULL, 0);
	cut_power(image, strtoull(argv[4], NULL, 0), strtoull(argv[5], NULL, 0));
	return fsync(image) || close(image) ? 2 : 0;
}
