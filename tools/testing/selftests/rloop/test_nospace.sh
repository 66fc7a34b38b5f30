#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A backing without space: the error says so, it is no I/O error, and what was
# acknowledged before is there.
# variants: tmpfs ext4 xfs btrfs
# stock: xfs
# prev: none
. "${0%/*}/common.sh"

if [ "$1" = tmpfs ]; then
	filesystem tmpfs size=64m
else
	filesystem "$1"
fi
IMG=$MNT/img
# Sparse, and then nothing is left but a few MiB.
truncate -s 64M "$IMG"
avail=$(($(stat -f -c '%a * %S' "$MNT")))
fallocate -l $((avail - (6 << 20))) "$MNT/filler"
for dio in on off; do
	# The C driver acknowledges short writes, which only buffered ones are.
	if [ "$DRIVER" != rloop ] && { [ $dio = off ] || [ "$1" = tmpfs ]; }; then
		continue
	fi
	fallocate -p -o 0 -l 64M "$IMG"
	sync -f "$IMG"
	attach --direct-io=$dio "$IMG"
	fills_up 64
done
