/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a driver answers, written down so that two drivers can be compared: with
 * RLOOP_TRACE=file each ioctl leaves a line there, and what the disk looks like
 * afterwards, where that has changed. Names of devices are those of loop.ko.
 */
#ifndef RLOOP_TRACE_H
#define RLOOP_TRACE_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <linux/fs.h>
#include <linux/rloop.h>
#include "rloop_util.h"

/* Of a disk in sysfs: all that a program might look at. */
static const char * const traced_attrs[] = {
	"size", "ro", "removable", "events", "ext_range", "range", "capability",
	"queue/logical_block_size", "queue/physical_block_size", "queue/minimum_io_size",
	"queue/optimal_io_size", "queue/discard_granularity", "queue/discard_max_bytes",
	"queue/discard_max_hw_bytes", "queue/write_zeroes_max_bytes", "queue/max_hw_sectors_kb",
	"queue/max_sectors_kb", "queue/max_segments", "queue/max_segment_size",
	"queue/dma_alignment", "queue/rotational", "queue/write_cache", "queue/fua",
	"queue/zoned", "queue/nr_requests", "queue/scheduler", "queue/read_ahead_kb",
	"queue/stable_writes", "queue/add_random", "queue/iostats", "queue/nomerges",
	"queue/virt_boundary_mask", "alignment_offset", "discard_alignment",
	"loop/backing_file", "loop/offset", "loop/sizelimit", "loop/autoclear", "loop/partscan",
	"loop/dio",
};

/* Whether the limits of an unbound disk are of interest. */
static bool trace_unbound = true;

static inline int trace_fd(void)
{
	static int fd = -2;
	const char *path;

	if (fd == -2) {
		path = getenv("RLOOP_TRACE");
		fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
	}
	return fd;
}

/* Without what differs from run to run: the driver's prefix, names of temporary files. */
static inline void trace(const char *fmt, ...)
{
	char line[1024], out[1024], *p = line, *o = out;
	size_t len = strlen(prefix());
	va_list ap;

	if (trace_fd() < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	while (*p && o < out + sizeof(out) - 8) {
		if (!strncmp(p, prefix(), len) && strspn(p + len, "0123456789")) {
			o = stpcpy(o, "loop");
			p += len;
		} else if (!strncmp(p, "img.", 4)) {
			o = stpcpy(o, "img.X");
			p += strcspn(p, " /");
		} else {
			*o++ = *p++;
		}
	}
	*o++ = '\n';
	if (write(trace_fd(), out, o - out) < 0)
		perror("trace");
}

/* The attributes of a disk that have changed since it was looked at last. */
static inline void trace_disk(dev_t dev)
{
	enum { N = sizeof(traced_attrs) / sizeof(*traced_attrs) };
	static char seen[N][256];
	static dev_t seen_dev;
	char path[128], now[256], *end;
	bool bound;
	unsigned int i;
	ssize_t n;
	int fd;

	if (trace_fd() < 0)
		return;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/loop", major(dev), minor(dev));
	bound = access(path, F_OK) == 0;
	if (dev != seen_dev)
		memset(seen, 0, sizeof(seen));
	seen_dev = dev;
	for (i = 0; i < N; i++) {
		if (!bound && !trace_unbound && !strncmp(traced_attrs[i], "queue/", 6))
			continue;
		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(dev), minor(dev),
			 traced_attrs[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? 0 : read(fd, now, sizeof(now) - 1);
		if (fd >= 0)
			close(fd);
		now[n > 0 ? n : 0] = 0;
		end = strchr(now, '\n');
		if (end)
			*end = 0;
		if (!strcmp(now, seen[i]))
			continue;
		strcpy(seen[i], now);
		trace("    %s = %s", traced_attrs[i], now[0] ? now : "(none)");
	}
}

static inline void trace_info(const struct loop_info64 *info)
{
	trace("    info offset %llu limit %llu number %u crypt %u/%u flags %#x name '%.64s'",
	      (unsigned long long)info->lo_offset, (unsigned long long)info->lo_sizelimit,
	      info->lo_number, info->lo_encrypt_type, info->lo_encrypt_key_size, info->lo_flags,
	      info->lo_file_name);
}

/* One ioctl and what came of it. */
static inline void trace_ioctl(int fd, unsigned long cmd, unsigned long arg, int ret)
{
	struct stat st;

	if (trace_fd() < 0)
		return;
	trace("ioctl %#lx -> %d", cmd, ret);
	if (!ret && cmd == LOOP_GET_STATUS64)
		trace_info((struct loop_info64 *)arg);
	if (!fstat(fd, &st) && S_ISBLK(st.st_mode))
		trace_disk(st.st_rdev);
}

#endif
