#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fio writes and verifies through the device; the backing holds the same bytes;
# the requests took the rung that they were meant to take.
# variants: tmpfs ext4 xfs btrfs block
# stock: ext4
# prev: xfs
# debug: ext4
# timeout: 120
. "${0%/*}/common.sh"

backing "$1" 12
size=8m
[ -z "${RLOOP_FEW:-}" ] || size=3m
for dio in on off; do
	attach --direct-io=$dio "$IMG"
	verify_fio "$LOOP" --size=$size
	blockdev --flushbufs "$LOOP"
	cmp "$LOOP" "$IMG"
	if [ $dio = on ]; then
		is "direct I/O" 1 "$(<"$SYS/loop/dio")"
		used write_direct read_direct
		unused write_buffered read_buffered
	else
		is "direct I/O" 0 "$(<"$SYS/loop/dio")"
		used write_buffered read_buffered
		unused write_direct read_direct
	fi
	detach "$LOOP"
done
