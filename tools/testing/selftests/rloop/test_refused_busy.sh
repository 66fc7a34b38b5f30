#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A backing file refuses to zero a range while more requests wait for a tag:
# the device learns from it, and all of them end.
. "${0%/*}/common.sh"

own_module
need fio
filesystem tmpfs
IMG=$MNT/img
truncate -s 8M "$IMG"
load hw_queue_depth=1
busy() { [ "$(awk '{ print $1 }' "$SYS/stat")" -ge 20 ]; }
learnt() { [ "$(<"$SYS/queue/write_zeroes_max_bytes")" = 0 ]; }
attach "$IMG"
[ "$(<"$SYS/queue/write_zeroes_max_bytes")" -gt 0 ] || fail "write-zeroes was given up before"
fio --name=busy --filename="$LOOP" --rw=randrw --bs=4k --direct=1 --ioengine=psync \
	--thread --numjobs=8 --offset=4m --size=2m --time_based --runtime=600 >"$T/fio.log" 2>&1 &
fio=$!
stop() { kill $fio 2>/dev/null || true; }
defer stop
soon busy
blkdiscard -z -l 1M "$LOOP"
soon learnt
# None is left behind.
kill -INT $fio
wait $fio || true
! grep "error=" "$T/fio.log" || fail "fio"
