// SPDX-License-Identifier: GPL-2.0
/*
 * Shapes of requests: what is written through the device is where it belongs
 * in the backing, every byte of it, and the bytes beside it are untouched; and
 * the other way round. RLOOP_IMG is the backing, of at least 2 MiB; test_io.sh
 * puts it on each file system in turn, test_pin.sh has the device pinned.
 */
#include <linux/aio_abi.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#define NO_LOOP_FIXTURE
#include "rloop_device.h"

#define BEFORE	11	/* seed of what is there at first */
#define AFTER	12	/* seed of what a test writes */
#define AREA	(2 * MIB)

FIXTURE(io) {
	int ctl, nr, fd;	/* fd is O_DIRECT */
	int img;
	int unit;		/* logical block size */
	char name[32];
	char *want;		/* what the backing should hold, AREA bytes */
};

FIXTURE_VARIANT(io) {
	unsigned int flags;
	bool pin;
};

FIXTURE_VARIANT_ADD(io, buffered) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(io, direct) {
	.flags = LO_FLAGS_DIRECT_IO,
};

FIXTURE_VARIANT_ADD(io, pinned) {
	.pin = true,
};

static bool pin_device(const char *name)
{
	char path[64];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "/sys/block/%s/rloop/pin", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok = write(fd, "1", 1) == 1;
	close(fd);
	return ok;
}

static char *area(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

FIXTURE_SETUP(io)
{
	const char *img = getenv("RLOOP_IMG");
	char path[64];

	self->ctl = open(control_node(), O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->ctl, 0);
	self->nr = ioctl(self->ctl, LOOP_CTL_ADD, -1);
	ASSERT_GE(self->nr, 0);
	sprintf(self->name, "%s%d", prefix(), self->nr);
	sprintf(path, "/dev/%s", self->name);
	self->fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);

	ASSERT_NE(NULL, img);
	self->img = open(img, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->img, 0);
	self->want = area(AREA);
	pattern_fill(self->want, AREA, BEFORE, 0);
	ASSERT_EQ(AREA, pwrite(self->img, self->want, AREA, 0));
	ASSERT_EQ(0, fsync(self->img));

	ASSERT_EQ(0, configure(self->fd, self->img, variant->flags));
	ASSERT_EQ(variant->flags, status_of(self->fd).lo_flags);
	self->unit = block_size_of(self->fd);
	if (variant->pin)
		ASSERT_TRUE(pin_device(self->name));
}

FIXTURE_TEARDOWN(io)
{
	ioctl(self->fd, LOOP_CLR_FD);
	close(self->fd);
	EXPECT_EQ(0, remove_device(self->ctl, self->nr));
}

/* The first byte of the backing that differs from @want, -1 if none does. */
static long long mismatch(int img, const char *want)
{
	static char got[65536];
	long long pos;
	size_t i;

	for (pos = 0; pos < AREA; pos += sizeof(got)) {
		if (pread(img, got, sizeof(got), pos) != sizeof(got))
			return pos;
		if (!memcmp(want + pos, got, sizeof(got)))
			continue;
		for (i = 0; want[pos + i] == got[i]; i++)
			;
		return pos + i;
	}
	return -1;
}

#define EXPECT_BACKING(self)	EXPECT_EQ(-1, mismatch((self)->img, (self)->want))

/* Marks [pos, pos + len) as written, and gives the bytes to write. */
static char *expect_written(char *want, long long pos, size_t len)
{
	pattern_fill(want + pos, len, AFTER, pos);
	return want + pos;
}

/* From one block to more than a request can take. */
TEST_F(io, writes_of_odd_sizes)
{
	const size_t blocks[] = { 1, 2, 3, 7, 9, 15, 17, 63, 65, 127, 129, 255, 257, 2559 };
	char *buf = area(AREA);
	long long pos = self->unit;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		size_t len = blocks[i] * self->unit;

		/* With large blocks not all of them fit. */
		if (pos + (long long)len > AREA)
			break;
		memcpy(buf, expect_written(self->want, pos, len), len);
		ASSERT_EQ(len, pwrite(self->fd, buf, len, pos));
		/* A block that no write touches in between. */
		pos += len + self->unit;
	}
	EXPECT_BACKING(self);
}

