#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# One task submits to the device and to what lies below it in one batch. While requests of the disk
# wait in its plug, or on its stack, with the disk's tags, none may wait for a tag on their behalf.
# variants: io_submit io_uring sqpoll block dm passthrough
# uml: io_submit io_uring sqpoll block dm
# stock: io_submit io_uring passthrough
# prev: io_submit
# debug: io_submit io_uring
# timeout: 120
. "${0%/*}/common.sh"

how=()
case $1 in
io_uring | sqpoll | passthrough)
	[ -e /proc/sys/kernel/io_uring_disabled ] || skip "no io_uring in this kernel"
	how=(-u)
	[ "$1" = io_uring ] || how=(-q)
	;;
*) [ -e /proc/sys/fs/aio-max-nr ] || skip "no AIO in this kernel" ;;
esac
rounds=12 # of each batch
batch() { ends "$HERE/batch" "${how[@]}" -n $rounds "$@"; }
mib=$((1 << 20))

# plugs TAGS: reads of the device (dev) and of what has the same disk below it (low), which has so
# many tags.
dev() { echo "$LOOP,$1,1"; }
low() { echo "$path,$1,$seed,$offset"; }
plugs() {
	# The requests of the disk wait in the plug, with all tags, behind the device's. (io_submit() has
	# a plug for three.)
	batch "$(dev 2)" "$(low "$1")"
	batch "$(low 1)" "$(dev 3)" "$(low "$1")"
	# Tags that the task has in reserve.
	batch "$(low 1)" "$(dev "$((2 + $1))")"
	# The plug is full, and the one that is to go into it waits on the stack.
	batch "$(dev 32)" "$(low 1)"
	batch "$(dev 33)" "$(low 1)" "$(dev 40)" "$(low 2)"
	batch "$(dev 96)" "$(low 1)"
	# The same for a first request of 128 KiB. (The disk takes it as one, or a worker would serve it.)
	batch -b 131072 "$(dev 2)" "$(low 1)"
}

case $1 in
passthrough)
	# A command to a disk below, past the block layer's queue, with its only tag: it waits on the stack
	# of the task while a full plug is flushed.
	scsi_disk 48 max_queue=1
	echo none >"/sys/block/${DISK#/dev/}/queue/scheduler"
	bsg=/dev/bsg/$(basename "$(readlink -f "/sys/block/${DISK#/dev/}/device")")
	[ -c "$bsg" ] || skip "no bsg in this kernel"
	need_fs ext4
	mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=1 "$DISK"
	mount_at "$T/low" -o noinit_itable "$DISK"
	truncate -s $((16 * mib)) "$T/low/img"
	pattern write "$T/low/img" 0 $((16 * mib)) 1 -s
	attach --direct-io=on "$T/low/img"
	how=(-p "$bsg")
	for n in 2 32 33 64; do
		batch "$LOOP,$n,1"
	done
	exit 0
	;;
dm)
	# What one read or write of the stripes is split into goes to both.
	disk 64 hw_queue_depth=4
	echo none >"/sys/block/${DISK#/dev/}/queue/scheduler"
	dm rloop-low "0 65536 linear $DISK 0"
	low=$DM
	dm rloop-high "0 65536 linear $DISK 65536"
	high=$DM
	need_fs ext4
	mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=1 "$low"
	mount_at "$T/low" -o noinit_itable "$low"
	truncate -s $((16 * mib)) "$T/low/img"
	pattern write "$T/low/img" 0 $((16 * mib)) 1 -s
	attach --direct-io=on "$T/low/img"
	dm rloop-both "0 65536 striped 2 16 $LOOP 0 $high 0"
	ends pattern write "$DM" 0 $((16 * mib)) 2 -d -b 65536
	ends pattern check "$DM" 0 $((16 * mib)) 2 -d -b 65536
	batch -b 16384 "$DM,4,2"
	batch -b 16384 "$DM,8,2"
	# Written back from the page cache.
	ends pattern write "$DM" 0 $((16 * mib)) 3 -s
	ends pattern check "$DM" 0 $((16 * mib)) 3 -d -b 65536
	exit 0
	;;
block)
	backing block 64 hw_queue_depth=1 max_sectors=2048
	pattern write "$DISK" 0 $((32 * mib)) 1 -s
	pattern write "$DISK" $((32 * mib)) $((8 * mib)) 2 -s
	blockdev --flushbufs "$DISK"
	attach --direct-io=on --sizelimit $((32 * mib)) "$DISK"
	other=$DISK,2,$((32 * mib))
	;;
*)
	backing ext4 32 hw_queue_depth=1 max_sectors=2048
	pattern write "$IMG" 0 $((32 * mib)) 1 -s
	truncate -s $((8 * mib)) "$MNT/other"
	pattern write "$MNT/other" 0 $((8 * mib)) 2 -s
	truncate -s $((16 * mib)) "$MNT/second"
	pattern write "$MNT/second" 0 $((16 * mib)) 3 -s
	attach --direct-io=on "$IMG"
	other=$MNT/other,2,0
	;;
esac
IFS=, read -r path seed offset <<<"$other"
echo none >"/sys/block/${DISK#/dev/}/queue/scheduler"
plugs 1
# Requests that a scheduler gives tags to.
if echo mq-deadline >"/sys/block/${DISK#/dev/}/queue/scheduler" 2>/dev/null; then
	plugs "$(<"/sys/block/${DISK#/dev/}/queue/nr_requests")"
	echo none >"/sys/block/${DISK#/dev/}/queue/scheduler"
fi
# The disk itself, too, whatever is there.
batch "$(dev 1)" "$DISK,1,0" "$(low 1)"
[ "$1" != block ] || exit 0

# Writes, and a second device on the same disk.
first=$LOOP
attach --direct-io=on "$MNT/second"
batch "$first,2,1,$((16 * mib)),w" "$LOOP,2,3,$((8 * mib)),w" "$first,1,1" "$LOOP,1,3" "$path,1,2"
batch "$first,33,1" "$LOOP,1,3" "$path,1,2"
detach "$LOOP"
pattern check "$MNT/second" 0 $((8 * mib)) 3
