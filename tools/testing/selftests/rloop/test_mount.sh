#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A file system on the device, on a file in the same kind of file system: files
# written and checked, mounted again, checked again.
# variants: ext4 xfs btrfs
# stock: ext4
# prev: ext4
# timeout: 120
. "${0%/*}/common.sh"

backing "$1" 320
for dio in on off; do
	attach --direct-io=$dio "$IMG"
	case $1 in
	ext4) mkfs.ext4 -q -F "$LOOP" ;;
	xfs) mkfs.xfs -q -f "$LOOP" ;;
	btrfs) mkfs.btrfs -q -f "$LOOP" ;;
	esac
	mount_at "$T/loop" -t "$1" "$LOOP"
	truncate -s 8M "$T/loop/a" "$T/loop/b"
	pattern write "$T/loop/a" 0 8388608 1 -s
	pattern write "$T/loop/b" 0 8388608 2 -d
	rm "$T/loop/a"
	truncate -s 8M "$T/loop/c"
	pattern write "$T/loop/c" 4096 1000000 3
	fstrim "$T/loop"
	umount "$T/loop"
	detach "$LOOP"
	attach --direct-io=$dio "$IMG"
	mount_at "$T/loop" -t "$1" "$LOOP"
	pattern check "$T/loop/b" 0 8388608 2
	pattern check "$T/loop/c" 4096 1000000 3
	umount "$T/loop"
	case $1 in
	ext4) fsck.ext4 -fn "$LOOP" >/dev/null 2>&1 ;;
	xfs) xfs_repair -n "$LOOP" >/dev/null 2>&1 ;;
	btrfs) btrfs check "$LOOP" >/dev/null 2>&1 ;;
	esac
	detach "$LOOP"
done
