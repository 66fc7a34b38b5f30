#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The limits of the queue are those of the backing.
# variants: ext4 block
# stock: ext4
. "${0%/*}/common.sh"

backing "$1" 4
below=/sys/block/${DISK#/dev/}/queue
attach --direct-io=on "$IMG"
is "rotational" "$(<"$below/rotational")" "$(<"$SYS/queue/rotational")"
is "logical block size" 512 "$(<"$SYS/queue/logical_block_size")"
cache="write back"
# The requests of a block device go there as they are, and so do its flushes.
[ "$DRIVER,$1" != rloop,block ] || cache=$(<"$below/write_cache")
is "write cache" "$cache" "$(<"$SYS/queue/write_cache")"
[ "$DRIVER,$cache" != "rloop,write back" ] || is "FUA" 1 "$(<"$SYS/queue/fua")"
if [ "$1" = ext4 ]; then
	is "discard granularity" "$(stat -f -c %S "$MNT")" "$(<"$SYS/queue/discard_granularity")"
	[ "$(<"$SYS/queue/discard_max_bytes")" -gt 1073741824 ]
	[ "$(<"$SYS/queue/write_zeroes_max_bytes")" -gt 1073741824 ]
fi
detach "$LOOP"
# Nothing of it stays.
is "logical block size" 512 "$(<"$SYS/queue/logical_block_size")"
