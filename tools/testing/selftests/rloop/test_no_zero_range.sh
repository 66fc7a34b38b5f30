#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A file system that punches holes but has no ZERO_RANGE: the caller still gets
# its zeroes, the device learns, and discards go on working.
# variants: tmpfs ext3
# stock: tmpfs
# prev: none
. "${0%/*}/common.sh"

if [ "$1" = ext3 ]; then
	need_fs ext4
	disk 64
	mkfs.ext4 -q -F -O ^extents,^64bit "$DISK"
	MNT=$(mktemp -d "$T/mnt.XXXX")
	mount -t ext4 "$DISK" "$MNT"
	defer unmount_below "$MNT"
else
	filesystem tmpfs
fi
IMG=$MNT/img
truncate -s 8M "$IMG"
pattern write "$IMG" 0 8388608 1 -s
attach "$IMG"
blkdiscard -z -o 1M -l 1M "$LOOP"
blkdiscard -z -o 4M -l 1M "$LOOP"
pattern check "$LOOP" 0 1048576 1 -d
pattern check "$LOOP" 1048576 1048576 0 -d
pattern check "$LOOP" 4194304 1048576 0 -d
# Learnt, perhaps not in the same moment.
learnt() { [ "$(<"$SYS/queue/write_zeroes_max_bytes")" = 0 ]; }
soon learnt
[ "$(<"$SYS/queue/discard_max_bytes")" -gt 0 ] || fail "discard was given up as well"
blkdiscard -o 6M -l 1M "$LOOP"
pattern check "$LOOP" 6291456 1048576 0 -d
