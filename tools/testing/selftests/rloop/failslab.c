// SPDX-License-Identifier: GPL-2.0
/*
 * failslab calls STEP | failslab load MODULE PARAMETERS STEP: each call is made again and
 * again, and its 1st, 2nd, ... allocation fails, or one in STEP of them, until it gets by
 * without another one. A call that fails must leave the device as it was; one that succeeds
 * must have done all of it. Prints the number of allocations of each call, and the errors
 * that it gave.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <linux/fs.h>
#include <linux/rloop.h>
#include "rloop_util.h"

#define FILE_SIZE (1024 * 1024LL)
#define IO_SIZE 65536

static int ctl = -1, dev = -1, nr = -1, file = -1, other = -1;
static char tmp[128], node[192], sys[96], name[64];
static int failures;

#define FAIL(fmt, ...) do { \
	printf("FAIL %s: " fmt "\n", name, ##__VA_ARGS__); \
	failures++; \
} while (0)

/* 0 or more, or the negative errno. */
static int result(int ret)
{
	return ret < 0 ? -errno : ret;
}

/* ---- the switch of the fault injection, which counts the allocations of this task */
static int switch_fd = -1;

static void arm(int nth)
{
	char text[16];
	int n = sprintf(text, "%d", nth);

	if (pwrite(switch_fd, text, n, 0) != n) {
		perror("fail-nth");
		exit(2);
	}
}

/* Whether an allocation has failed since arm(). */
static bool disarm(void)
{
	char text[16] = "";
	bool fired;

	if (pread(switch_fd, text, sizeof(text) - 1, 0) < 1) {
		perror("fail-nth");
		exit(2);
	}
	fired = atoi(text) == 0;
	arm(0);
	return fired;
}

/* ---- the device */
static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static int disks(void)
{
	char path[64];
	int i, n = 0;

	for (i = 0; i < 256; i++) {
		sprintf(path, "/sys/block/%s%d", prefix(), i);
		n += exists(path);
	}
	return n;
}

static int remove_nr(int n)
{
	int i, ret = -EBUSY;

	for (i = 0; i < 200 && ret == -EBUSY; i++) {
		if (i)
			usleep(10000);
		ret = result(ioctl(ctl, LOOP_CTL_REMOVE, n));
	}
	return ret;
}

/* The device's node is ours: what devtmpfs can't allocate is not the driver's business. */
static void made(int n)
{
	unsigned int major = 0, minor = 0;
	char path[128];
	FILE *f;

	nr = n;
	sprintf(sys, "/sys/block/%s%d", prefix(), nr);
	sprintf(path, "%s/dev", sys);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%u:%u", &major, &minor) != 2)
		FAIL("no %s", path);
	if (f)
		fclose(f);
	sprintf(node, "%s/node%d", tmp, nr);
	unlink(node);
	if (mknod(node, S_IFBLK | 0600, makedev(major, minor)))
		FAIL("mknod: %s", strerror(errno));
}

static int new_file(int flags)
{
	char path[192], buf[IO_SIZE];
	int fd, i;

	snprintf(path, sizeof(path), "%s/img.XXXXXX", tmp);
	fd = mkstemp(path);
	for (i = 0; i < FILE_SIZE / IO_SIZE; i++) {
		pattern_fill(buf, IO_SIZE, 1, (uint64_t)i * IO_SIZE);
		if (pwrite(fd, buf, IO_SIZE, (off_t)i * IO_SIZE) != IO_SIZE)
			FAIL("a file of %lld bytes: %s", FILE_SIZE, strerror(errno));
	}
	fsync(fd);
	if (flags != O_RDWR) {
		close(fd);
		fd = open(path, flags);
	}
	unlink(path);
	return fd;
}

static unsigned long long device_bytes(void)
{
	unsigned long long bytes = 0;

	ioctl(dev, BLKGETSIZE64, &bytes);
	return bytes;
}

static bool bound(void)
{
	struct loop_info64 info;

	return ioctl(dev, LOOP_GET_STATUS64, &info) == 0;
}

static unsigned int flags;

