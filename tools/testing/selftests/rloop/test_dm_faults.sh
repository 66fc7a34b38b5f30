#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A disk below the backing's file system that fails all I/O, only writes, only reads, or is
# slow: each request ends with the disk's error, and what was acknowledged is there. With direct I/O,
# through the page cache, and pinned.
# variants: error writes reads delay
# uml: error writes reads
# stock: error delay
# prev: none
# debug: delay
# timeout: 120
. "${0%/*}/common.sh"
need dmsetup

# table TARGET ARGUMENT...: what DM, a device on top of DISK, does from now on. What it has
# in flight is let through before.
table() {
	local line
	line="0 $(blockdev --getsz "$DISK") $1 $DISK 0 ${*:2}"
	[ "$1" != error ] || line="0 $(blockdev --getsz "$DISK") error"
	[ "$1" != delay ] || line="0 $(blockdev --getsz "$DISK") delay $DISK 0 $2 $DISK 0 $3"
	dmsetup suspend --nolockfs rloop-faults
	dmsetup load rloop-faults --table "$line"
	dmsetup resume rloop-faults
}
has_target() {
	modprobe -q "dm-$1" 2>/dev/null || true
	dmsetup targets | grep -q "^$1 " || skip "no dm-$1 in this kernel"
}
case $1 in
writes | reads) has_target flakey ;;
*) has_target "$1" ;;
esac

disk 256
dm rloop-faults "0 $(blockdev --getsz "$DISK") linear $DISK 0"
# (Without a journal, which would end the file system at the first error.)
mkfs.ext4 -q -F -b 4096 -E nodiscard,lazy_itable_init=0 -O ^has_journal "$DM"
mkdir "$T/mnt"
mount -t ext4 -o errors=continue,noinit_itable "$DM" "$T/mnt"
defer umount "$T/mnt"
defer table linear
IMG=$T/mnt/img
SIZE=4194304
: >"$IMG"
pattern write "$IMG" 0 $SIZE 1 -s

# Through the page cache of the file, the sync does.
writes_fail() {
	if [ $dio != off ]; then
		refused "0 bytes, then EIO" pattern write "$LOOP" 2097152 65536 3 -d
	else
		refused "EIO" pattern write "$LOOP" 2097152 65536 3 -d -s
	fi
}

modes="on off"
[ "$DRIVER" != rloop ] || modes+=" pin"
for dio in $modes; do
	attach --direct-io="${dio/pin/on}" "$IMG"
	[ $dio != pin ] || echo 1 >"$SYS/rloop/pin"
	pattern write "$LOOP" 0 1048576 2 -d -s
	# (An error of the time before is told once.)
	sync -f "$IMG" 2>/dev/null || sync -f "$IMG"
	echo 3 >/proc/sys/vm/drop_caches
	case $1 in
	error)
		table error
		refused "0 bytes, then EIO" pattern check "$LOOP" 2097152 65536 1 -d
		writes_fail
		;;
	writes)
		table flakey 0 1 1 error_writes
		pattern check "$LOOP" 2097152 65536 1 -d -p 2097152
		writes_fail
		;;
	reads)
		table flakey 0 1 1 error_reads
		refused "0 bytes, then EIO" pattern check "$LOOP" 2097152 65536 1 -d
		# (fsync would read what is written elsewhere in the same block.)
		pattern write "$LOOP" 3145728 1048576 4 -d
		;;
	delay)
		table delay 20 100
		pattern write "$LOOP" 2097152 262144 3 -d -b 65536 -s
		pattern check "$LOOP" 2097152 262144 3 -d -b 65536
		# A reader that is killed while it waits, and a detach meanwhile.
		"$HERE/pattern" write "$LOOP" 3145728 1048576 4 -d -b 4096 &
		sleep 0.3
		# (Writes to the page cache are not slow, so that they may be over.)
		kill -KILL $! 2>/dev/null || [ $dio = off ] || fail "the writer has not waited"
		wait $! || true
		pattern write "$LOOP" 3145728 262144 5 -d -b 65536 &
		sleep 0.1
		losetup -d "$LOOP"
		wait $!
		;;
	esac
	table linear
	# The device works on, and what was acknowledged is there.
	if [ "$1" != delay ]; then
		pattern check "$LOOP" 0 1048576 2 -d
		pattern write "$LOOP" 2097152 1048576 1 -d -s
	fi
	detach "$LOOP"
	pattern check "$IMG" 0 1048576 2
	[ "$1" != reads ] || pattern check "$IMG" 3145728 1048576 4
	[ "$1" != delay ] || pattern check "$IMG" 3145728 262144 5
	pattern write "$IMG" 0 $SIZE 1 -s
done
