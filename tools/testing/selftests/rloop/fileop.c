// SPDX-License-Identifier: GPL-2.0
/*
 * fileop FS FILE: does to FILE, of at least 1 MiB, each operation that user space may do to a file,
 * and prints a line for each: its name, a tab, and 0 or the name of the errno or signal. FS is
 * ext4, xfs or btrfs: an ioctl of another file system is '-'. FILE.other beside it is made and
 * used, too; the file system below the directory is to hold nothing else.
 */
#include <fcntl.h>
#include <libgen.h>
#include <linux/btrfs.h>
#include <linux/ext4.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "rloop_util.h"

#ifndef FALLOC_FL_WRITE_ZEROES
#define FALLOC_FL_WRITE_ZEROES 0x80
#endif

enum { BLOCK = 4096, SIGNAL = 1000 };

static const char *fs, *file, *dir;
static char other[4096], moved[4096], linked[4096];
static int fd, other_fd, dir_fd;
static char *block;	/* one block, aligned */

/* What the operations return: 0, an errno, SIGNAL and a signal, or -1: not of this file system. */
static int answer(long ret)
{
	return ret < 0 ? errno : 0;
}

static int with(int flags, ssize_t (*op)(int))
{
	int f = open(file, flags), err;

	if (f < 0)
		return errno;
	err = op ? answer(op(f)) : 0;
	close(f);
	return err;
}

static ssize_t write_block(int f)
{
	return pwrite(f, block, BLOCK, 0);
}

static ssize_t read_block(int f)
{
	return pread(f, block, BLOCK, 0);
}

static int do_write(void)		{ return answer(write_block(fd)); }
static int do_read(void)		{ return answer(read_block(fd)); }
static int do_open_write(void)		{ return with(O_WRONLY, NULL); }
static int do_write_direct(void)	{ return with(O_WRONLY | O_DIRECT, write_block); }
static int do_read_direct(void)		{ return with(O_RDONLY | O_DIRECT, read_block); }
static int do_open_truncate(void)	{ return with(O_WRONLY | O_TRUNC, NULL); }

static off_t size(void)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_size;
}

static int do_truncate_less(void)	{ return answer(ftruncate(fd, size() - BLOCK)); }
static int do_truncate_same(void)	{ return answer(ftruncate(fd, size())); }
static int do_truncate_more(void)	{ return answer(ftruncate(fd, size() + BLOCK)); }

static int allocate(int mode)
{
	return answer(fallocate(fd, mode, 0, BLOCK));
}

static int do_allocate(void)	{ return allocate(0); }
static int do_punch(void)	{ return allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE); }
static int do_zero_range(void)	{ return allocate(FALLOC_FL_ZERO_RANGE); }
static int do_collapse(void)	{ return allocate(FALLOC_FL_COLLAPSE_RANGE); }
static int do_insert(void)	{ return allocate(FALLOC_FL_INSERT_RANGE); }
static int do_unshare(void)	{ return allocate(FALLOC_FL_UNSHARE_RANGE); }
static int do_write_zeroes(void) { return allocate(FALLOC_FL_WRITE_ZEROES); }

static int do_clone_from(void)	{ return answer(ioctl(other_fd, FICLONE, fd)); }
static int do_clone_to(void)	{ return answer(ioctl(fd, FICLONE, other_fd)); }

static int dedupe(int from, int to)
{
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info;
	} arg = {
		.range = { .src_length = BLOCK, .dest_count = 1 },
		.info = { .dest_fd = to },
	};

	if (ioctl(from, FIDEDUPERANGE, &arg))
		return errno;
	return arg.info.status < 0 ? -arg.info.status : 0;
}

static int do_dedupe_from(void)	{ return dedupe(fd, other_fd); }
static int do_dedupe_to(void)	{ return dedupe(other_fd, fd); }

static int copy(int from, int to)
{
	loff_t in = 0, out = 0;

	return answer(copy_file_range(from, &in, to, &out, BLOCK, 0));
}

static int do_copy_from(void)	{ return copy(fd, other_fd); }
static int do_copy_to(void)	{ return copy(other_fd, fd); }

static int send(int from, int to)
{
	off_t in = 0;

	lseek(to, 0, SEEK_SET);
	return answer(sendfile(to, from, &in, BLOCK));
}

static int do_send_from(void)	{ return send(fd, other_fd); }
static int do_send_to(void)	{ return send(other_fd, fd); }

