// SPDX-License-Identifier: GPL-2.0
/*
 * The layout of include/uapi/linux/rloop.h as the C compiler sees it, and the
 * configured number of devices. Kbuild turns the assembly of this file into Rust
 * constants, as it does for asm-offsets.h. drivers/block/rloop/uapi/old.rs takes
 * those of struct loop_info; uapi/check.rs compares the others with those of
 * uapi.rs.
 */
#include <linux/compat.h>
#include <linux/kbuild.h>
#include <linux/stddef.h>

#include <linux/rloop.h>

/* The devices made at load. Out of tree: as Debian configures the C driver. */
#ifndef CONFIG_BLK_DEV_RLOOP_MIN_COUNT
#define CONFIG_BLK_DEV_RLOOP_MIN_COUNT	8
#endif

/*
 * struct loop_info of a 32-bit program, with the kernel's names for its types.
 */
struct compat_loop_info {
	compat_int_t	lo_number;
	compat_dev_t	lo_device;
	compat_ulong_t	lo_inode;
	compat_dev_t	lo_rdevice;
	compat_int_t	lo_offset;
	compat_int_t	lo_encrypt_type;
	compat_int_t	lo_encrypt_key_size;
	compat_int_t	lo_flags;
	char		lo_name[LO_NAME_SIZE];
	unsigned char	lo_encrypt_key[LO_KEY_SIZE];
	compat_ulong_t	lo_init[2];
	char		reserved[4];
};

int main(void)
{
	DEFINE(INFO64_SIZE, sizeof(struct loop_info64));
	OFFSET(INFO64_DEVICE, loop_info64, lo_device);
	OFFSET(INFO64_INODE, loop_info64, lo_inode);
	OFFSET(INFO64_RDEVICE, loop_info64, lo_rdevice);
	OFFSET(INFO64_OFFSET, loop_info64, lo_offset);
	OFFSET(INFO64_SIZELIMIT, loop_info64, lo_sizelimit);
	OFFSET(INFO64_NUMBER, loop_info64, lo_number);
	OFFSET(INFO64_ENCRYPT_TYPE, loop_info64, lo_encrypt_type);
	OFFSET(INFO64_ENCRYPT_KEY_SIZE, loop_info64, lo_encrypt_key_size);
	OFFSET(INFO64_FLAGS, loop_info64, lo_flags);
	OFFSET(INFO64_FILE_NAME, loop_info64, lo_file_name);

	DEFINE(OLD_SIZE, sizeof(struct loop_info));
	OFFSET(OLD_NUMBER, loop_info, lo_number);
	OFFSET(OLD_DEVICE, loop_info, lo_device);
	OFFSET(OLD_INODE, loop_info, lo_inode);
	OFFSET(OLD_RDEVICE, loop_info, lo_rdevice);
	OFFSET(OLD_OFFSET, loop_info, lo_offset);
	OFFSET(OLD_FLAGS, loop_info, lo_flags);
	OFFSET(OLD_NAME, loop_info, lo_name);
	DEFINE(OLD_DEV_BYTES, sizeof(__kernel_old_dev_t));
	DEFINE(OLD_LONG_BYTES, sizeof(long));

	DEFINE(COMPAT_SIZE, sizeof(struct compat_loop_info));
	OFFSET(COMPAT_NUMBER, compat_loop_info, lo_number);
	OFFSET(COMPAT_DEVICE, compat_loop_info, lo_device);
	OFFSET(COMPAT_INODE, compat_loop_info, lo_inode);
	OFFSET(COMPAT_RDEVICE, compat_loop_info, lo_rdevice);
	OFFSET(COMPAT_OFFSET, compat_loop_info, lo_offset);
	OFFSET(COMPAT_FLAGS, compat_loop_info, lo_flags);
	OFFSET(COMPAT_NAME, compat_loop_info, lo_name);
	DEFINE(COMPAT_DEV_BYTES, sizeof(compat_dev_t));
	DEFINE(COMPAT_LONG_BYTES, sizeof(compat_long_t));

	DEFINE(CONFIG_SIZE, sizeof(struct loop_config));
	OFFSET(CONFIG_FD, loop_config, fd);
	OFFSET(CONFIG_BLOCK_SIZE, loop_config, block_size);
	OFFSET(CONFIG_INFO, loop_config, info);

	DEFINE(NAME_SIZE, LO_NAME_SIZE);
	DEFINE(KEY_SIZE, LO_KEY_SIZE);
	DEFINE(CRYPT_NONE, LO_CRYPT_NONE);
	DEFINE(CRYPT_XOR, LO_CRYPT_XOR);
	DEFINE(CRYPT_CRYPTOAPI, LO_CRYPT_CRYPTOAPI);
	DEFINE(MIN_COUNT, CONFIG_BLK_DEV_RLOOP_MIN_COUNT);
	DEFINE(FLAG_READ_ONLY, LO_FLAGS_READ_ONLY);
	DEFINE(FLAG_AUTOCLEAR, LO_FLAGS_AUTOCLEAR);
	DEFINE(FLAG_PARTSCAN, LO_FLAGS_PARTSCAN);
	DEFINE(FLAG_DIRECT_IO, LO_FLAGS_DIRECT_IO);
	DEFINE(FLAG_CONFIGURABLE, LOOP_CONFIGURE_SETTABLE_FLAGS);

	/* DEFINE(CMD_NAME, LOOP_NAME) for each ioctl of the header. */
#include "abi_cmds.h"
	return 0;
}