static int bind_file(int fd)
{
	struct loop_config config = { .fd = fd, .info.lo_flags = flags };

	return result(ioctl(dev, LOOP_CONFIGURE, &config));
}

/* ---- states in which calls are made */
static void have_device(void)
{
	int n;

	if (nr >= 0)
		return;
	n = ioctl(ctl, LOOP_CTL_ADD, -1);
	if (n < 0) {
		FAIL("no device for it: %s", strerror(errno));
		exit(1);
	}
	made(n);
}

static void have_open(void)
{
	have_device();
	if (dev < 0)
		dev = open(node, O_RDWR | O_CLOEXEC);
}

static void let_go(void)
{
	int i;

	if (dev >= 0) {
		ioctl(dev, LOOP_CLR_FD);
		close(dev);
		dev = -1;
	}
	for (i = 0; nr >= 0 && i < 500; i++) {
		char path[128];

		sprintf(path, "%s/loop", sys);
		if (!exists(path))
			return;
		usleep(10000);
	}
}

static void have_unbound(void)
{
	have_open();
	if (bound()) {
		let_go();
		have_open();
	}
}

static void have_bound(void)
{
	int ret;

	have_open();
	if (bound())
		return;
	ret = bind_file(file);
	if (ret)
		FAIL("not bound before: %d", ret);
}

/* In its own state: nothing of the calls before is left. */
static void have_fresh(void)
{
	have_unbound();
	have_bound();
}

static void have_none(void)
{
	let_go();
	if (nr >= 0 && remove_nr(nr))
		FAIL("can't be removed");
	unlink(node);
	nr = -1;
}

static void have_closed(void)
{
	let_go();
	have_device();
}

/* ---- the calls, and what must be true after them */
static int count_before;

static void before_add(void)
{
	have_none();
	count_before = disks();
}

static int call_add(void)
{
	return result(ioctl(ctl, LOOP_CTL_ADD, -1));
}

static void after_add(int ret)
{
	if (ret >= 0)
		made(ret);
	else if (disks() != count_before)
		FAIL("%d disks, %d before", disks(), count_before);
}

static int call_get_free(void)
{
	return result(ioctl(ctl, LOOP_CTL_GET_FREE));
}

static int call_remove(void)
{
	return result(ioctl(ctl, LOOP_CTL_REMOVE, nr));
}

static void after_remove(int ret)
{
	if (!ret) {
		if (exists(sys))
			FAIL("the disk is still there");
		nr = -1;
	} else if (!exists(sys)) {
		FAIL("error %d, but the disk is gone", ret);
	}
}

static int call_open(void)
{
	dev = open(node, O_RDWR | O_CLOEXEC);
	return result(dev);
}

static void after_open(int ret)
{
	if (ret < 0)
		dev = -1;
}

static int call_configure(void)
{
	return bind_file(file);
}

/* All of a file, or nothing. */
static void after_configure(int ret)
{
	char path[128];

	sprintf(path, "%s/loop", sys);
	if (bound() != !ret)
		FAIL("error %d, but bound: %d", ret, bound());
	if (exists(path) != !ret)
		FAIL("error %d, but its sysfs group: %d", ret, exists(path));
	if (device_bytes() != (ret ? 0 : FILE_SIZE))
		FAIL("error %d, and %llu bytes", ret, device_bytes());
}

static int call_configure_old(void)
{
	return result(ioctl(dev, LOOP_SET_FD, file));
}

static int call_clear(void)
{
	return result(ioctl(dev, LOOP_CLR_FD));
}

static void after_clear(int ret)
{
	if (ret)
		FAIL("detaching failed: %d", ret);
	if (bound())
		FAIL("still bound");
	let_go();
}

static struct loop_info64 status_before;

static void before_status(void)
{
	have_fresh();
	if (ioctl(dev, LOOP_GET_STATUS64, &status_before))
		FAIL("no status: %s", strerror(errno));
}

