/* SPDX-License-Identifier: GPL-2.0 */
/* Of failslab.c: all calls that a device takes, and what must be true after them. */
#ifndef FAILSLAB_CALLS_H
#define FAILSLAB_CALLS_H

#include "failslab_device.h"

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

/* ---- pinned files */
static int put_pin(const char *text)
{
	char path[128];
	int fd, ret;

	sprintf(path, "%s/rloop/pin", sys);
	fd = result(open(path, O_WRONLY));
	if (fd < 0)
		return fd;
	ret = result(write(fd, text, 1));
	close(fd);
	return ret < 0 ? ret : 0;
}

static bool is_pinned(void)
{
	char path[128], text = 0;
	int fd;

	sprintf(path, "%s/rloop/pin", sys);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, &text, 1) != 1)
		FAIL("no %s: %s", path, strerror(errno));
	close(fd);
	return text == '1';
}

/* A pinned file refuses writes, and another one takes them. */
static void check_pinned(bool want)
{
	char byte;

	if (is_pinned() != want)
		FAIL("pinned: %d, not %d", !want, want);
	if (pread(file, &byte, 1, 0) != 1 ||
	    (pwrite(file, &byte, 1, 0) == 1) == want || (want && errno != ETXTBSY))
		FAIL("pinned: %d, but a write: %s", want, strerror(errno));
}

static int call_pin(void)
{
	return put_pin("1");
}

static void after_pin(int ret)
{
	check_pinned(!ret);
	if (!ret && put_pin("0"))
		FAIL("not unpinned");
}

static void before_unpin(void)
{
	have_bound();
	if (put_pin("1"))
		FAIL("not pinned: %s", strerror(errno));
}

static int call_unpin(void)
{
	return put_pin("0");
}

static void after_unpin(int ret)
{
	check_pinned(ret);
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

static const struct call calls[] = {
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
	{ "pin", have_bound, call_pin, after_pin },
	{ "unpin", before_unpin, call_unpin, after_unpin },
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

#endif
