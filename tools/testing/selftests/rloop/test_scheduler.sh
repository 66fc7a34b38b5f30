#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# With an I/O scheduler on the device, and more tasks than CPUs, data is as it should be.
# variants: mq-deadline bfq kyber
# uml: mq-deadline
# stock: bfq kyber
# prev: none
. "${0%/*}/common.sh"

modprobe -q "$1" 2>/dev/null || modprobe -q "$1-iosched" 2>/dev/null || true
backing block 32
attach --direct-io=on "$IMG"
grep -qw "$1" "$SYS/queue/scheduler" || skip "no $1 in this kernel"
echo "$1" >"$SYS/queue/scheduler"
defer sh -c "echo none >$SYS/queue/scheduler"
verify_fio "$LOOP" --size=4m --offset_increment=4m --numjobs=6 --bsrange=4k-8k --iodepth=32 \
	--iodepth_batch_submit=8 --iodepth_batch_complete_min=1 --iodepth_batch_complete_max=8
blockdev --flushbufs "$LOOP"
cmp "$LOOP" "$IMG"
[ "$DRIVER" = rloop ] || exit 0
# A single request is dispatched by kblockd, which leaves it to a worker: to wait for the disk below
# could be to wait for itself. (udev reads a device that has been written, unless it is locked.)
exec {lock}<"$LOOP"
flock "$lock"
pattern write "$LOOP" 0 1048576 1 -d -b 4096
inline() { echo $(($(counter remapped) + $(counter inline))); }
before=$(inline)
pattern check "$LOOP" 0 1048576 1 -d -b 4096
is "requests that kblockd served" "$before" "$(inline)"
used worker_kblockd
exec {lock}<&-
