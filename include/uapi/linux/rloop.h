/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ABI that rloop speaks: that of the kernel's loop driver, self-contained.
 *
 * Do not include it together with <linux/loop.h>, which declares the same names.
 */
#ifndef _UAPI_LINUX_RLOOP_H
#define _UAPI_LINUX_RLOOP_H

#include <asm/posix_types.h>	/* for __kernel_old_dev_t */
#include <linux/types.h>	/* for __u64 */

#define LO_NAME_SIZE	64
#define LO_KEY_SIZE	32

/* Loop flags */
enum {
	LO_FLAGS_READ_ONLY	= 1,
	LO_FLAGS_AUTOCLEAR	= 4,
	LO_FLAGS_PARTSCAN	= 8,
	LO_FLAGS_DIRECT_IO	= 16,
};

/* What LOOP_SET_STATUS and LOOP_SET_STATUS64 may set and clear */
#define LOOP_SET_STATUS_SETTABLE_FLAGS	(LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN)
#define LOOP_SET_STATUS_CLEARABLE_FLAGS	(LO_FLAGS_AUTOCLEAR)

/* What LOOP_CONFIGURE may set */
#define LOOP_CONFIGURE_SETTABLE_FLAGS	(LO_FLAGS_READ_ONLY | \
					 LO_FLAGS_AUTOCLEAR | \
					 LO_FLAGS_PARTSCAN | \
					 LO_FLAGS_DIRECT_IO)

/* Backwards compatibility version */
struct loop_info {
	int		   lo_number;		/* ioctl r/o */
	__kernel_old_dev_t lo_device;		/* ioctl r/o */
	unsigned long	   lo_inode;		/* ioctl r/o */
	__kernel_old_dev_t lo_rdevice;		/* ioctl r/o */
	int		   lo_offset;		/* bytes */
	int		   lo_encrypt_type;	/* must be LO_CRYPT_NONE */
	int		   lo_encrypt_key_size;	/* ioctl w/o */
	int		   lo_flags;
	char		   lo_name[LO_NAME_SIZE];
	unsigned char	   lo_encrypt_key[LO_KEY_SIZE]; /* ioctl w/o */
	unsigned long	   lo_init[2];
	char		   reserved[4];
};

struct loop_info64 {
	__u64		   lo_device;		/* ioctl r/o */
	__u64		   lo_inode;		/* ioctl r/o */
	__u64		   lo_rdevice;		/* ioctl r/o */
	__u64		   lo_offset;		/* bytes */
	__u64		   lo_sizelimit;	/* bytes, 0 == max available */
	__u32		   lo_number;		/* ioctl r/o */
	__u32		   lo_encrypt_type;	/* must be LO_CRYPT_NONE */
	__u32		   lo_encrypt_key_size;	/* ioctl w/o */
	__u32		   lo_flags;
	__u8		   lo_file_name[LO_NAME_SIZE];
	__u8		   lo_crypt_name[LO_NAME_SIZE];
	__u8		   lo_encrypt_key[LO_KEY_SIZE]; /* ioctl w/o */
	__u64		   lo_init[2];
};

/*
 * fd: descriptor of the file or block device that backs the disk
 * block_size: logical block size in bytes, 0 for the default
 * info: the rest, as for LOOP_SET_STATUS64
 */
struct loop_config {
	__u32			fd;
	__u32			block_size;
	struct loop_info64	info;
	__u64			__reserved[8];
};

/* Encryption is not supported; the names are for old programs. */
#define LO_CRYPT_NONE		0
#define LO_CRYPT_XOR		1
#define LO_CRYPT_DES		2
#define LO_CRYPT_FISH2		3
#define LO_CRYPT_BLOW		4
#define LO_CRYPT_CAST128	5
#define LO_CRYPT_IDEA		6
#define LO_CRYPT_DUMMY		9
#define LO_CRYPT_SKIPJACK	10
#define LO_CRYPT_CRYPTOAPI	18
#define MAX_LO_CRYPT		20

/* ioctls of a disk */
#define LOOP_SET_FD		0x4C00
#define LOOP_CLR_FD		0x4C01
#define LOOP_SET_STATUS		0x4C02
#define LOOP_GET_STATUS		0x4C03
#define LOOP_SET_STATUS64	0x4C04
#define LOOP_GET_STATUS64	0x4C05
#define LOOP_CHANGE_FD		0x4C06
#define LOOP_SET_CAPACITY	0x4C07
#define LOOP_SET_DIRECT_IO	0x4C08
#define LOOP_SET_BLOCK_SIZE	0x4C09
#define LOOP_CONFIGURE		0x4C0A

/* ioctls of /dev/loop-control */
#define LOOP_CTL_ADD		0x4C80
#define LOOP_CTL_REMOVE		0x4C81
#define LOOP_CTL_GET_FREE	0x4C82

#endif /* _UAPI_LINUX_RLOOP_H */
