#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A pinned device while the file system below is full, over quota, read-only or shut down, and what
# changes the device itself: size, offset, block size, file.
# variants: ext4 xfs btrfs bigalloc realtime swap
# uml: ext4 xfs btrfs bigalloc swap
# stock: ext4 xfs realtime
# prev: xfs
# debug: ext4 swap
# timeout: 120
. "${0%/*}/common.sh"
. "$HERE/pin.sh"

# goes_on SEED: the device is written, and the file has it.
goes_on() {
	pattern write "$LOOP" 0 $((2 * MIB)) "$1" -d -s
	pattern check "$LOOP" 0 $((2 * MIB)) "$1" -d
	pattern check "$IMG" 0 $((2 * MIB)) "$1"
}

full() {
	local avail
	avail=$(($(stat -f -c '%f * %S' "$MNT")))
	fallocate -l $((avail * 9 / 10)) "$MNT/filler"
	dd if=/dev/zero of="$MNT/rest" bs=1M status=none 2>/dev/null && fail "the file system is not full"
	sync -f "$MNT" 2>/dev/null || true
	attach "$IMG"
	pin
	goes_on 2
	old "$IMG"
	goes_on 3
	soon moved "$IMG"
	rm "$MNT/filler" "$MNT/rest"
	detach "$LOOP"
	pattern check "$IMG" 0 $((2 * MIB)) 3
}

# The owner has used up what he may have.
quota() {
	need xfs_quota
	umount "$MNT"
	mount -t xfs -o uquota "$DISK" "$MNT" 2>/dev/null || return 0
	chown 1000 "$IMG"
	xfs_quota -x -c 'limit bhard=4m 1000' "$MNT"
	attach "$IMG"
	pin
	goes_on 4
	detach "$LOOP"
	goes=$(stat -c %s "$IMG")
	refused "uota" fallocate -o "$goes" -l 1M "$IMG"
	chown 0 "$IMG"
}

# Writes to the blocks of the file go on, as those of swap do; what is in them is there when the file
# system is mounted again.
down() {
	attach "$IMG"
	pin
	goes_on 5
	refused "busy" mount -o remount,ro "$MNT"
	goes_on 6
	"$HERE/fsop" shutdown "$MNT"
	pattern write "$LOOP" 0 $((2 * MIB)) 7 -d -s
	pattern check "$LOOP" 0 $((2 * MIB)) 7 -d
	ends unpin
	refused "EIO" pattern write "$LOOP" 0 4096 8 -d
	detach "$LOOP"
	umount "$MNT"
	mount "$DISK" "$MNT"
	pattern check "$IMG" 0 $((2 * MIB)) 7
	pattern check "$IMG" $((2 * MIB)) $((6 * MIB)) 1 -p $((2 * MIB))
	# Detached while it is pinned.
	attach "$IMG"
	pin
	"$HERE/fsop" shutdown "$MNT"
	pattern write "$LOOP" 0 $((2 * MIB)) 8 -d -s
	detach "$LOOP"
	umount "$MNT"
	mount "$DISK" "$MNT"
	pattern check "$IMG" 0 $((2 * MIB)) 8
	free "$IMG"
	written "$IMG" 8
}

