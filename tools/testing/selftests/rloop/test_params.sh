#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Module parameters: what they do, and that bad ones leave nothing behind.
. "${0%/*}/common.sh"

own_module
param() { cat "/sys/module/rloop/parameters/$1"; }

load
is "name" loop "$(param name)"
is "hw_queue_depth" 128 "$(param hw_queue_depth)"
is "dio" 0 "$(param dio)"
is "poll_queues" 0 "$(param poll_queues)"
is "devices" "$(param max_loop)" "$(devices)"
unload rloop

load max_loop=3 hw_queue_depth=16
is "max_loop" 3 "$(param max_loop)"
is "devices" 3 "$(devices)"
is "hw_queue_depth" 16 "$(param hw_queue_depth)"
is "depth of the queue" 16 "$(</sys/block/loop0/queue/nr_requests)"
unload rloop

# None at first: they are made when asked for.
load max_loop=0
is "devices" 0 "$(devices)"
backing tmpfs 4
attach "$IMG"
pattern write "$LOOP" 0 65536 1 -d
detach "$LOOP"
unload rloop

for bad in hw_queue_depth=0 hw_queue_depth=-1 hw_queue_depth=many \
	max_loop=many max_loop=2000000 poll_queues=65 dio=2 dio=maybe; do
	refused "Invalid" insmod "$KO" "$bad"
	nothing_left loop
done
