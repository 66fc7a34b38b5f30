#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each request that goes to a worker is counted once, under the reason for it.
# variants: ext4 xfs block
# stock: all
# prev: ext4
# debug: block
. "${0%/*}/common.sh"
need_rloop

# Every request is one of a kind, and goes one way.
balanced() {
	local kinds ways
	settle
	kinds=$(($(sum "*_direct") + $(sum "*_buffered") - $(counter worker_buffered) + $(sum flush) + $(sum discard) + $(sum write_zeroes)))
	ways=$(($(sum inline) + $(sum remapped) + $(sum "worker_*") - $(counter worker_short) - $(counter worker_direct_refused) - $(counter worker_stale)))
	is "of the requests, those that went one way" $kinds $ways
}
# because REASON LEAST CMD...: of the requests of the command at least so many went to a worker for that.
because() {
	local before
	before=$(counter "worker_$1")
	"${@:3}"
	[ $(($(counter "worker_$1") - before)) -ge "$2" ] ||
		fail "$(($(counter "worker_$1") - before)) requests counted in worker_$1, not $2: ${*:3}"
}
# write OFFSET BYTES [OPTION]...
write() { pattern write "$LOOP" "$1" "$2" 1 -d -b 4096 "${@:3}"; }

mib=$((1 << 20))
attributes=()
[ "$1" != block ] || attributes=(max_sectors=64)
backing "$1" 64 "${attributes[@]}"
[ "$1" = block ] || pattern write "$IMG" 0 $((64 * mib)) 1 -s

# Without data.
attach --direct-io=on "$IMG"
if [ "$1" != block ]; then
	because flush 1 write 0 4096 -s
	because discard 1 blkdiscard -o 8M -l 64K "$LOOP"
	because write_zeroes 1 blkdiscard -z -o 8M -l 64K "$LOOP"
fi
balanced

# Guards.
if [ "$1" != block ]; then
	limited() { (ulimit -f 2048 && "$@"); }
	because file_size 4 limited write $((32 * mib)) 16384
	because fua 4 "$HERE/fua" "$LOOP" 4
fi
[ ! -e /proc/sys/fs/aio-max-nr ] || because plug 2 "$HERE/batch" "$LOOP,3,0" "$DISK,2,0"
balanced
detach "$LOOP"

case $1 in
ext4)
	# Holes: what is refused, and what is not tried then.
	truncate -s 4M "$MNT/sparse"
	attach --direct-io=on "$MNT/sparse"
	because refused 2 because backoff 1 write 0 131072
	balanced
	detach "$LOOP"

	attach --direct-io=off "$IMG"
	because buffered 4 write 0 16384
	blockdev --flushbufs "$LOOP"
	echo 3 >/proc/sys/vm/drop_caches
	because not_cached 1 dd if="$LOOP" of=/dev/null iflag=direct bs=64k count=4 status=none
	balanced

	# A device on the device.
	lower=$LOOP
	attach --direct-io=on "$lower"
	because over_loop 4 write 0 16384
	balanced
	detach "$LOOP"
	detach "$lower"

	chattr +S "$IMG"
	attach --direct-io=on "$IMG"
	because sync 4 write 0 16384
	balanced
	detach "$LOOP"
	;;
xfs)
	attach --direct-io=off "$IMG"
	because long_copy 1 pattern write "$LOOP" 0 $mib 1 -d -b $mib
	balanced
	detach "$LOOP"
	;;
block)
	attach --direct-io=on "$IMG"
	because too_long 1 pattern write "$LOOP" 0 $mib 1 -d -b $mib
	balanced
	detach "$LOOP"
	attach --direct-io=off "$IMG"
	because buffered 4 write 0 16384
	balanced
	detach "$LOOP"

	# Direct and cached requests take turns.
	backing block 8 blocksize=4096
	attach --sector-size 512 --direct-io=on "$IMG"
	because exclusion 4 write 0 16384
	balanced
	detach "$LOOP"
	;;
esac
attach "$IMG"
unused worker_discard worker_write_zeroes worker_fua worker_sync worker_file_size worker_long_copy worker_over_loop
