#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# With an offset, discards and zeroes hit what the device calls its blocks.
. "${0%/*}/common.sh"

backing tmpfs 4
attach -o 1M --sizelimit 2M "$IMG"
# tmpfs has no ZERO_RANGE; once that is known, there is no unmapping either.
for command in blkdiscard "fallocate -p" "blkdiscard -z"; do
	pattern write "$IMG" 0 4194304 1
	$command -o 64K -l 128K "$LOOP"
	# 64 KiB into the device, that is 1088 KiB into the file.
	pattern check "$IMG" 0 1114112 1
	pattern check "$IMG" 1114112 131072 0
	pattern check "$IMG" 1245184 2949120 1 -p 1245184
	blockdev --flushbufs "$LOOP"
done
