#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Files that can't be pinned: the error of the store, the reason in sysfs and one line in the log; the
# device goes on as an ordinary one, and the file is not held still.
# variants: ext4 xfs btrfs others f2fs vfat verity encrypted zoned
# uml: ext4 xfs btrfs others vfat
# stock: ext4 xfs btrfs others f2fs verity encrypted zoned
# prev: ext4
# debug: ext4 xfs
# timeout: 120
. "${0%/*}/common.sh"
. "$HERE/pin.sh"

EINVAL="Invalid argument" EBUSY="busy"

# not_pinned ERROR REASON: of the device that is bound.
not_pinned() {
	log_mark
	refused "$1" set_pin 1
	is "pin" 0 "$(pinned)"
	is "pin_reason" "refused: $2" "$(pin_reason)"
	is "lines in the log" 1 "$(said "not pinned: $2")"
}
# as_ever [OFFSET]: the device and the file have the same bytes, and either can be written.
as_ever() {
	local at=${1:-0}
	pattern write "$LOOP" 0 65536 8 -d
	pattern check "$IMG" "$at" 65536 8
	pattern write "$IMG" "$at" 65536 9
	pattern check "$LOOP" 0 65536 9 -d
}
# refusal ERROR REASON [OPTION]...: of IMG, attached with these options.
refusal() {
	attach "${@:3}" "$IMG"
	not_pinned "$1" "$2"
	as_ever
	detach "$LOOP"
	free "$IMG"
}
HOLES="the file has holes or unwritten extents"
FS="the file system moves blocks or has none"
REFUSED="the file system refused (shared, compressed or copied extents)"
NO_DIO="the file has no direct I/O (journaled or inline data)"

# What any file system refuses. IMG is one that can be pinned, of 2 MiB.
any() {
	fallocate -p -o 1M -l 64K "$IMG"
	refusal "$EINVAL" "$HOLES"
	refusal "$EINVAL" "$HOLES" --direct-io=on
	fallocate -o 1M -l 64K "$IMG"
	refusal "$EINVAL" "$HOLES"
	written "$IMG" 2

	truncate -s $((2 * MIB + 512)) "$IMG"
	dd if=/dev/zero of="$IMG" bs=512 seek=4096 count=1 conv=notrunc status=none
	refusal "$EINVAL" "the size of the file is no multiple of the page"
	truncate -s 0 "$IMG"
	attach "$IMG"
	not_pinned "$EINVAL" "the size of the file is no multiple of the page"
	detach "$LOOP"
	written "$IMG" 2
	attach -o 512 "$IMG"
	not_pinned "$EINVAL" "the offset is no multiple of the page"
	as_ever 512
	detach "$LOOP"
	free "$IMG"
	written "$IMG" 2

	# For as long as it is mapped.
	coproc map { "$HERE/fsop" map "$IMG"; }
	mapper=$!
	read -r -u "${map[0]}" _
	attach "$IMG"
	not_pinned "$EBUSY" "the file is mapped writable"
	as_ever
	eval "exec ${map[1]}>&-"
	wait "$mapper"
	pin
	# Another device on it neither gets the pin nor takes it.
	first=$LOOP
	attach "$IMG"
	not_pinned "$EBUSY" "another loop device has the file"
	pattern check "$LOOP" 0 65536 9 -d
	held "$IMG"
	detach "$LOOP"
	held "$IMG"
	detach "$first"
	free "$IMG"
	attach "$IMG"
	first=$LOOP
	attach "$IMG"
	not_pinned "$EBUSY" "another loop device has the file"
	as_ever
	detach "$first"
	pin
	detach "$LOOP"
	free "$IMG"
	written "$IMG" 2
}

# A swap file stays one.
swap() {
	need mkswap swapon
	[ -e /proc/swaps ] || return 0
	chmod 600 "$IMG"
	mkswap "$IMG" >/dev/null
	swapon "$IMG"
	defer swap_off "$IMG"
	attach "$IMG"
	not_pinned "$EBUSY" "the file is pinned or used as swap"
	held "$IMG"
	swapoff "$IMG"
	pin
	refused "busy" swapon "$IMG"
	detach "$LOOP"
	free "$IMG"
	written "$IMG" 2
}
swap_off() { ! grep -q "^$1 " /proc/swaps || swapoff "$1"; }

# new_ext4 [OPTION]...: IMG is to be on a new file system that mkfs.ext4 makes with these options.
new_ext4() {
	disk 128
	mkfs.ext4 -q -F -b "$BLOCK" -E nodiscard,lazy_itable_init=0 "$@" "$DISK"
	mounted "$DISK" "$(mktemp -d "$T/mnt.XXXX")"
	IMG=$MNT/img
}

