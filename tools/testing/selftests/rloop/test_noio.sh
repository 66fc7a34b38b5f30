#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What is allocated while a task serves its own request must not make it reclaim memory
# by way of the device.
# prev: all
# uml: none
. "${0%/*}/common.sh"
need_rloop
[ -e /proc/sys/fs/aio-max-nr ] || skip "no AIO in this kernel"
need_trace
event=$TRACE/events/kmem/mm_page_alloc
[ -e "$event/trigger" ] || skip "no mm_page_alloc event in this kernel"

# Many are under way at once, so that there is something to allocate. Where the page cache of a
# device holds anything, bios are not passed on to it, but made anew.
backing block 64 irqmode=2 completion_nsec=50000000 hw_queue_depth=256
attach --direct-io=on "$IMG"
dd if="$IMG" of=/dev/null bs=4k count=1 skip=16000 status=none
for cache in /sys/kernel/slab/*/shrink; do
	echo 1 >"$cache" 2>/dev/null || true
done
echo >"$TRACE/trace"
echo stacktrace >"$event/trigger"
stop() {
	echo '!stacktrace' >"$event/trigger"
	echo 0 >"$event/enable"
}
defer stop
echo 1 >"$event/enable"
"$HERE/cost" "$LOOP" read 128 1000 >/dev/null
stop
cp "$TRACE/trace" "$T/trace"
used inline
# Each event, and its stack in the lines behind it.
awk '/mm_page_alloc:/ { flags = $NF } /rloop_main.*queue_rq/ && flags { print flags; flags = "" }' "$T/trace" |
	sort | uniq -c >"$T/flags"
[ -s "$T/flags" ] || fail "nothing was allocated"
cat "$T/flags"
! grep -E 'GFP_KERNEL|GFP_USER|GFP_HIGHUSER|GFP_NOFS|__GFP_IO|__GFP_FS' "$T/flags" || fail "with I/O"