TEST_F(io, reads_of_odd_sizes)
{
	const size_t blocks[] = { 1, 2, 3, 7, 9, 17, 65, 129, 257, 2561 };
	char *buf = area(AREA);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		size_t len = blocks[i] * self->unit;
		long long pos = (i * 3 + 1) * self->unit;

		if (pos + (long long)len > AREA)
			break;
		memset(buf, 0xee, len);
		ASSERT_EQ(len, pread(self->fd, buf, len, pos));
		EXPECT_EQ(0, memcmp(self->want + pos, buf, len));
	}
}

/* One request of several MiB, which the block layer has to split. */
TEST_F(io, a_write_larger_than_any_request)
{
	size_t len = 3 * MIB / 2 + self->unit;
	char *buf = area(len);

	memcpy(buf, expect_written(self->want, 65536, len), len);
	ASSERT_EQ(len, pwrite(self->fd, buf, len, 65536));
	EXPECT_BACKING(self);
	memset(buf, 0xee, len);
	ASSERT_EQ(len, pread(self->fd, buf, len, 65536));
	EXPECT_EQ(0, memcmp(self->want + 65536, buf, len));
}

/* Memory that begins inside a page, as far as the device allows. */
TEST_F(io, memory_that_is_not_aligned_to_pages)
{
	char *buf = area(MIB + 4096);
	size_t len = 65536 + self->unit;
	long long pos = 0;
	int shift;

	for (shift = 512; shift < 4096; shift += 512, pos += 2 * len) {
		memcpy(buf + shift, expect_written(self->want, pos, len), len);
		if (pwrite(self->fd, buf + shift, len, pos) < 0 && errno == EINVAL)
			SKIP(return, "the device wants aligned memory");
		memset(buf + shift, 0xee, len);
		ASSERT_EQ(len, pread(self->fd, buf + shift, len, pos));
		EXPECT_EQ(0, memcmp(self->want + pos, buf + shift, len));
	}
	EXPECT_BACKING(self);
}

/* Scattered pieces of different length in one call; the last is the shortest. */
TEST_F(io, vectors_of_scattered_pieces)
{
	enum { PIECES = 33 };
	struct iovec iov[PIECES];
	char *buf = area(PIECES * 16384);
	size_t len = 0;
	int i;

	for (i = 0; i < PIECES; i++) {
		/* From the end of the memory to its beginning. */
		iov[i].iov_base = buf + (PIECES - 1 - i) * 16384;
		iov[i].iov_len = (size_t)self->unit * (i == PIECES - 1 ? 1 : 1 + i % 3);
		memcpy(iov[i].iov_base,
		       expect_written(self->want, self->unit + len, iov[i].iov_len),
		       iov[i].iov_len);
		len += iov[i].iov_len;
	}
	ASSERT_EQ(len, pwritev(self->fd, iov, PIECES, self->unit));
	EXPECT_BACKING(self);

	for (i = 0; i < PIECES; i++)
		memset(iov[i].iov_base, 0xee, iov[i].iov_len);
	ASSERT_EQ(len, preadv(self->fd, iov, PIECES, self->unit));
	for (i = 0, len = 0; i < PIECES; i++) {
		EXPECT_EQ(0, memcmp(self->want + self->unit + len, iov[i].iov_base,
				    iov[i].iov_len));
		len += iov[i].iov_len;
	}
}

/* rloop leaves that to a block device below, unless it is asked. */
static void let_merge(const char *name)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/block/%s/queue/nomerges", name);
	f = fopen(path, "w");
	if (f) {
		fputs("0", f);
		fclose(f);
	}
}

static long long merges(const char *name, int field)
{
	char path[64], line[512] = "";
	long long v[8] = { 0 };
	FILE *f;

	snprintf(path, sizeof(path), "/sys/block/%s/stat", name);
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f))
		sscanf(line, "%lld %lld %lld %lld %lld %lld", &v[0], &v[1], &v[2], &v[3],
		       &v[4], &v[5]);
	if (f)
		fclose(f);
	return v[field];
}

