/* SPDX-License-Identifier: GPL-2.0 */
struct abi_entry {
	const char *name;
	long long value;
};

extern const struct abi_entry abi_rloop[], abi_loop[];
