#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# rmmod is refused while a device is bound or a node is open, and leaves
# nothing behind otherwise.
# debug: all
. "${0%/*}/common.sh"

own_module
for round in 1 2 3; do
	load
	backing tmpfs 4
	attach "$IMG"
	refused "in use" rmmod rloop
	pattern write "$LOOP" 0 65536 $round -d
	detach "$LOOP"

	exec 9<"$LOOP"
	refused "in use" rmmod rloop
	exec 9<&-
	exec 9</dev/loop-control
	refused "in use" rmmod rloop
	exec 9<&-

	unload rloop
	nothing_left loop
	pattern check "$IMG" 0 65536 $round
done
