#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Bad blocks below: the request that meets one fails with EIO, its neighbours
# do not, and the device works on.
. "${0%/*}/common.sh"

backing block 8
pattern write "$IMG" 0 8388608 1 -s
blockdev --flushbufs "$IMG"
dir=/sys/kernel/config/nullb/${IMG#/dev/}
echo "+2048-2055" >"$dir/badblocks" 2>/dev/null || skip "null_blk has no bad blocks"
for dio in on off; do
	attach --direct-io=$dio "$IMG"
	refused "0 bytes, then EIO" pattern check "$LOOP" 1048576 4096 1 -d -b 4096
	if [ $dio = on ]; then
		refused "0 bytes, then EIO" pattern write "$LOOP" 1048576 4096 1 -d -b 4096
	else
		# Accepted by the cache, refused by the disk.
		refused "EIO" pattern write "$LOOP" 1048576 4096 1 -d -b 4096 -s
	fi
	pattern check "$LOOP" 0 1048576 1 -d
	detach "$LOOP"
done
echo "-2048-2055" >"$dir/badblocks"
blockdev --flushbufs "$IMG"
attach --direct-io=on "$IMG"
pattern check "$LOOP" 0 1048576 1 -d
