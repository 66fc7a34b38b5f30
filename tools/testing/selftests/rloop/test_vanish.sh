#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The disk that the backing file is on is pulled out while it is written to: every request
# ends, the device can be detached, and the next disk works.
# prev: none
# debug: all
# timeout: 120
. "${0%/*}/common.sh"

scsi_disk 128
modes="on off"
[ "$DRIVER" != rloop ] || modes+=" pin"
for dio in $modes; do
	mkfs.ext4 -q -F -b 4096 -E nodiscard,lazy_itable_init=0 "$DISK"
	mkdir "$T/$dio"
	mount -t ext4 "$DISK" "$T/$dio"
	defer unmount "$T/$dio"
	IMG=$T/$dio/img
	: >"$IMG"
	pattern write "$IMG" 0 33554432 1 -s
	attach --direct-io="${dio/pin/on}" "$IMG"
	[ $dio != pin ] || echo 1 >"$SYS/rloop/pin"
	pattern check "$LOOP" 0 1048576 1 -d
	while pattern write "$LOOP" 0 33554432 2 -d -b 65536 -s >"$T/out"; do :; done &
	writer=$!
	sleep 0.5
	echo 1 >"$HOST/device/delete"
	# Written to the cache, until that has to be written back.
	wait $writer
	grep -qE 'EIO|ENODEV|EROFS|ENOSPC' "$T/out" || { cat "$T/out"; fail "another error"; }
	echo 3 >/proc/sys/vm/drop_caches
	refused "EIO" pattern check "$LOOP" 16777216 16777216 3 -d -b 65536
	detach "$LOOP"
	umount "$T/$dio"
	# Another disk comes.
	echo 1 >/sys/bus/pseudo/drivers/scsi_debug/add_host
	scsi_disk_found
done
