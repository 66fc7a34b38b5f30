#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The queue of the disk below is frozen, to change its scheduler and its requests, while a task
# submits to the device and to the disk in one batch: what freezes waits for the requests in the
# task's plug, so the task must not wait for the queue before it has let them go.
# variants: io_submit io_uring
# debug: io_submit
# timeout: 120
. "${0%/*}/common.sh"

how=()
if [ "$1" = io_uring ]; then
	[ -e /proc/sys/kernel/io_uring_disabled ] || skip "no io_uring in this kernel"
	how=(-u)
else
	[ -e /proc/sys/fs/aio-max-nr ] || skip "no AIO in this kernel"
fi
times=40
[ -z "${RLOOP_FEW:-}" ] || times=25

backing ext4 16
pattern write "$IMG" 0 16777216 1 -s
truncate -s 8388608 "$MNT/other"
pattern write "$MNT/other" 0 8388608 2 -s
attach --direct-io=on "$IMG"
queue=/sys/block/${DISK#/dev/}/queue
: >"$T/go"
stop() { rm -f "$T/go" && wait; }
defer stop
"$HERE/batch" "${how[@]}" -w "$T/go" "$LOOP,1,1" "$MNT/other,4,2" >"$T/batches" 2>&1 &
reads=$!
"$HERE/batch" "${how[@]}" -w "$T/go" "$MNT/other,3,2" "$LOOP,2,1,8388608,w" >"$T/more" 2>&1 &
writes=$!
switch() {
	local i
	for ((i = 0; i < times; i++)); do
		echo $((32 + i % 2 * 32)) >"$queue/nr_requests"
		echo mq-deadline >"$queue/scheduler" 2>/dev/null || true
		echo none >"$queue/scheduler"
	done
}
ends switch
rm "$T/go"
ended $reads batch || { cat "$T/batches"; fail "the reads"; }
ended $writes batch || { cat "$T/more"; fail "the writes"; }
cat "$T/batches" "$T/more"
