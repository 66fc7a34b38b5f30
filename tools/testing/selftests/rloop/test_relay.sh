#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where one task does nothing but submit batches, and CPUs are idle, a worker begins
# them; what is written is the same.
# variants: block ext4
# few: block
# prev: none
# cpus: 2
# timeout: 120
# uml: none
. "${0%/*}/common.sh"
need_rloop
[ "$(nproc)" -ge 2 ] || skip "only one CPU"
[ -e /proc/sys/fs/aio-max-nr ] || skip "no AIO in this kernel"

mib=96
[ -z "${RLOOP_FEW:-}" ] || mib=16
backing "$1" $mib
[ "$1" = block ] || dd if=/dev/zero of="$IMG" bs=1M count=$mib conv=notrunc,fsync status=none
attach --direct-io=on "$IMG"
"$HERE/cost" "$LOOP" write 32 1000000000 &
busy=$!
stop() {
	kill $busy 2>/dev/null || return 0
	wait $busy || true
}
defer stop
relayed() { [ "$(counter relayed)" -gt 0 ]; }
soon relayed
stop

size=64m
[ -z "${RLOOP_FEW:-}" ] || size=8m
verify_fio "$LOOP" --bsrange=4k-16k --size=$size --iodepth=32 --iodepth_batch_submit=8 \
	--iodepth_batch_complete_min=8 --iodepth_batch_complete_max=8
blockdev --flushbufs "$LOOP"
cmp "$LOOP" "$IMG"
