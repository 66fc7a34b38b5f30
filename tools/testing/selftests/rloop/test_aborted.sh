#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The backing's file system gives up after an error and becomes read-only: writes fail, with
# an error, reads go on, and the device lets go of the file. No test makes it read-only by
# hand while the device may write.
# debug: all
. "${0%/*}/common.sh"

for dio in on off; do
	disk 128
	mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0 "$DISK"
	mkdir "$T/$dio"
	mount -t ext4 -o errors=remount-ro "$DISK" "$T/$dio"
	defer unmount "$T/$dio"
	IMG=$T/$dio/img
	: >"$IMG"
	pattern write "$IMG" 0 4194304 1 -s
	attach --direct-io=$dio "$IMG"
	refused "busy" mount -o remount,ro "$T/$dio"
	pattern write "$LOOP" 0 1048576 2 -d -s
	trigger=/sys/fs/ext4/${DISK#/dev/}/trigger_fs_error
	[ -e "$trigger" ] || skip "this ext4 can't be made to fail"
	echo "rloop selftest" >"$trigger"
	refused "EIO" pattern write "$LOOP" 1048576 1048576 3 -d -s
	pattern check "$LOOP" 0 1048576 2 -d
	pattern check "$LOOP" 2097152 1048576 1 -d -p 2097152
	detach "$LOOP"
	pattern check "$IMG" 0 1048576 2
	umount "$T/$dio"
done
