#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# max_part: minors for partitions beside the device's, and a scan of every device.
# prev: none
. "${0%/*}/common.sh"

own_module
dev() { cat "/sys/block/$1/dev"; }

# Room for 7 partitions and the disk itself.
load max_part=4 max_loop=2
is "max_part in effect" 7 "$(</sys/module/rloop/parameters/max_part)"
is "first device" 7:0 "$(dev loop0)"
is "second device" 7:8 "$(dev loop1)"

backing tmpfs 8
printf '%s\n' 'label: dos' 'start=2048, size=2048' 'start=4096' | sfdisk -q "$IMG"
attach "$IMG"
is "partscan" 1 "$(<"$SYS/loop/partscan")"
is "first partition" 7:1 "$(dev "$NAME/${NAME}p1")"
is "second partition" 7:2 "$(dev "$NAME/${NAME}p2")"
settle
pattern write "${LOOP}p1" 0 65536 3
pattern check "$IMG" 1048576 65536 3
detach "$LOOP"
absent "$SYS/${NAME}p1" || fail "a partition is still there"
# An open of an unbound device scans nothing.
: <"$LOOP"
attach "$IMG"
is "partition, the second time" 7:1 "$(dev "$NAME/${NAME}p1")"
detach "$LOOP"
unload rloop

# None, as for the C driver.
load max_part=-1 max_loop=1
is "max_part" 0 "$(</sys/module/rloop/parameters/max_part)"
is "first device" 7:0 "$(dev loop0)"
unload rloop

for bad in max_part=256 max_part=many "max_part=255 max_loop=4097"; do
	# shellcheck disable=SC2086  # several parameters
	refused "Invalid" insmod "$KO" $bad
	nothing_left loop
done