# After an error ext4 writes nothing more; the blocks are still the file's.
aborted() {
	local trigger=/sys/fs/ext4/${DISK#/dev/}/trigger_fs_error
	[ -e "$trigger" ] || return 0
	mount -o remount,errors=remount-ro "$MNT"
	attach "$IMG"
	pin
	goes_on 2
	echo "rloop selftest" >"$trigger"
	pattern check "$LOOP" 0 $((2 * MIB)) 2 -d
	pattern write "$LOOP" $((2 * MIB)) $MIB 3 -d >"$T/aborted" || grep -q "EIO" "$T/aborted"
	cp "$LOOP" "$T/all"
	ends unpin
	detach "$LOOP"
	umount "$MNT"
	mount "$DISK" "$MNT"
	cmp "$T/all" "$IMG"
	written "$IMG" 8
}

bytes() { blockdev --getsize64 "$LOOP"; }
changes() {
	local first
	# The file may grow, but not the device; blocks behind its end are not used.
	fallocate -n -o 8M -l 1M "$IMG"
	attach "$IMG"
	pin
	truncate -s 12M "$IMG"
	log_mark
	losetup -c "$LOOP"
	is "size" $((8 * MIB)) "$(bytes)"
	is "lines in the log" 1 "$(said "pinned: $((4 * MIB)) bytes of the file are not used")"
	goes_on 2
	unpin
	losetup -c "$LOOP"
	is "size when it is unpinned" $((12 * MIB)) "$(bytes)"
	refused "Invalid argument" set_pin 1
	is "pin_reason" "refused: the file has holes or unwritten extents" "$(pin_reason)"
	detach "$LOOP"
	written "$IMG" 8

	# Offset, limit and block size.
	attach -o $MIB --sizelimit $((4 * MIB)) "$IMG"
	pin
	pattern write "$LOOP" 0 65536 2 -d
	pattern check "$IMG" $MIB 65536 2
	"$HERE/lo" "$LOOP" offset $((2 * MIB))
	in_effect
	pattern check "$LOOP" 0 65536 1 -d -p $((2 * MIB))
	pattern write "$LOOP" $((4 * MIB - 65536)) 65536 3 -d
	pattern check "$IMG" $((6 * MIB - 65536)) 65536 3
	losetup --sector-size 4096 "$LOOP"
	in_effect
	pattern write "$LOOP" 4096 65536 4 -d
	pattern check "$IMG" $((2 * MIB + 4096)) 65536 4
	losetup --sector-size 512 "$LOOP"
	in_effect
	"$HERE/lo" "$LOOP" offset $((2 * MIB + 512))
	is "pin at such an offset" 0 "$(pinned)"
	is "pin_reason" "refused: the offset is no multiple of the page" "$(pin_reason)"
	free "$IMG"
	pattern write "$LOOP" 0 65536 5 -d
	pattern check "$IMG" $((2 * MIB + 512)) 65536 5
	refused "Invalid argument" set_pin 1
	detach "$LOOP"

	# Another file.
	written "$MNT/next" 8
	written "$IMG" 8
	attach -r "$IMG"
	pin
	pattern check "$LOOP" 0 $((8 * MIB)) 1 -d
	# (It is read-only, and not to be written anyway.)
	refused "" pattern write "$LOOP" 0 4096 2 -d
	"$HERE/lo" "$LOOP" change "$MNT/next"
	is "pin of another file" 0 "$(pinned)"
	free "$IMG"
	blockdev --flushbufs "$LOOP"
	pattern check "$LOOP" 0 $((8 * MIB)) 1 -d
	detach "$LOOP"
	free "$MNT/next"
	rm "$MNT/next"
	written "$IMG" 8

	# A second device on the file reads what the first one writes, and can't write.
	attach "$IMG"
	pin
	first=$LOOP
	attach "$IMG"
	for ((i = 10; i < 14; i++)); do
		pattern write "$first" 0 $MIB $i -d -b 65536
		pattern check "$LOOP" 0 $MIB $i -d
	done
	refused "EIO" pattern write "$LOOP" 0 65536 2 -d
	pattern check "$LOOP" 0 $MIB 13 -d
	detach "$LOOP"
	pattern check "$first" 0 $MIB 13 -d
	LOOP=$first NAME=${first#/dev/} SYS=/sys/block/${first#/dev/}
	in_effect
	goes_on 14
	detach "$LOOP"
	free "$IMG"
}

# new_fs MKFS...: MNT is that file system, and IMG a file there.
new_fs() {
	"$@" || fail "$*"
	mounted "$DISK" "$T/mnt" "${OPTIONS[@]}"
	IMG=$MNT/img
	written "$IMG" 8
}
OPTIONS=()

case $1 in
ext4 | xfs | btrfs)
	need_fs "$1"
	disk 384
	case $1 in
	ext4) new_fs mkfs.ext4 -q -F -b "$BLOCK" -E nodiscard,lazy_itable_init=0 "$DISK" ;;
	xfs) new_fs mkfs.xfs -q -K -f -b size="$BLOCK" "$DISK" ;;
	btrfs) new_fs mkfs.btrfs -q -K -f -s "$BLOCK" "$DISK" ;;
	esac
	changes
	if [ "$1" = btrfs ]; then
		# What moves other blocks leaves those of the file where they are.
		dd if=/dev/urandom of="$MNT/other" bs=1M count=16 status=none
		attach "$IMG"
		pin
		goes_on 2
		btrfs balance start --full-balance "$MNT" >/dev/null 2>&1 || true
		goes_on 3
		btrfs scrub start -B "$MNT" >/dev/null 2>&1 || true
		goes_on 4
		detach "$LOOP"
		free "$IMG"
		exit
	fi
	full
	[ "$1" = ext4 ] || quota
	down
	[ "$1" = xfs ] || aborted
	;;