static void after_status(int ret)
{
	struct loop_info64 now;
	unsigned long long offset = ret ? 0 : 4096;

	if (ioctl(dev, LOOP_GET_STATUS64, &now))
		FAIL("no status: %s", strerror(errno));
	else if (now.lo_offset != offset || device_bytes() != FILE_SIZE - offset)
		FAIL("error %d, offset %llu, %llu bytes", ret, (unsigned long long)now.lo_offset,
		     device_bytes());
	else if (ret && memcmp(&now, &status_before, sizeof(now)))
		FAIL("error %d, but another status", ret);
}

static int call_status64(void)
{
	struct loop_info64 info = { .lo_offset = 4096, .lo_file_name = "failslab" };

	return result(ioctl(dev, LOOP_SET_STATUS64, &info));
}

static int call_status(void)
{
	struct loop_info info = { .lo_offset = 4096, .lo_name = "failslab" };

	return result(ioctl(dev, LOOP_SET_STATUS, &info));
}

static int call_get_status64(void)
{
	struct loop_info64 info;

	return result(ioctl(dev, LOOP_GET_STATUS64, &info));
}

static int call_get_status(void)
{
	struct loop_info info;

	return result(ioctl(dev, LOOP_GET_STATUS, &info));
}

static void nothing(int ret)
{
	(void)ret;
}

static void before_partscan(void)
{
	have_unbound();
	flags = LO_FLAGS_PARTSCAN;
	have_bound();
	flags = 0;
}

static int call_partscan(void)
{
	return result(ioctl(dev, BLKRRPART));
}

static void before_change(void)
{
	have_unbound();
	flags = LO_FLAGS_READ_ONLY;
	have_bound();
	flags = 0;
}

static ino_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static int call_change(void)
{
	return result(ioctl(dev, LOOP_CHANGE_FD, other));
}

static void after_change(int ret)
{
	struct loop_info64 now;
	int want = ret ? file : other;

	if (ioctl(dev, LOOP_GET_STATUS64, &now) || now.lo_inode != inode_of(want))
		FAIL("error %d, and the wrong file", ret);
}

static int call_direct(void)
{
	return result(ioctl(dev, LOOP_SET_DIRECT_IO, 1));
}

static void after_direct(int ret)
{
	struct loop_info64 now = { 0 };
	bool direct;

	ioctl(dev, LOOP_GET_STATUS64, &now);
	direct = now.lo_flags & LO_FLAGS_DIRECT_IO;
	if (direct != !ret)
		FAIL("error %d, but direct: %d", ret, direct);
}

static int call_block_size(void)
{
	return result(ioctl(dev, LOOP_SET_BLOCK_SIZE, 1024));
}

static void after_block_size(int ret)
{
	int size = 0;

	ioctl(dev, BLKSSZGET, &size);
	if (size != (ret ? 512 : 1024))
		FAIL("error %d, but blocks of %d", ret, size);
}

static void before_capacity(void)
{
	have_fresh();
	if (ftruncate(file, FILE_SIZE / 2) || ioctl(dev, LOOP_SET_CAPACITY) ||
	    ftruncate(file, FILE_SIZE))
		FAIL("no smaller: %s", strerror(errno));
}

static int call_capacity(void)
{
	return result(ioctl(dev, LOOP_SET_CAPACITY));
}

static void after_capacity(int ret)
{
	if (device_bytes() != (ret ? FILE_SIZE / 2 : FILE_SIZE))
		FAIL("error %d, %llu bytes", ret, device_bytes());
	close(file);
	file = new_file(O_RDWR);
	let_go();
}

/* ---- data: what is read or acknowledged is right, whatever failed */
static int direct_fd = -1;
static char *buf, *want;
static uint64_t written = 1;

static void before_io(void)
{
	if (direct_fd >= 0)
		return;
	have_fresh();
	direct_fd = open(node, O_RDWR | O_DIRECT | O_CLOEXEC);
	written = 1;
	if (direct_fd < 0)
		FAIL("not opened: %s", strerror(errno));
}

static int call_read(void)
{
	memset(buf, 0xee, IO_SIZE);
	return result(pread(direct_fd, buf, IO_SIZE, 0));
}

static void after_read(int ret)
{
	pattern_fill(want, IO_SIZE, written, 0);
	if (ret > 0 && memcmp(buf, want, ret))
		FAIL("wrong data in %d bytes", ret);
}

