// SPDX-License-Identifier: GPL-2.0
/*
 * Compiled twice: numbers and layouts of the interface as one header has them.
 * The Makefile includes the header; ABI_TABLE is the name of the array.
 */
#include <stddef.h>
#include "abi_table.h"

#define V(x)		{ #x, x }
#define S(t)		{ "sizeof(" #t ")", sizeof(t) }
#define F(t, m)		{ #t "." #m, offsetof(t, m) << 16 | sizeof(((t *)0)->m) }
#define I(m)		F(struct loop_info, m)
#define I64(m)		F(struct loop_info64, m)
#define C(m)		F(struct loop_config, m)

const struct abi_entry ABI_TABLE[] = {
	V(LO_NAME_SIZE), V(LO_KEY_SIZE),
	V(LO_FLAGS_READ_ONLY), V(LO_FLAGS_AUTOCLEAR), V(LO_FLAGS_PARTSCAN),
	V(LO_FLAGS_DIRECT_IO), V(LOOP_SET_STATUS_SETTABLE_FLAGS),
	V(LOOP_SET_STATUS_CLEARABLE_FLAGS), V(LOOP_CONFIGURE_SETTABLE_FLAGS),
	V(LO_CRYPT_NONE), V(LO_CRYPT_XOR), V(LO_CRYPT_CRYPTOAPI),
	V(LOOP_SET_FD), V(LOOP_CLR_FD), V(LOOP_SET_STATUS), V(LOOP_GET_STATUS),
	V(LOOP_SET_STATUS64), V(LOOP_GET_STATUS64), V(LOOP_CHANGE_FD),
	V(LOOP_SET_CAPACITY), V(LOOP_SET_DIRECT_IO), V(LOOP_SET_BLOCK_SIZE),
	V(LOOP_CONFIGURE), V(LOOP_CTL_ADD), V(LOOP_CTL_REMOVE), V(LOOP_CTL_GET_FREE),
	S(struct loop_info), I(lo_number), I(lo_device), I(lo_inode), I(lo_rdevice),
	I(lo_offset), I(lo_encrypt_type), I(lo_encrypt_key_size), I(lo_flags),
	I(lo_name), I(lo_encrypt_key), I(lo_init), I(reserved),
	S(struct loop_info64), I64(lo_device), I64(lo_inode), I64(lo_rdevice),
	I64(lo_offset), I64(lo_sizelimit), I64(lo_number), I64(lo_encrypt_type),
	I64(lo_encrypt_key_size), I64(lo_flags), I64(lo_file_name), I64(lo_crypt_name),
	I64(lo_encrypt_key), I64(lo_init),
	S(struct loop_config), C(fd), C(block_size), C(info), C(__reserved),
	{ NULL, 0 }
};
