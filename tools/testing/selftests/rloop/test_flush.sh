#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fsync on the device reaches the disk below the backing: the data is written
# there, and its cache is flushed.
# variants: ext4 xfs btrfs block
# stock: ext4 block
# prev: xfs
. "${0%/*}/common.sh"

backing "$1" 4 cache_size=64 fua=0
for dio in on off; do
	attach --direct-io=$dio "$IMG"
	is "write cache" "write back" "$(<"$SYS/queue/write_cache")"
	sectors=$(sectors_written "$DISK")
	before=$(flushes "$DISK")
	pattern write "$LOOP" 0 2097152 1 -d -s
	[ "$(flushes "$DISK")" -gt "$before" ] || fail "$dio: no flush reached $DISK"
	written=$(($(sectors_written "$DISK") - sectors))
	[ $written -ge 4096 ] || fail "$dio: only $written sectors written to $DISK"
	used flush
	detach "$LOOP"
done