static int call_write(void)
{
	pattern_fill(buf, IO_SIZE, written + 1, 0);
	return result(pwrite(direct_fd, buf, IO_SIZE, 0));
}

static void after_write(int ret)
{
	if (ret > 0) {
		pattern_fill(want, IO_SIZE, written + 1, 0);
		if (pread(file, buf, ret, 0) != ret || memcmp(buf, want, ret))
			FAIL("%d bytes were acknowledged, and not written", ret);
	}
	written++;
	pattern_fill(buf, IO_SIZE, written, 0);
	if (pwrite(direct_fd, buf, IO_SIZE, 0) != IO_SIZE)
		FAIL("the next write: %s", strerror(errno));
}

static int call_sync(void)
{
	return result(fsync(direct_fd));
}

static uint64_t range[2] = { 131072, 65536 };

static int call_discard(void)
{
	return result(ioctl(direct_fd, BLKDISCARD, range));
}

static int call_zero(void)
{
	return result(ioctl(direct_fd, BLKZEROOUT, range));
}

static void after_space(int ret)
{
	if (ret)
		return;
	memset(want, 0, IO_SIZE);
	if (pread(file, buf, IO_SIZE, range[0]) != IO_SIZE || memcmp(buf, want, IO_SIZE))
		FAIL("the range is not zero");
	pattern_fill(buf, IO_SIZE, 1, range[0]);
	if (pwrite(file, buf, IO_SIZE, range[0]) != IO_SIZE)
		FAIL("the file: %s", strerror(errno));
}

static int call_attribute(void)
{
	char path[128], text[256];
	int fd, ret;

	sprintf(path, "%s/loop/backing_file", sys);
	fd = result(open(path, O_RDONLY));
	if (fd < 0)
		return fd;
	ret = result(read(fd, text, sizeof(text)));
	close(fd);
	return ret;
}

static const struct call {
	const char *name;
	void (*before)(void);
	int (*call)(void);
	void (*after)(int ret);
	bool many;
} calls[] = {
	{ "LOOP_CTL_ADD", before_add, call_add, after_add, true },
	{ "LOOP_CTL_GET_FREE", have_closed, call_get_free, nothing },
	{ "open", have_closed, call_open, after_open },
	{ "LOOP_CONFIGURE", have_unbound, call_configure, after_configure, true },
	{ "LOOP_SET_FD", have_unbound, call_configure_old, after_configure, true },
	{ "LOOP_SET_STATUS64", before_status, call_status64, after_status },
	{ "LOOP_SET_STATUS", before_status, call_status, after_status },
	{ "LOOP_GET_STATUS64", have_bound, call_get_status64, nothing },
	{ "LOOP_GET_STATUS", have_bound, call_get_status, nothing },
	{ "LOOP_CHANGE_FD", before_change, call_change, after_change },
	{ "LOOP_SET_CAPACITY", before_capacity, call_capacity, after_capacity },
	{ "LOOP_SET_BLOCK_SIZE", have_fresh, call_block_size, after_block_size },
	{ "LOOP_SET_DIRECT_IO", have_fresh, call_direct, after_direct },
	{ "BLKRRPART", before_partscan, call_partscan, nothing },
	{ "loop/backing_file", have_bound, call_attribute, nothing },
	{ "read", before_io, call_read, after_read },
	{ "write", before_io, call_write, after_write },
	{ "fsync", before_io, call_sync, nothing },
	{ "BLKDISCARD", before_io, call_discard, after_space },
	{ "BLKZEROOUT", before_io, call_zero, after_space },
	{ "LOOP_CLR_FD", have_fresh, call_clear, after_clear },
	{ "LOOP_CTL_REMOVE", have_closed, call_remove, after_remove },
	{ NULL }
};

/* ---- load and unload */
static int module_fd = -1;
static const char *parameters = "";
static int step = 1;

static bool driver_in(const char *path)
{
	char line[128];
	bool found = false;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f)) {
		char *word = strrchr(line, ' ');

		line[strcspn(line, "\n")] = 0;
		found |= word && !strncmp(word + 1, prefix(), strlen(prefix()));
	}
	if (f)
		fclose(f);
	return found;
}