bigalloc)
	disk 128
	new_fs mkfs.ext4 -q -F -b "$BLOCK" -E nodiscard,lazy_itable_init=0 -O bigalloc -C 65536 "$DISK"
	attach "$IMG"
	pin
	goes_on 2
	# A cluster that has more than the file.
	detach "$LOOP"
	head -c 4096 /dev/urandom >"$IMG"
	attach "$IMG"
	pin
	pattern write "$LOOP" 0 4096 3 -d -b 4096
	detach "$LOOP"
	pattern check "$IMG" 0 4096 3
	;;
realtime)
	need_fs xfs
	disk 64
	rt=$DISK
	disk 384
	OPTIONS=(-o "rtdev=$rt")
	mkfs.xfs -q -K -f -b size="$BLOCK" -d rtinherit=1 -r "rtdev=$rt" "$DISK"
	mount "${OPTIONS[@]}" "$DISK" "$(mktemp -d "$T/try.XXXX")" 2>/dev/null || skip "no realtime devices of xfs in this kernel"
	umount "$DISK"
	new_fs true
	attach "$IMG"
	pin
	n=$(sectors_written "$rt")
	goes_on 2
	[ "$(sectors_written "$rt")" -ge $((n + 4096)) ] || fail "the realtime device was not written"
	detach "$LOOP"
	pattern check "$IMG" 0 $((2 * MIB)) 2 -d
	free "$IMG"
	;;
swap)
	need mkswap swapon
	CG=/sys/fs/cgroup
	mountpoint -q "$CG" || mount -t cgroup2 none "$CG" 2>/dev/null || skip "no cgroup v2 here"
	grep -qw memory "$CG/cgroup.controllers" || skip "no memory controller in this kernel"
	[ -e /proc/swaps ] || skip "no swap in this kernel"
	echo "+memory" >"$CG/cgroup.subtree_control"
	GROUP=$CG/rloop-pin
	mkdir "$GROUP"
	gone() { rmdir "$GROUP" 2>/dev/null; }
	defer soon gone
	pinnable ext4 96
	truncate -s 40M "$T/memory"
	pattern write "$T/memory" 0 $((40 * MIB)) 5 -b 1048576
	attach "$IMG"
	pin
	mkswap "$LOOP" >/dev/null
	swapon "$LOOP"
	defer swapoff "$LOOP"
	echo 16M >"$GROUP/memory.max"
	# tail keeps in memory what comes from a pipe, three times what it may have.
	cat "$T/memory" | (echo "$BASHPID" >"$GROUP/cgroup.procs" && exec tail -c $((40 * MIB))) | cmp - "$T/memory"
	used write_direct read_direct
	;;
esac