#define READ_MERGES	1
#define WRITE_MERGES	5

enum { BATCH = 48 };

/* Neighbours submitted at once, each from a page of its own. */
static int submit_batch(int fd, int opcode, char *buf, long long pos,
			size_t len, bool backwards)
{
	struct iocb iocbs[BATCH], *list[BATCH];
	struct io_event events[BATCH];
	aio_context_t ctx = 0;
	int i, good = 0;

	if (syscall(SYS_io_setup, BATCH, &ctx))
		return -errno;
	memset(iocbs, 0, sizeof(iocbs));
	for (i = 0; i < BATCH; i++) {
		int k = backwards ? BATCH - 1 - i : i;

		iocbs[i].aio_fildes = fd;
		iocbs[i].aio_lio_opcode = opcode;
		iocbs[i].aio_buf = (uintptr_t)(buf + (BATCH - 1 - k) * 2 * len);
		iocbs[i].aio_nbytes = len;
		iocbs[i].aio_offset = pos + k * len;
		list[i] = &iocbs[i];
	}
	if (syscall(SYS_io_submit, ctx, BATCH, list) != BATCH)
		return -EAGAIN;
	if (syscall(SYS_io_getevents, ctx, BATCH, BATCH, events, NULL) != BATCH)
		return -EIO;
	for (i = 0; i < BATCH; i++)
		good += events[i].res == (long long)len;
	syscall(SYS_io_destroy, ctx);
	return good;
}

#define TRY_BATCH(...) ({ \
	int __good = submit_batch(__VA_ARGS__); \
	if (__good == -ENOSYS) \
		SKIP(return, "no AIO in this kernel"); \
	__good; \
})

#define MERGED_WRITES(bytes, backwards) do { \
	size_t len = bytes; \
	char *buf = area(BATCH * 2 * len); \
	long long before = merges(self->name, WRITE_MERGES); \
	int i; \
	let_merge(self->name); \
	for (i = 0; i < BATCH; i++) \
		memcpy(buf + (BATCH - 1 - i) * 2 * len, \
		       expect_written(self->want, MIB + i * len, len), len); \
	ASSERT_EQ(BATCH, TRY_BATCH(self->fd, IOCB_CMD_PWRITE, buf, MIB, len, backwards)); \
	/* Else this says nothing about requests of several bios. */ \
	EXPECT_GT(merges(self->name, WRITE_MERGES), before); \
	EXPECT_BACKING(self); \
} while (0)

TEST_F(io, merged_writes_of_one_block)
{
	MERGED_WRITES(self->unit, false);
}

TEST_F(io, merged_writes_of_three_blocks)
{
	MERGED_WRITES(3 * self->unit, false);
}

TEST_F(io, writes_merged_at_the_front)
{
	MERGED_WRITES(self->unit, true);
}

TEST_F(io, merged_reads)
{
	size_t len = self->unit;
	char *buf = area(BATCH * 2 * len);
	long long before = merges(self->name, READ_MERGES);
	int i;

	let_merge(self->name);
	memset(buf, 0xee, BATCH * 2 * len);
	ASSERT_EQ(BATCH, TRY_BATCH(self->fd, IOCB_CMD_PREAD, buf, MIB, len, false));
	EXPECT_GT(merges(self->name, READ_MERGES), before);
	for (i = 0; i < BATCH; i++)
		EXPECT_EQ(0, memcmp(self->want + MIB + i * len,
				    buf + (BATCH - 1 - i) * 2 * len, len));
}

/* Through the cache of the device, in pieces that are no blocks. */
TEST_F(io, cached_writes_of_odd_bytes)
{
	char path[64];
	long long pos;
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", self->name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	for (pos = 5; pos < MIB; pos += 7919)
		ASSERT_EQ(1237, pwrite(fd, expect_written(self->want, pos, 1237), 1237, pos));
	EXPECT_EQ(0, fsync(fd));
	close(fd);
	EXPECT_BACKING(self);
}

TEST_HARNESS_MAIN
