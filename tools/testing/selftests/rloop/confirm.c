// SPDX-License-Identifier: GPL-2.0
/*
 * confirm write KIND PATH DISK OFFSET: records are written one after the other, each begun
 * when the one before it is confirmed, until the power is cut. What is confirmed is
 * said in a block of DISK at OFFSET, past any cache: where the log of DISK has that block,
 * the record was confirmed by then.
 * confirm check KIND PATH CONFIRMED: all records up to that must be there, every byte, and
 * where any of a later one is found, all before it. Prints how many these were.
 *
 * KIND files: a file for each in directory PATH, then fsync of the file and the directory.
 *      sync:  slots of the file or device PATH, past the page cache, then fdatasync.
 *      cached: the same through the page cache.
 *      fua:   the same past the page cache, each write durable by itself (FUA).
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdalign.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "rloop_util.h"

enum { BLOCK = 4096, BLOCKS = 8, SLOTS = 256 };

struct head {
	uint64_t magic, record, block;
};

#define MAGIC 0x726c6f6f70637574ull

static alignas(BLOCK) char buf[BLOCK * BLOCKS];
static alignas(BLOCK) char want[BLOCK * BLOCKS];

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* Each block says whose it is. */
static size_t make(char *p, uint64_t record)
{
	size_t blocks = 1 + pattern_word(7, record) % BLOCKS, i;

	for (i = 0; i < blocks; i++) {
		struct head head = { MAGIC, record, i };

		pattern_fill(p + i * BLOCK, BLOCK, record + 1, i * BLOCK);
		memcpy(p + i * BLOCK, &head, sizeof(head));
	}
	return blocks * BLOCK;
}

static int disk;
static off_t disk_pos;

static void confirm(const char *kind, uint64_t record)
{
	static alignas(BLOCK) char mark[BLOCK];

	sprintf(mark, "confirmed %s %llu\n", kind, (unsigned long long)record);
	if (pwrite(disk, mark, BLOCK, disk_pos) != BLOCK)
		die("mark");
}

static void write_files(const char *dir)
{
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY), fd;
	uint64_t n;
	char name[32];

	for (n = 1;; n++) {
		ssize_t len = make(buf, n);

		sprintf(name, "%llu", (unsigned long long)n);
		fd = openat(dirfd, name, O_CREAT | O_WRONLY, 0644);
		if (fd < 0 || write(fd, buf, len) != len || fsync(fd) || close(fd) || fsync(dirfd))
			die(name);
		confirm("files", n);
	}
}

/* Durable without a flush: a synchronous write would be followed by one. */
static void write_fua(int fd, size_t len, off_t pos)
{
	static aio_context_t ctx;
	struct iocb iocb = {
		.aio_fildes = fd, .aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_buf = (uintptr_t)buf, .aio_nbytes = len, .aio_offset = pos,
	}, *list[] = { &iocb };
	struct io_event event;

	if ((!ctx && syscall(SYS_io_setup, 1, &ctx)) ||
	    syscall(SYS_io_submit, ctx, 1, list) != 1 ||
	    syscall(SYS_io_getevents, ctx, 1, 1, &event, NULL) != 1 ||
	    event.res != (long long)len)
		die("fua");
}

static void write_slots(const char *kind, const char *path)
{
	bool fua = !strcmp(kind, "fua");
	int fd = open(path, O_RDWR | (strcmp(kind, "cached") ? O_DIRECT : 0) | (fua ? O_DSYNC : 0));
	uint64_t n;

	if (fd < 0)
		die(path);
	for (n = 1;; n++) {
		ssize_t len = make(buf, n);
		off_t pos = n % SLOTS * sizeof(buf);

		if (fua)
			write_fua(fd, len, pos);
		else if (pwrite(fd, buf, len, pos) != len || fdatasync(fd))
			die(path);
		confirm(kind, n);
	}
}

static unsigned long long checked, lost;

static void judge(uint64_t record, ssize_t got)
{
	ssize_t len = make(want, record);

	checked++;
	if (got >= len && !memcmp(buf, want, len))
		return;
	if (lost++ < 4)
		printf("record %llu was confirmed, and is not there\n",
		       (unsigned long long)record);
}

static void check_files(const char *dir, uint64_t last)
{
	DIR *d = opendir(dir);
	uint64_t n;
	struct dirent *e;
	char path[512];

	if (!d)
		die(dir);
	while ((e = readdir(d)))
		if (strtoull(e->d_name, NULL, 10) > last)
			last = strtoull(e->d_name, NULL, 10);
	for (n = 1; n < last; n++) {
		ssize_t got = 0;
		int fd;

		sprintf(path, "%s/%llu", dir, (unsigned long long)n);
		fd = open(path, O_RDONLY);
		if (fd >= 0) {
			got = read(fd, buf, sizeof(buf));
			close(fd);
		}
		judge(n, got);
	}
}

static void check_slots(const char *path, uint64_t last)
{
	int fd = open(path, O_RDONLY), slot, i;
	uint64_t n;

	if (fd < 0)
		die(path);
	for (slot = 0; slot < SLOTS; slot++) {
		if (pread(fd, buf, sizeof(buf), slot * sizeof(buf)) != sizeof(buf))
			die(path);
		for (i = 0; i < BLOCKS; i++) {
			struct head head;

			memcpy(&head, buf + i * BLOCK, sizeof(head));
			if (head.magic == MAGIC && head.record > last)
				last = head.record;
		}
	}
	/* The slot of the record behind the last may be half of each. */
	for (n = last > SLOTS ? last - SLOTS + 2 : 1; n < last; n++) {
		ssize_t got = pread(fd, buf, sizeof(buf), n % SLOTS * sizeof(buf));

		judge(n, got);
	}
}

int main(int argc, char **argv)
{
	bool files, writes;
	uint64_t next;

	if (argc < 5)
		return 2;
	files = !strcmp(argv[2], "files");
	writes = !strcmp(argv[1], "write");
	if (argc != (writes ? 6 : 5))
		return 2;
	if (writes) {
		disk = open(argv[4], O_WRONLY | O_DIRECT);
		disk_pos = strtoull(argv[5], NULL, 0);
		if (disk < 0)
			die(argv[4]);
		if (files)
			write_files(argv[3]);
		write_slots(argv[2], argv[3]);
	}
	next = strtoull(argv[4], NULL, 0) + 1;
	if (files)
		check_files(argv[3], next);
	else
		check_slots(argv[3], next);
	printf("%s: %llu confirmed records, %llu lost\n", argv[2], checked, lost);
	return lost ? 1 : 0;
}