case $1 in
ext4)
	pinnable ext4 2
	[ -n "${RLOOP_FEW:-}" ] || any
	swap

	# Journaled by the mount; by a flag, which has no effect with delayed allocation.
	new_ext4
	umount "$MNT"
	mount -t ext4 -o data=journal "$DISK" "$MNT"
	written "$IMG" 2
	refusal "$EINVAL" "$NO_DIO"
	umount "$MNT"
	mount -t ext4 -o nodelalloc "$DISK" "$MNT"
	chattr +j "$IMG"
	refusal "$EINVAL" "$NO_DIO"
	chattr -j "$IMG"
	attach "$IMG"
	pin
	# While it is pinned, the flag is set and has its effect; no data goes to the journal.
	chattr +j "$IMG"
	pattern write "$LOOP" 0 $MIB 2 -d -s
	pattern check "$IMG" 0 $MIB 2 -d
	pattern check "$IMG" 0 $MIB 2
	unpin
	as_ever
	not_pinned "$EINVAL" "$NO_DIO"
	detach "$LOOP"
	free "$IMG"

	# In the inode.
	new_ext4 -O inline_data -I 1024
	head -c 512 /dev/urandom >"$IMG"
	attach "$IMG"
	not_pinned "$EINVAL" "$NO_DIO"
	cmp "$LOOP" "$IMG"
	detach "$LOOP"
	rm "$IMG"

	# Blocks below the page: pages of the file are in several pieces.
	new_ext4 -b 1024
	written "$IMG" 1
	"$HERE/fsop" fragment "$IMG" "$MNT/other" 1024 2048
	pattern write "$IMG" 0 $((2 * MIB)) 1 -s
	refusal "$EINVAL" "extents are no multiples of the page"

	# Blocks of the disk.
	pinnable ext4 2 blocksize=4096
	refusal "$EINVAL" "the disk below needs another logical block size" --sector-size 512
	attach --sector-size 4096 "$IMG"
	pin
	refused "$EINVAL" losetup --sector-size 512 "$LOOP"
	in_effect
	detach "$LOOP"
	;;
xfs)
	pinnable xfs 2
	[ "${RLOOP_SLOW:-1}" != 1 ] || any
	swap
	cp --reflink=always "$IMG" "$MNT/copy"
	refusal "$EINVAL" "$REFUSED"
	cp --reflink=always "$IMG" "$MNT/copy"
	attach "$IMG"
	not_pinned "$EINVAL" "$REFUSED"
	# Shared no more.
	rm "$MNT/copy"
	pin
	detach "$LOOP"
	free "$IMG"
	truncate -s $((17 * BLOCK / 4096))T "$MNT/large"
	attach "$MNT/large"
	not_pinned "File too large" "the file is larger than the kernel can hold still"
	detach "$LOOP"
	;;
btrfs)
	pinnable btrfs 2
	[ "${RLOOP_SLOW:-1}" != 1 ] || any
	cp --reflink=always "$IMG" "$MNT/copy" 2>/dev/null || { : >"$MNT/copy" && chattr +C "$MNT/copy" && cp --reflink=always "$IMG" "$MNT/copy"; }
	attach "$IMG"
	not_pinned "$EINVAL" "$REFUSED"
	rm "$MNT/copy"
	detach "$LOOP"
	free "$IMG"
	# With copy on write.
	IMG=$MNT/cow
	dd if=/dev/urandom of="$IMG" bs=1M count=8 status=none
	refusal "$EINVAL" "$REFUSED"
	rm "$IMG"
	;;
others)
	filesystem tmpfs
	IMG=$MNT/img
	written "$IMG" 2
	refusal "$EINVAL" "$FS"

	disk 8
	IMG=$DISK
	attach --direct-io=on "$IMG"
	not_pinned "$EINVAL" "a block device needs none"
	pattern write "$LOOP" 0 65536 8 -d
	pattern check "$IMG" 0 65536 8 -d
	detach "$LOOP"

	kernel_has overlay
	filesystem ext4
	mkdir "$MNT/lower" "$MNT/upper" "$MNT/work"
	lower=$MNT
	mounted overlay "$T/merged" -t overlay -o "lowerdir=$lower/lower,upperdir=$lower/upper,workdir=$lower/work"
	IMG=$MNT/img
	written "$IMG" 2
	refusal "$EINVAL" "$FS"
	rm "$IMG"
	;;
f2fs | vfat)
	need_fs "$1"
	[ "$1" != f2fs ] || [ "$BLOCK" = 4096 ] || skip "f2fs mounts blocks of a page alone, and its mkfs makes no others than 4 KiB"
	disk 128
	"mkfs.$1" "$DISK" >"$T/mkfs.log" 2>&1
	mounted "$DISK" "$T/mnt" -t "$1"
	IMG=$MNT/img
	written "$IMG" 2
	refusal "$EINVAL" "$FS"
	;;
verity)
	new_ext4 -O verity
	written "$IMG" 2
	"$HERE/fsop" verity "$IMG" || skip "no fs-verity in this kernel"
	attach -r "$IMG"
	not_pinned "$EINVAL" "the file is encrypted or has fs-verity"
	pattern check "$LOOP" 0 $((2 * MIB)) 1 -d
	detach "$LOOP"
	;;
encrypted)
	new_ext4 -O encrypt
	mkdir "$MNT/dir"
	"$HERE/fsop" encrypt "$MNT/dir" || skip "no encryption of files in this kernel"
	IMG=$MNT/dir/img
	written "$IMG" 2
	refusal "$EINVAL" "the file is encrypted or has fs-verity"
	;;
zoned)
	# A file system on the zones that can be written anywhere; only the last one is sequential.
	disk 128 zoned=1 zone_size=4 zone_nr_conv=31
	mkfs.ext4 -q -F -b "$BLOCK" -E nodiscard,lazy_itable_init=0 "$DISK" 100M
	mounted "$DISK" "$T/mnt"
	IMG=$MNT/img
	written "$IMG" 2
	refusal "$EINVAL" "the disk below is zoned"
	;;
esac
