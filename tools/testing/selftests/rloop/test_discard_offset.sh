#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# With an offset, discards and zeroes hit what the device calls its blocks.
. "${0%/*}/common.sh"

backing tmpfs 4
truncate -s 4M "$T/want"
pattern write "$T/want" 0 4194304 1 >/dev/null
attach -o 1M --sizelimit 2M "$IMG"
# tmpfs has no ZERO_RANGE; once that is known, there is no unmapping either.
for command in blkdiscard "fallocate -p" "blkdiscard -z"; do
	pattern write "$IMG" 0 4194304 1 >/dev/null
	$command -o 64K -l 128K "$LOOP"
	# 64 KiB into the device, that is 1088 KiB into the file.
	pattern write "$T/want" 0 4194304 1 >/dev/null
	pattern write "$T/want" $((1088 * 1024)) 131072 0 >/dev/null
	cmp "$T/want" "$IMG" || fail "$command hit something else"
	blockdev --flushbufs "$LOOP"
done
