// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz SEED [STEPS]: a random walk over what can be done with a device, the same for
 * the same seed. With RLOOP_TRACE each step leaves what it answered, so that the
 * walks of two drivers can be compared: compare.sh does that.
 */
#include <pthread.h>
#define NO_LOOP_FIXTURE
#include "rloop_device.h"
#include "rloop_mbr.h"

enum { FILES = 4, BUF = 64 * 1024 };

static int ctl, nr, dev = -1, second = -1, files[FILES], odd[3];
static char path[64];
static uint64_t rng;

static unsigned int rnd(unsigned int n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (rng >> 11) % n;
}

static uint64_t hash(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = 0xcbf29ce484222325ull;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

/* Mostly files that are good, now and then something that is none. */
static int some_file(void)
{
	if (rnd(10))
		return files[rnd(FILES)];
	return rnd(2) ? odd[rnd(3)] : 900 + (int)rnd(3);
}

static unsigned long long some_offset(void)
{
	static const unsigned long long offsets[] = {
		0, 0, 0, 0, 512, 4096, 1048576, 100, 513, 1536, 65536, 3 * 1048576ull,
		1ull << 40, 0x7fffffffffffffffull, 0x8000000000000000ull, ~0ull,
	};

	return offsets[rnd(16)];
}

static unsigned long some_block_size(void)
{
	static const unsigned long sizes[] = {
		0, 512, 512, 1024, 2048, 4096, 4096, 511, 513, 3072, 1, 1ul << 20, 1ul << 31,
	};

	return sizes[rnd(13)];
}

static void some_info(struct loop_info64 *info)
{
	memset(info, 0, sizeof(*info));
	info->lo_offset = some_offset();
	info->lo_sizelimit = rnd(2) ? 0 : some_offset();
	/* Autoclear only where the next step knows that it may be gone. */
	info->lo_flags = (rnd(3) ? 0 : LO_FLAGS_PARTSCAN) | (rnd(4) ? 0 : LO_FLAGS_READ_ONLY) |
			 (rnd(3) ? 0 : LO_FLAGS_DIRECT_IO);
	if (!rnd(20))
		info->lo_flags |= 1u << rnd(32);
	info->lo_flags &= ~LO_FLAGS_AUTOCLEAR;
	if (!rnd(20))
		info->lo_encrypt_type = rnd(22);
	if (!rnd(20))
		info->lo_encrypt_key_size = rnd(70);
	snprintf((char *)info->lo_file_name, LO_NAME_SIZE, "name%u", rnd(1000));
}

static void reopen(void)
{
	int i;

	for (i = 0; i < 200; i++) {
		dev = open(path, O_RDWR | O_CLOEXEC);
		/* Of a read-only disk. */
		if (dev < 0 && (errno == EACCES || errno == EROFS))
			dev = open(path, O_RDONLY | O_CLOEXEC);
		if (dev >= 0)
			return;
		usleep(20000);
	}
	perror(path);
	exit(2);
}

static void close_second(void)
{
	if (second >= 0)
		close(second);
	second = -1;
}

static void step_configure(void)
{
	struct loop_config config;

	memset(&config, 0, sizeof(config));
	some_info(&config.info);
	config.fd = some_file();
	/* A size that is refused leaves parts of the configuration behind in the C driver. */
	config.block_size = rnd(4) ? 0 : 512u << rnd(4);
	IOCTL(dev, LOOP_CONFIGURE, &config);
}

static void step_clear(void)
{
	IOCTL(dev, LOOP_CLR_FD, 0);
	close_second();
	close(dev);
	reopen();
}

static void step_set_status(void)
{
	struct loop_info64 info;

	some_info(&info);
	IOCTL(dev, LOOP_SET_STATUS64, &info);
}

static void step_set_status_old(void)
{
	struct loop_info old = { 0 };

	old.lo_offset = (int)some_offset();
	old.lo_flags = rnd(2) ? LO_FLAGS_PARTSCAN : 0;
	IOCTL(dev, LOOP_SET_STATUS, &old);
}

static void step_get_status(void)
{
	struct loop_info64 info;
	struct loop_info old;

	if (!IOCTL(dev, LOOP_GET_STATUS, &old))
		trace("    old: offset %d flags %#x name '%.64s'", old.lo_offset, old.lo_flags,
		      old.lo_name);
	IOCTL(dev, LOOP_GET_STATUS64, &info);
	/* To where nothing is. */
	IOCTL(dev, LOOP_GET_STATUS64, (void *)(~0ul - 4096 * rnd(2)));
}

/*
 * Of a file that ends within a sector of the disk, the C driver returns bytes of the
 * wrong place: it goes on after a short read at the beginning of that sector. So the
 * disk does not reach that far.
 */
static void leave_half_sectors(void)
{
	struct loop_info64 info;
	struct stat st;
	int i;

	if (ioctl(dev, LOOP_GET_STATUS64, &info))
		return;
	for (i = 0; i < FILES; i++)
		if (!fstat(files[i], &st) && st.st_ino == info.lo_inode &&
		    (st.st_size - info.lo_offset) % 512)
			ioctl(dev, LOOP_SET_CAPACITY, 0);
}

static void step_truncate(void)
{
	int f = rnd(FILES);
	long long size = (long long[]){ 0, 511, 4096, MIB, 4 * MIB, 4 * MIB + 513 }[rnd(6)];

	trace("truncate %d to %lld: %d", f, size, ftruncate(files[f], size));
	if (rnd(2))
		IOCTL(dev, LOOP_SET_CAPACITY, 0);
	leave_half_sectors();
}

/* Through the page cache of the disk, down to the file, and what it holds then. */
static void step_write(void)
{
	static char buf[BUF];
	unsigned long long size = device_bytes(dev);
	size_t len = 1 + rnd(BUF);
	long long pos;
	ssize_t ret;

	/* What an unbound disk makes of a flush or a discard depends on what it had before. */
	if (!size)
		return;
	pos = rnd(size > 8 * MIB ? 8 * MIB : size);
	pattern_fill(buf, len, rnd(1000) + 1, pos);
	ret = pwrite(dev, buf, len, pos);
	trace("write %zu at %lld: %zd %s", len, pos, ret, ret < 0 ? strerror(errno) : "");
	ret = fsync(dev);
	trace("fsync: %s", ret ? strerror(errno) : "0");
}

static void step_read(void)
{
	static char buf[BUF];
	unsigned long long size = device_bytes(dev);
	long long pos = size ? rnd(size > 8 * MIB ? 8 * MIB : size) : 0;
	size_t len = 1 + rnd(BUF);
	ssize_t ret;

	if (rnd(2))
		IOCTL(dev, BLKFLSBUF, 0);
	ret = pread(dev, buf, len, pos);
	trace("read %zu at %lld: %zd %s %#llx", len, pos, ret, ret < 0 ? strerror(errno) : "",
	      ret > 0 ? (unsigned long long)hash(buf, ret) : 0);
}

static void step_range(unsigned long cmd)
{
	uint64_t range[2];
	unsigned long long size = device_bytes(dev);

	if (!size)
		return;
	range[0] = rnd(size / 512 + 1) * 512ull;
	range[1] = (1 + rnd(256)) * 512ull;
	if (!rnd(8))
		range[0] += 1;
	IOCTL(dev, cmd, range);
}

static void step_files(void)
{
	static char buf[BUF];
	int f = rnd(FILES);
	uint64_t h = 0;
	ssize_t n;
	long long pos;

	for (pos = 0; (n = pread(files[f], buf, BUF, pos)) > 0; pos += n)
		h = h * 31 + hash(buf, n);
	trace("file %d: %lld bytes %#llx", f, pos, (unsigned long long)h);
}

static void step_table(void)
{
	int table = partitioned_file(4 * MIB);
	char sector[512];

	if (pread(table, sector, 512, 0) == 512)
		trace("table: %zd", pwrite(files[rnd(FILES)], sector, 512, 0));
	close(table);
	leave_half_sectors();
	IOCTL(dev, BLKRRPART, 0);
}

static void step_second(void)
{
	static const int flags[] = { O_RDONLY, O_RDWR, O_RDONLY | O_EXCL, O_WRONLY };

	if (second >= 0) {
		close_second();
		trace("second closed");
		return;
	}
	second = open(path, flags[rnd(4)] | O_CLOEXEC);
	trace("second: %s", second < 0 ? strerror(errno) : "open");
}

static void step_wild(void)
{
	unsigned long cmd = rnd(2) ? 0x4c00 + rnd(256) : rnd(65536);

	/* Not those that sleep, or that others answer with what is different each time. */
	if ((cmd >> 8) != 0x4c || cmd == LOOP_CLR_FD || cmd == LOOP_CONFIGURE)
		cmd = 0x4cf0;
	IOCTL(second >= 0 && rnd(2) ? second : dev, cmd, rnd(3) ? rnd(5) : ~0ul);
}

struct half {
	unsigned int seed;
	long long from;
};

static void *write_half(void *arg)
{
	struct half *h = arg;
	char buf[4096];
	int i;

	for (i = 0; i < 20; i++) {
		pattern_fill(buf, sizeof(buf), h->seed + i + 1, i);
		if (pwrite(dev, buf, sizeof(buf), h->from + (i * 7 % 16) * 4096) < 0)
			break;
	}
	return NULL;
}

/* Each in an area of its own, so that what comes of it is known. */
static void step_threads(void)
{
	struct half a = { rnd(1000), 0 }, b = { rnd(1000), 65536 };
	static char buf[2 * BUF];
	pthread_t tid;
	ssize_t n;

	if (pthread_create(&tid, NULL, write_half, &a))
		return;
	write_half(&b);
	pthread_join(tid, NULL);
	fsync(dev);
	ioctl(dev, BLKFLSBUF, 0);
	n = pread(dev, buf, sizeof(buf), 0);
	trace("threads: %zd %#llx", n, n > 0 ? (unsigned long long)hash(buf, n) : 0);
}

static void step(void)
{
	switch (rnd(26)) {
	case 0: case 1: case 2: return step_configure();
	case 3: return (void)IOCTL(dev, LOOP_SET_FD, some_file());
	case 4: return step_clear();
	case 5: return (void)IOCTL(dev, LOOP_CHANGE_FD, some_file());
	case 6: case 7: return step_set_status();
	case 8: return step_set_status_old();
	case 9: case 10: return step_get_status();
	case 11: return step_truncate();
	case 12: case 13: case 14: return step_write();
	case 15: case 16: return step_read();
	case 17: return step_range(BLKDISCARD);
	case 18: return step_range(BLKZEROOUT);
	case 19: return step_files();
	case 20: return step_table();
	case 21: return step_second();
	case 22: return step_wild();
	case 23: return step_threads();
	case 24: return (void)IOCTL(dev, LOOP_SET_DIRECT_IO, rnd(2));
	case 25: return (void)IOCTL(dev, LOOP_SET_BLOCK_SIZE, some_block_size());
	}
}

int main(int argc, char **argv)
{
	int i, steps = argc > 2 ? atoi(argv[2]) : 500;
	int pipes[2];

	if (argc < 2)
		return 2;
	rng = strtoull(argv[1], NULL, 0) * 0x9e3779b97f4a7c15ull + 1;
	ctl = open(control_node(), O_RDWR | O_CLOEXEC);
	nr = ctl < 0 ? -1 : ioctl(ctl, LOOP_CTL_ADD, -1);
	if (nr < 0) {
		perror(control_node());
		return 2;
	}
	snprintf(path, sizeof(path), "/dev/%s%d", prefix(), nr);
	reopen();
	for (i = 0; i < FILES; i++)
		files[i] = i == 1 ? partitioned_file(4 * MIB) : backing_file((i + 2) * MIB);
	odd[0] = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	odd[1] = pipe(pipes) ? -1 : pipes[0];
	odd[2] = open("/dev/zero", O_RDWR | O_CLOEXEC);
	/* They are what is left of the file before, or not: see differences. */
	trace_unbound = false;
	for (i = 0; i < steps; i++) {
		trace("step %d", i);
		step();
	}
	step_clear();
	close(dev);
	return remove_device(ctl, nr) ? 1 : 0;
}
