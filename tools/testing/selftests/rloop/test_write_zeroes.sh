#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Zeroes with leave to unmap are a hole; without it the space stays allocated.
# variants: ext4 xfs btrfs
# stock: ext4
# prev: ext4
. "${0%/*}/common.sh"

backing "$1" 8
full=0
zero() { # COMMAND...: zeroes 4 MiB at 2 MiB of a full image; SPACE is what it still takes
	pattern write "$IMG" 0 8388608 1 -s
	full=$(allocated "$IMG")
	attach "$IMG"
	"$@" -o 2M -l 4M "$LOOP"
	pattern check "$LOOP" 0 2097152 1 -d
	pattern check "$LOOP" 2097152 4194304 0 -d
	used write_zeroes
	cmp "$LOOP" "$IMG"
	detach "$LOOP"
	sync -f "$IMG"
	SPACE=$(allocated "$IMG")
}

zero fallocate -p
[ "$SPACE" -le $((full - 4194304 + 65536)) ] || fail "no hole: $SPACE of $full bytes"
zero blkdiscard -z
[ "$SPACE" -ge $((full - 65536)) ] || fail "space was given back: $SPACE of $full bytes"
zero fallocate -z
[ "$SPACE" -ge $((full - 65536)) ] || fail "space was given back: $SPACE of $full bytes"
