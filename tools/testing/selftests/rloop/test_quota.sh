#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The file's owner has used up what he may have: told as "no space", as a file system above
# knows what to do about that, and what was acknowledged is there. (The C driver makes an
# I/O error of it, after acknowledging short writes.)
# variants: xfs btrfs
# stock: xfs
# prev: none
. "${0%/*}/common.sh"
need_rloop
need_fs "$1"

disk 512
MNT=$(mktemp -d "$T/mnt.XXXX")
case $1 in
xfs)
	need xfs_quota
	mkfs.xfs -q -K -f "$DISK"
	mount -t xfs -o uquota "$DISK" "$MNT" 2>/dev/null || skip "no quota for xfs in this kernel"
	defer unmount_below "$MNT"
	: >"$MNT/img"
	chown 1000 "$MNT/img"
	xfs_quota -x -c 'limit bhard=8m 1000' "$MNT"
	;;
btrfs)
	mkfs.btrfs -q -K -f "$DISK"
	mount -t btrfs "$DISK" "$MNT"
	defer unmount_below "$MNT"
	btrfs subvolume create "$MNT/vol" >/dev/null
	btrfs quota enable "$MNT"
	btrfs qgroup limit 8m "$MNT/vol"
	;;
esac
[ "$1" != btrfs ] || MNT=$MNT/vol
IMG=$MNT/img
truncate -s 32M "$IMG"
for dio in on off; do
	attach --direct-io=$dio "$IMG"
	fills_up 32
	# (A new file: btrfs takes its time to give back what was reserved.)
	rm "$IMG"
	sync -f "$MNT"
	truncate -s 32M "$IMG"
	[ "$1" != xfs ] || chown 1000 "$IMG"
done
