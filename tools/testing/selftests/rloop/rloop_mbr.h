/* SPDX-License-Identifier: GPL-2.0 */
/* A file with a partition table: two partitions, of 1 and of 2 MiB. */
#ifndef RLOOP_MBR_H
#define RLOOP_MBR_H

#define PART1_START	2048
#define PART1_SECTORS	2048
#define PART2_START	4096
#define PART2_SECTORS	4096

static inline void mbr_entry(unsigned char *e, unsigned int start, unsigned int sectors)
{
	int i;

	e[4] = 0x83;
	for (i = 0; i < 4; i++) {
		e[8 + i] = start >> 8 * i;
		e[12 + i] = sectors >> 8 * i;
	}
}

static inline int partitioned_file(long long size)
{
	unsigned char mbr[512] = { 0 };
	int file = backing_file(size);

	mbr_entry(mbr + 446, PART1_START, PART1_SECTORS);
	mbr_entry(mbr + 462, PART2_START, PART2_SECTORS);
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
	if (pwrite(file, mbr, sizeof(mbr), 0) != sizeof(mbr))
		return -1;
	return file;
}

#endif
