#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Flush, discard and write-zeroes of a device on a block device: with direct I/O they go down as bios,
# past the workers, but not past what the page cache of that device holds; an error is passed on.
# variants: scsi faults
# stock: all
# prev: scsi
# debug: scsi
# timeout: 120
. "${0%/*}/common.sh"
need_rloop
MIB=$((1 << 20))

by_worker() { echo $(($(counter worker_flush) + $(counter worker_discard) + $(counter worker_write_zeroes))); }
# at AREA SEED: 1 MiB, seen by the device, past the cache of the disk below, and in it.
at() {
	pattern check "$LOOP" $(($1 * MIB)) $MIB "$2" -d
	pattern check "$IMG" $(($1 * MIB + OFFSET)) $MIB "$2" -d
	pattern check "$IMG" $(($1 * MIB + OFFSET)) $MIB "$2"
}
forget() { blockdev --flushbufs "$IMG"; }

case $1 in
scsi)
	scsi_disk 32 lbpws=1
	IMG=$DISK
	for OFFSET in 0 $((MIB + 4096)); do
		pattern write "$IMG" "$OFFSET" $((8 * MIB)) 1 -d
		attach -o "$OFFSET" --direct-io=on "$IMG"
		forget
		"$HERE/lo" "$LOOP" flush
		blkdiscard -o 1M -l 1M "$LOOP"
		blkdiscard -z -o 3M -l 1M "$LOOP"
		fallocate -p -o 5M -l 1M "$LOOP"
		used flush discard write_zeroes
		is "requests without data that a worker served" 0 "$(by_worker)"
		for area in 0 2 4 6 7; do
			pattern check "$LOOP" $((area * MIB)) $MIB 1 -d -p $((area * MIB))
		done
		for area in 1 3 5; do
			at $area 0
		done

		# What is cached of the disk below, clean or dirty, is not what is left.
		# (The kernel's own worker brings most discards: they may go either way.)
		pattern write "$IMG" $((OFFSET + MIB)) $MIB 2 -s
		blkdiscard -o 1M -l 1M "$LOOP"
		at 1 0
		pattern write "$IMG" $((OFFSET + MIB)) $MIB 2
		blkdiscard -o 1M -l 1M "$LOOP"
		at 1 0
		pattern write "$IMG" $((OFFSET + 3 * MIB)) $MIB 2
		blkdiscard -z -o 3M -l 1M "$LOOP"
		at 3 0
		# A flush makes durable what was written through that cache.
		forget
		n=$(counter worker_flush)
		# (udev writes what is dirty back when a disk is closed.)
		settle
		truncate -s $MIB "$T/area"
		pattern write "$T/area" 0 $MIB 3
		exec 9<>"$IMG"
		dd if="$T/area" bs=4096 seek=$(((OFFSET + 7 * MIB) / 4096)) conv=notrunc status=none >&9
		sectors=$(sectors_written "$DISK")
		"$HERE/lo" "$LOOP" flush
		[ $(($(sectors_written "$DISK") - sectors)) -ge 2048 ] || fail "a flush that does not write what is dirty"
		[ "$(counter worker_flush)" -gt "$n" ] || fail "a bio for a flush of what is dirty"
		exec 9<&-
		at 7 3
		forget
		detach "$LOOP"
	done

	# Through the page cache nothing goes down as a bio.
	OFFSET=0
	attach --direct-io=off "$IMG"
	pattern write "$LOOP" 0 $((8 * MIB)) 4 -d
	"$HERE/lo" "$LOOP" flush
	blkdiscard -o 1M -l 1M "$LOOP"
	blkdiscard -z -o 3M -l 1M "$LOOP"
	used worker_flush worker_discard worker_write_zeroes
	at 1 0
	at 3 0
	at 0 4
	detach "$LOOP"

	# With all at once.
	attach --direct-io=on "$IMG"
	forget
	rounds=20
	[ "${RLOOP_SLOW:-1}" = 1 ] || rounds=4
	(
		for ((i = 0; i < rounds; i++)); do
			"$HERE/lo" "$LOOP" flush
			blkdiscard -o 8M -l 1M "$LOOP"
			pattern check "$LOOP" $((8 * MIB)) $MIB 0 -d
			pattern write "$LOOP" $((8 * MIB)) $MIB $((i + 10)) -d
			blkdiscard -z -o 9M -l 1M "$LOOP"
		done
	) &
	load=$!
	verify_fio "$LOOP" --size=$((rounds / 4))m --fdatasync=4
	ended $load "flushes and discards" || fail "flushes and discards failed"
	pattern check "$LOOP" $((8 * MIB)) $MIB $((rounds + 9)) -d
	is "requests without data that a worker served" 0 "$(by_worker)"
	;;
faults)
	scsi_disk 32 lbpws=1
	modprobe -q dm-flakey 2>/dev/null || true
	dm rloop-lower "0 $(blockdev --getsz "$DISK") linear $DISK 0"
	dmsetup targets | grep -q "^flakey " || skip "no dm-flakey in this kernel"
	table() {
		dmsetup suspend --nolockfs rloop-lower
		dmsetup load rloop-lower --table "0 $(blockdev --getsz "$DISK") $1 $DISK 0 ${*:2}"
		dmsetup resume rloop-lower
	}
	defer linear
	linear() { ! dmsetup info rloop-lower >/dev/null 2>&1 || table linear; }
	IMG=$DM
	OFFSET=0
	attach --direct-io=on "$IMG"
	pattern write "$LOOP" 0 $((8 * MIB)) 1 -d
	forget
	table flakey 0 1 1 error_writes
	refused "EIO" "$HERE/lo" "$LOOP" flush
	pattern check "$LOOP" 0 $((8 * MIB)) 1 -d
	table linear
	"$HERE/lo" "$LOOP" flush
	blkdiscard -o 1M -l 1M "$LOOP"
	at 1 0
	at 0 1
	is "requests without data that a worker served" 0 "$(by_worker)"
	detach "$LOOP"
	dm_gone rloop-lower

	# The disk is pulled out.
	attach --direct-io=on "$DISK"
	pattern check "$LOOP" 0 $MIB 1 -d
	echo 1 >"$HOST/device/delete"
	refused "Input/output error" blkdiscard -o 2M -l 1M "$LOOP"
	refused "Input/output error" blkdiscard -z -o 3M -l 1M "$LOOP"
	refused "EIO" "$HERE/lo" "$LOOP" flush
	detach "$LOOP"
	;;
esac
