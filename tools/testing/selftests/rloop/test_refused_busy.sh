#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A backing file refuses to zero a range while more requests wait for a tag:
# the device learns from it, and all of them end.
# debug: all
. "${0%/*}/common.sh"

own_module
users=()
filesystem tmpfs
IMG=$MNT/img
truncate -s 8M "$IMG"
load hw_queue_depth=1
busy() { [ "$(awk '{ print $1 }' "$SYS/stat")" -ge 20 ]; }
learnt() { [ "$(<"$SYS/queue/write_zeroes_max_bytes")" = 0 ]; }
attach "$IMG"
[ "$(<"$SYS/queue/write_zeroes_max_bytes")" -gt 0 ] || fail "write-zeroes was given up before"
# (fio does not always end when it is told to.)
user() {
	trap - EXIT ERR
	local pos=$((4194304 + $1 * 65536))
	until [ -e "$T/enough" ]; do
		pattern write "$LOOP" $pos 65536 "$1" -d -b 4096
		pattern check "$LOOP" $pos 65536 "$1" -d -b 4096
	done
}
for i in {1..8}; do
	user "$i" &
	users+=($!)
done
enough() { : >"$T/enough"; }
defer enough
soon busy
blkdiscard -z -l 1M "$LOOP"
soon learnt
# None is left behind.
enough
for u in "${users[@]}"; do
	wait "$u"
done