/* Maps a page, allows @later besides, and stores to it, in a child if that may kill. */
static int map(int prot, int flags, int later)
{
	char *p = mmap(NULL, BLOCK, prot, flags, fd, 0);
	int status = 0;

	if (p == MAP_FAILED)
		return errno;
	if (mprotect(p, BLOCK, prot | later))
		return errno;
	if (!fork()) {
		if ((prot | later) & PROT_WRITE)
			memset(p, 1, 1);
		else
			memcpy(block, p, 1);
		_exit(0);
	}
	wait(&status);
	munmap(p, BLOCK);
	return WIFSIGNALED(status) ? SIGNAL + WTERMSIG(status) : 0;
}

static int do_map_read(void)	{ return map(PROT_READ, MAP_SHARED, 0); }
static int do_map_private(void)	{ return map(PROT_READ | PROT_WRITE, MAP_PRIVATE, 0); }
static int do_map_write(void)	{ return map(PROT_READ | PROT_WRITE, MAP_SHARED, 0); }
static int do_map_later(void)	{ return map(PROT_READ, MAP_SHARED, PROT_WRITE); }

static int do_stat(void)	{ return size() ? 0 : EINVAL; }
static int do_fsync(void)	{ return answer(fsync(fd)); }
static int do_chmod(void)	{ return answer(fchmod(fd, 0600)); }
static int do_chown(void)	{ return answer(fchown(fd, getuid(), getgid())); }
static int do_utime(void)	{ return answer(futimens(fd, NULL)); }
static int do_setxattr(void)	{ return answer(fsetxattr(fd, "user.rloop", "x", 1, 0)); }

static int do_fiemap(void)
{
	struct fiemap arg = { .fm_length = FIEMAP_MAX_OFFSET };

	return answer(ioctl(fd, FS_IOC_FIEMAP, &arg));
}

