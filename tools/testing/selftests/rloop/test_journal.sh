#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A file system in the middle of a transaction writes to a device whose file is in
# another: each has its own.
# variants: ext4 xfs btrfs
# stock: ext4
# prev: ext4
# debug: ext4
# timeout: 120
. "${0%/*}/common.sh"
need fio

# (xfs is 300 MiB at least.)
mib=320 ios=60 all='ext4 xfs btrfs'
[ -z "${RLOOP_FEW:-}" ] || mib=160 ios=12 all='ext4 btrfs'
backing "$1" $mib
fallocate -l ${mib}M "$IMG"
dd if=/dev/zero of="$IMG" bs=1M count=$mib conv=notrunc,fsync status=none
# So that reads below write, too.
mount -o remount,strictatime "$MNT"
attach --direct-io=on "$IMG"
for above in $all; do
	case $above in
	ext4) mkfs.ext4 -q -F "$LOOP" ;;
	xfs) mkfs.xfs -q -f "$LOOP" ;;
	btrfs) mkfs.btrfs -q -f "$LOOP" ;;
	esac
	kernel_has $above
	# udev looks at it, and xfs and btrfs want it alone.
	settle
	if [ $above = ext4 ]; then
		mount_at "$T/$above" -o data=journal "$LOOP"
	else
		mount_at "$T/$above" "$LOOP"
	fi
	fio --name=fsync --directory="$T/$above" --rw=randwrite --bs=4k --size=4m --fsync=1 --numjobs=4 \
		--ioengine=psync --thread --number_ios=$ios >"$T/fio.log" 2>&1 || { cat "$T/fio.log"; fail "fio on $above"; }
	# Metadata that is read again in the middle of a transaction.
	unmount "$T/$above"
	mount_at "$T/$above" "$LOOP"
	rm -f "$T/$above"/fsync.[01]*
	for i in {1..20}; do
		mkdir "$T/$above/$i"
		dd if=/dev/zero of="$T/$above/$i/file" bs=16k count=1 status=none
	done
	unmount "$T/$above"
	case $above in
	ext4) fsck.ext4 -fn "$LOOP" >"$T/fsck.log" 2>&1 ;;
	xfs) xfs_repair -n "$LOOP" >"$T/fsck.log" 2>&1 ;;
	btrfs) btrfs check "$LOOP" >"$T/fsck.log" 2>&1 ;;
	esac || { cat "$T/fsck.log"; fail "the $above is damaged"; }
done
# Files that btrfs keeps checksums of are not written past the page cache.
[ "$1" = btrfs ] || used inline
