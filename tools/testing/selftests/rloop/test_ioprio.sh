#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The I/O below has the priority of the task that writes to the device.
# variants: block pinned
# stock: all
# uml: none
. "${0%/*}/common.sh"

need ionice
need_trace
EVENT=$TRACE/events/block/block_rq_issue
[ -d "$EVENT" ] || skip "no trace events of the block layer in this kernel"
grep -q ioprio "$EVENT/format" || skip "the trace event has no priority"
backing "${1/pinned/ext4}" 16
dd if=/dev/zero of="$IMG" bs=1M count=16 conv=notrunc,fsync status=none
attach --direct-io=on "$IMG"
if [ "$1" = pinned ]; then
	need_rloop
	echo 1 >"$SYS/rloop/pin"
fi
nr=$(<"/sys/block/${DISK#/dev/}/dev")
echo "dev == $((${nr%:*} << 20 | ${nr#*:}))" >"$EVENT/filter"
echo 1 >"$EVENT/enable"
stop() { echo 0 >"$EVENT/enable"; echo 0 >"$EVENT/filter"; }
defer stop
# writes_as WANT CLASS LEVEL
writes_as() {
	: >"$TRACE/trace"
	ionice -c "$2" -n "$3" dd if=/dev/zero of="$LOOP" bs=4k count=1 oflag=direct status=none
	grep block_rq_issue "$TRACE/trace" >"$T/events" || fail "no event below the device"
	grep -qF "$1" "$T/events" || { cat "$T/events"; fail "none with the priority $1"; }
}
writes_as rt,0,3 1 3
writes_as be,0,6 2 6
