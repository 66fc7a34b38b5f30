#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# name=loopr: both drivers at work side by side, each with its own disks,
# control node and major.
# prev: none
. "${0%/*}/common.sh"

own_module
modprobe -q loop 2>/dev/null || skip "no loop.ko in this kernel"
load name=loopr max_loop=2
is "the parameter" loopr "$(</sys/module/rloop/parameters/name)"
is "disks" 2 "$(devices loopr)"
[ -c /dev/loopr-control ] || fail "no control node"
is "the majors" "loop loopr" "$(awk '/^Block/ { b = 1 } b && ($1 == 7 || $2 == "loopr") { printf "%s%s", n++ ? " " : "", $2 }' /proc/devices)"

backing tmpfs 4
cp "$IMG" "$MNT/other"
losetup --direct-io=on /dev/loopr0 "$IMG"
defer detach /dev/loopr0
attach "$MNT/other"
pattern write /dev/loopr0 0 1048576 1 -d
pattern write "$LOOP" 0 1048576 2 -d
pattern check "$IMG" 0 1048576 1
pattern check "$MNT/other" 0 1048576 2
is "backing_file" "$IMG" "$(</sys/block/loopr0/loop/backing_file)"
[ "$(</sys/block/loopr0/rloop/write_direct)" -gt 0 ] || fail "the counter stands still"
detach /dev/loopr0
detach "$LOOP"
unload rloop
nothing_left loopr
unload loop
