#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Files on every file system that a stock kernel has, and block devices, as backings:
# attached with direct I/O asked for; what is in the file is on the device, and what is
# written to the device is in the file. Prints the row of the table in the admin guide.
# variants: ext4 ext2 xfs btrfs vfat exfat f2fs nilfs2 jfs tmpfs overlayfs fuse 9p nfs squashfs erofs null_blk dm loop
# uml: ext4 xfs btrfs vfat tmpfs overlayfs null_blk loop
# stock: ext4 ext2 exfat f2fs nilfs2 jfs fuse 9p nfs squashfs erofs dm
# prev: xfs
# debug: tmpfs
# timeout: 240
. "${0%/*}/common.sh"
. "$HERE/nfs.sh"

# on_disk TYPE MKFS...: MNT is a new file system of that type.
on_disk() {
	local fs=$1
	shift
	kernel_has "$fs"
	need "$1"
	disk 512
	"$@" "$DISK" >"$T/mkfs.log" 2>&1 || { cat "$T/mkfs.log"; fail "$*"; }
	MNT=$(mktemp -d "$T/mnt.XXXX")
	mount -t "$fs" "$DISK" "$MNT"
	defer unmount_below "$MNT"
}

# packed TYPE: a read-only file system with the image in it.
packed() {
	kernel_has "$1"
	mkdir "$T/dir"
	truncate -s 8M "$T/dir/img"
	pattern write "$T/dir/img" 0 8388608 1
	case $1 in
	squashfs) mksquashfs "$T/dir" "$T/packed" -quiet -no-progress >/dev/null ;;
	erofs) mkfs.erofs "$T/packed" "$T/dir" >/dev/null 2>&1 ;;
	esac
	disk 64
	dd if="$T/packed" of="$DISK" bs=1M conv=fsync status=none
	MNT=$(mktemp -d "$T/mnt.XXXX")
	mount -t "$1" -o ro "$DISK" "$MNT"
	defer unmount_below "$MNT"
	IMG=$MNT/img
}

case $1 in
ext4 | xfs | btrfs | tmpfs) filesystem "$1" ;;
ext2) on_disk ext2 mkfs.ext2 -q ;;
vfat) on_disk vfat mkfs.vfat ;;
exfat) on_disk exfat mkfs.exfat ;;
f2fs)
	[ "$(getconf PAGE_SIZE)" = 4096 ] || skip "f2fs mounts blocks of a page alone, and its mkfs makes no others than 4 KiB"
	on_disk f2fs mkfs.f2fs -q
	;;
nilfs2) on_disk nilfs2 mkfs.nilfs2 -q ;;
jfs) on_disk jfs mkfs.jfs -q ;;
overlayfs)
	kernel_has overlay
	filesystem ext4
	mkdir "$MNT/lower" "$MNT/upper" "$MNT/work" "$T/merged"
	mount -t overlay -o "lowerdir=$MNT/lower,upperdir=$MNT/upper,workdir=$MNT/work" overlay "$T/merged"
	defer umount "$T/merged"
	MNT=$T/merged
	;;
fuse)
	kernel_has fuse
	need bindfs
	filesystem ext4
	mkdir "$T/fuse"
	bindfs "$MNT" "$T/fuse"
	defer umount "$T/fuse"
	MNT=$T/fuse
	;;
9p)
	[ "$(findmnt -no FSTYPE /share)" = 9p ] || skip "no 9p here"
	MNT=$(mktemp -d /share/9p.XXXX)
	defer rm -r "$MNT"
	;;
nfs) serve_nfs ;;
squashfs | erofs) packed "$1" ;;
null_blk)
	disk 16
	IMG=$DISK
	;;
dm)
	need dmsetup
	disk 16
	dmsetup create rloop-test --table "0 32768 linear $DISK 0" || skip "no dm-linear in this kernel"
	defer dmsetup remove --retry rloop-test
	IMG=/dev/mapper/rloop-test
	;;
loop)
	filesystem ext4
	truncate -s 8M "$MNT/img"
	IMG=$(losetup --show -f --direct-io=on "$MNT/img")
	defer detach "$IMG"
	settle
	;;
esac

LEN=8388608
writable=1
case $1 in
squashfs | erofs) writable='' ;;
null_blk | dm | loop) ;;
*)
	IMG=$MNT/img
	truncate -s $LEN "$IMG"
	;;
esac
[ -z "$writable" ] || pattern write "$IMG" 0 $LEN 1 -s
if [ "$1" = squashfs ]; then
	# It can't be opened for direct I/O, and losetup says so before it asks the driver.
	refused "Invalid argument" losetup --show -f --direct-io=on "$IMG"
	attach "$IMG"
	[ "$DRIVER" != rloop ] || is direct_reason "the file has no direct I/O" "$(<"$SYS/rloop/direct_reason")"
else
	attach --direct-io=on "$IMG"
fi
dio=$(<"$SYS/loop/dio")
sector=$(blockdev --getss "$LOOP")
pattern check "$LOOP" 0 $LEN 1
blockdev --flushbufs "$LOOP"
pattern check "$LOOP" 0 $LEN 1 -d
if [ -n "$writable" ]; then
	verify_fio "$LOOP" --size=4m
	pattern write "$LOOP" 4194304 2097152 2 -d -s
	pattern write "$LOOP" 6291456 1048576 3 -s
fi
way() {
	local direct buffered
	[ "$DRIVER" = rloop ] || { echo -; return; }
	direct=$(counter "$1_direct") buffered=$(counter "$1_buffered")
	if [ "$direct" -gt 0 ] && [ "$buffered" -gt 0 ]; then
		echo both
	elif [ "$direct" -gt 0 ]; then
		echo direct
	elif [ "$buffered" -gt 0 ]; then
		echo buffered
	else
		echo none
	fi
}
reads=$(way read) writes=$(way write) continued=$([ "$DRIVER" != rloop ] || counter continued)
if [ -n "$writable" ]; then
	dd if="$LOOP" of="$T/all" bs=1M count=8 status=none
fi
detach "$LOOP"
if [ -n "$writable" ]; then
	[ "$1" = tmpfs ] || echo 3 >/proc/sys/vm/drop_caches
	cmp -n $LEN "$T/all" "$IMG"
	pattern check "$IMG" 4194304 2097152 2
	pattern check "$IMG" 6291456 1048576 3
fi
printf 'row %-10s dio %s, sectors of %4s, reads %-8s writes %-8s continued %s\n' "$1" "$dio" "$sector" "$reads" "$writes" "${continued:--}"
