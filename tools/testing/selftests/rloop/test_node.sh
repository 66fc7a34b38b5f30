#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Opening a node that has no device makes the device, up to max_loop if that is given.
. "${0%/*}/common.sh"

own_module
node() { mknod "$T/node$1" b 7 "$1"; }
# opens MINOR: so that udev, which may be slow, is not waited for.
opens() { : <"$T/node$1"; } 2>/dev/null

load
node 100
opens 100 || fail "the node could not be opened"
[ -d /sys/block/loop100 ] || fail "no device was made"
settle
backing tmpfs 4
losetup /dev/loop100 "$IMG"
defer detach /dev/loop100
pattern write "$T/node100" 0 65536 1 -d
detach /dev/loop100
unload rloop

# Now it is a limit for nodes, but not for the control node.
load max_loop=3
node 3
! opens 3 || fail "loop3 was made"
absent /sys/block/loop3 || fail "loop3 is there"
losetup /dev/loop2 "$IMG"
defer detach /dev/loop2
detach /dev/loop2
"$HERE/control" add 7
[ -d /sys/block/loop7 ] || fail "the control node made no loop7"
unload rloop

# Of several partitions' minors each one stands for its disk.
load max_loop=0 max_part=3
node 9
opens 9 || true
[ -d /sys/block/loop2 ] || fail "no loop2 for minor 9"
unload rloop