/* Sets a flag of the inode and clears it again. */
static int flag(int which)
{
	int flags, err;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return errno;
	flags |= which;
	err = answer(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	flags &= ~which;
	return err ?: answer(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

static int do_immutable(void)	{ return flag(FS_IMMUTABLE_FL); }
static int do_journal(void)	{ return strcmp(fs, "ext4") ? -1 : flag(FS_JOURNAL_DATA_FL); }

/* Of fs/xfs/libxfs/xfs_fs.h, which is not installed everywhere. */
struct swapext {
	int64_t version, target, tmp, offset, length;
	char pad[16];
	uint64_t stat[17];
};

struct exchange_range {
	int32_t file1;
	uint32_t pad;
	uint64_t offset1, offset2, length, flags;
};

static int do_defragment(void)
{
	struct btrfs_ioctl_defrag_range_args range = { .len = -1ULL, .extent_thresh = 1 << 30 };
	struct move_extent move = { .donor_fd = other_fd, .len = 1 };
	struct swapext swap = { .target = fd, .tmp = other_fd, .length = size() };

	if (!strcmp(fs, "ext4"))
		return answer(ioctl(fd, EXT4_IOC_MOVE_EXT, &move));
	if (!strcmp(fs, "xfs"))
		return answer(ioctl(fd, _IOWR('X', 109, struct swapext), &swap));
	return answer(ioctl(fd, BTRFS_IOC_DEFRAG_RANGE, &range));
}

static int do_exchange_range(void)
{
	struct exchange_range arg = { .file1 = other_fd, .length = BLOCK };

	if (strcmp(fs, "xfs"))
		return -1;
	return answer(ioctl(fd, _IOW('X', 129, struct exchange_range), &arg));
}

/* Twice, as that leaves everything in its place. */
static int do_swap_boot(void)
{
	if (strcmp(fs, "ext4"))
		return -1;
	return answer(ioctl(fd, EXT4_IOC_SWAP_BOOT)) ?: answer(ioctl(fd, EXT4_IOC_SWAP_BOOT));
}

static int do_snapshot(void)
{
	struct btrfs_ioctl_vol_args arg = { .fd = dir_fd };

	if (strcmp(fs, "btrfs"))
		return -1;
	strcpy(arg.name, "snapshot");
	return answer(ioctl(dir_fd, BTRFS_IOC_SNAP_CREATE, &arg));
}

static int do_swapon(void)	{ return answer(swapon(file, 0)); }
static int do_umount(void)	{ return answer(umount2(dir, 0)); }

static int do_remount(void)
{
	return answer(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL));
}

static int do_link(void)	{ return answer(link(file, linked)); }
static int do_unlink(void)	{ return answer(unlink(file)); }

static int do_rename(void)
{
	return answer(rename(file, moved)) ?: answer(rename(moved, file));
}

static int do_exchange(void)
{
	return answer(renameat2(AT_FDCWD, other, AT_FDCWD, file, RENAME_EXCHANGE)) ?:
	       answer(renameat2(AT_FDCWD, other, AT_FDCWD, file, RENAME_EXCHANGE));
}

static int do_rename_over(void)	{ return answer(rename(other, file)); }

/* In an order in which none that succeeds is in the way of the next. */
static const struct {
	const char *name;
	int (*op)(void);
} operations[] = {
	{ "read", do_read },
	{ "read with O_DIRECT", do_read_direct },
	{ "read by a shared mapping", do_map_read },
	{ "write to a private mapping", do_map_private },
	{ "sendfile from it", do_send_from },
	{ "stat", do_stat },
	{ "FIEMAP", do_fiemap },
	{ "fsync", do_fsync },
	{ "chmod", do_chmod },
	{ "chown", do_chown },
	{ "utime", do_utime },
	{ "setxattr", do_setxattr },
	{ "chattr +i", do_immutable },
	{ "chattr +j", do_journal },
	{ "open for writing", do_open_write },
	{ "write", do_write },
	{ "write with O_DIRECT", do_write_direct },
	{ "sendfile to it", do_send_to },
	{ "shared writable mapping", do_map_write },
	{ "write to a mapping after mprotect", do_map_later },
	{ "copy_file_range from it", do_copy_from },
	{ "copy_file_range to it", do_copy_to },
	{ "clone from it", do_clone_from },
	{ "clone to it", do_clone_to },
	{ "dedupe from it", do_dedupe_from },
	{ "dedupe to it", do_dedupe_to },
	{ "defragment", do_defragment },
	{ "XFS_IOC_EXCHANGE_RANGE", do_exchange_range },
	{ "EXT4_IOC_SWAP_BOOT", do_swap_boot },
	{ "snapshot of its subvolume", do_snapshot },
	{ "fallocate", do_allocate },
	{ "unshare range", do_unshare },
	{ "zero range", do_zero_range },
	{ "write zeroes", do_write_zeroes },
	{ "punch hole", do_punch },
	{ "collapse range", do_collapse },
	{ "insert range", do_insert },
	{ "truncate to more", do_truncate_more },
	{ "truncate to the same size", do_truncate_same },
	{ "truncate to less", do_truncate_less },
	{ "open with O_TRUNC", do_open_truncate },
	{ "swapon", do_swapon },
	{ "umount of the file system", do_umount },
	{ "remount read-only", do_remount },
	{ "link", do_link },
	{ "rename", do_rename },
	{ "exchange by rename", do_exchange },
	{ "rename another file over it", do_rename_over },
	{ "unlink", do_unlink },
};

static const char *name_of(int err)
{
	static char name[32];

	if (err <= 0)
		return err ? "-" : "0";
	if (err < SIGNAL)
		return strerrorname_np(err);
	snprintf(name, sizeof(name), "SIG%s", sigabbrev_np(err - SIGNAL));
	return name;
}

static int make_other(void)
{
	int flags = FS_NOCOW_FL;
	off_t n;

	other_fd = open(other, O_RDWR | O_CREAT, 0600);
	/* Only files of one kind share extents. */
	if (!strcmp(fs, "btrfs") && ioctl(other_fd, FS_IOC_SETFLAGS, &flags))
		return -1;
	/* At once, as xfs does not exchange it for a file of fewer extents. */
	if (other_fd < 0 || fallocate(other_fd, 0, 0, size()))
		return -1;
	for (n = 0; n < size() / BLOCK; n++)
		if (write(other_fd, block, BLOCK) != BLOCK)
			return -1;
	return fsync(other_fd);
}

int main(int argc, char **argv)
{
	char *copy_of_name;
	size_t i;

	if (argc != 3)
		return 2;
	fs = argv[1];
	file = argv[2];
	copy_of_name = strdup(file);
	dir = dirname(copy_of_name);
	snprintf(other, sizeof(other), "%s.other", file);
	snprintf(moved, sizeof(moved), "%s.moved", file);
	snprintf(linked, sizeof(linked), "%s.link", file);
	block = aligned_alloc(BLOCK, BLOCK);
	fd = open(file, O_RDWR);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	if (!block || fd < 0 || dir_fd < 0) {
		perror(file);
		return 2;
	}
	memset(block, 0x5a, BLOCK);
	if (make_other()) {
		perror(other);
		return 2;
	}
	for (i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		printf("%s\t%s\n", operations[i].name, name_of(operations[i].op()));
		fflush(stdout);
	}
	return 0;
}