static void unload(void)
{
	int i;

	for (i = 0; i < 500 && exists("/sys/module/rloop"); i++) {
		if (i)
			usleep(10000);
		syscall(SYS_delete_module, "rloop", O_NONBLOCK);
	}
}

static int call_load(void)
{
	return result(syscall(SYS_finit_module, module_fd, parameters, 0));
}

static void after_load(int ret)
{
	if (!ret)
		return;
	if (exists("/sys/module/rloop"))
		FAIL("error %d, but the module is there", ret);
	if (disks())
		FAIL("error %d, but %d disks are there", ret, disks());
	if (driver_in("/proc/devices"))
		FAIL("error %d, but its major is there", ret);
	if (driver_in("/proc/misc"))
		FAIL("error %d, but its control node is there", ret);
}

static void have_loaded(void)
{
	if (!exists("/sys/module/rloop") && call_load())
		FAIL("can't be loaded: %s", strerror(errno));
}

static int call_unload(void)
{
	return result(syscall(SYS_delete_module, "rloop", O_NONBLOCK));
}

static void after_unload(int ret)
{
	if (!ret)
		after_load(-ENOMEM);
}

static const struct call loads[] = {
	{ "load", unload, call_load, after_load, true },
	{ "unload", have_loaded, call_unload, after_unload },
	{ NULL }
};

/* ---- the walk */
static int walk(const struct call *c)
{
	int nth, tried, failed = 0, errors[8], n_errors = 0, i;
	/* Of a few, all. */
	int every = c->many ? step : 1;
	bool fired = true;

	snprintf(name, sizeof(name), "%s", c->name);
	for (nth = 1 + getpid() % every; fired && !failures; nth += every) {
		int ret;

		c->before();
		snprintf(name, sizeof(name), "%s, allocation %d", c->name, nth);
		arm(nth);
		ret = c->call();
		fired = disarm();
		if (!fired && ret < 0)
			FAIL("none failed, but the call did: %d", ret);
		if (ret < 0) {
			failed++;
			for (i = 0; i < n_errors && errors[i] != -ret; i++)
				;
			if (i == n_errors && i < 8)
				errors[n_errors++] = -ret;
		}
		c->after(ret);
	}
	nth -= 2 * every;
	tried = nth > 0 ? (nth - 1) / every + 1 : 0;
	printf("%s: %d allocations, %d tried, %d of them make it fail:", c->name, nth, tried,
	       failed);
	for (i = 0; i < n_errors; i++)
		printf(" %s", strerrorname_np(errors[i]));
	putchar('\n');
	fflush(stdout);
	if (direct_fd >= 0 && c->before == before_io && c[1].before != before_io) {
		close(direct_fd);
		direct_fd = -1;
	}
	return tried;
}

int main(int argc, char **argv)
{
	const struct call *c = calls;
	const char *dir = getenv("RLOOP_TMP");
	int total = 0;

	snprintf(tmp, sizeof(tmp), "%s", dir ? dir : "/tmp");
	switch_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	if (switch_fd < 0) {
		puts("SKIP no /proc/thread-self/fail-nth in this kernel");
		return 4;
	}
	if (argc > 2)
		step = atoi(argv[argc - 1]);
	if (argc == 5 && !strcmp(argv[1], "load")) {
		c = loads;
		module_fd = open(argv[2], O_RDONLY);
		parameters = argv[3];
	} else {
		ctl = open(control_node(), O_RDWR | O_CLOEXEC);
		if (ctl < 0 || posix_memalign((void **)&buf, 4096, IO_SIZE) ||
		    posix_memalign((void **)&want, 4096, IO_SIZE))
			return 2;
		file = new_file(O_RDWR);
		other = new_file(O_RDONLY);
	}
	for (; c->name && !failures; c++)
		total += walk(c);
	if (ctl >= 0)
		have_none();
	else
		unload();
	printf("%d allocations walked, %d failures\n", total, failures);
	return failures ? 1 : 0;
}
