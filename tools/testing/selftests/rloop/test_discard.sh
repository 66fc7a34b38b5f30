#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A discard punches a hole: the space is given back, the range reads zeroes,
# and the rest is as it was.
# variants: tmpfs ext4 xfs btrfs
# stock: ext4
# prev: xfs
. "${0%/*}/common.sh"

backing "$1" 8
for dio in on off; do
	pattern write "$IMG" 0 8388608 1 -s
	full=$(allocated "$IMG")
	attach --direct-io=$dio "$IMG"
	[ "$(<"$SYS/queue/discard_granularity")" -ge 4096 ]
	blkdiscard -o 1M -l 4M "$LOOP"
	used discard
	pattern check "$LOOP" 0 1048576 1 -d
	pattern check "$LOOP" 1048576 4194304 0 -d
	pattern check "$LOOP" 5242880 3145728 1 -d -p 5242880
	cmp "$LOOP" "$IMG"
	detach "$LOOP"
	sync -f "$IMG"
	[ "$(allocated "$IMG")" -le $((full - 4194304 + 65536)) ] ||
		fail "$(allocated "$IMG") of $full bytes still in use"
	is "size" 8388608 "$(stat -c %s "$IMG")"
done
