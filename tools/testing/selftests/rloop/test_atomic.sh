#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A device on a disk that writes atomically does so, too, as far as its offset allows, and whatever
# the page cache of the disk holds.
# variants: write error
# stock: all
# debug: all
. "${0%/*}/common.sh"
need_rloop

scsi_disk 32 atomic_wr=1
most=$(<"/sys/block/${DISK#/dev/}/queue/atomic_write_unit_max_bytes")
[ "$most" -gt 4096 ] || skip "the disk writes at most $most bytes atomically"

if [ "$1" = error ]; then
	# A write below fails that is only done because an atomic write comes, and it says so now or later:
	# the next flush, at the latest, must.
	errors=/sys/kernel/debug/scsi_debug/$(basename "$(readlink -f "$HOST/device")")/error
	if [ ! -e "$errors" ]; then
		mount -t debugfs none /sys/kernel/debug 2>/dev/null || true
		[ -e "$errors" ] || skip "scsi_debug has no errors to inject in this kernel"
	fi
	attach --direct-io=on "$DISK"
	# (udev has what is dirty written back when a disk is closed, unless it is locked.)
	settle
	exec {lock}<"$DISK"
	flock "$lock"
	pattern write "$DISK" 1048576 4096 1
	# The commands WRITE(10) and WRITE(16), but not WRITE ATOMIC(16), end with a medium error.
	for opcode in 0x2a 0x8a; do
		echo "2 -1000 $opcode 0 0 0x2 0x3 0xc 0x0" >"$errors"
	done
	"$HERE/atomic" "$LOOP" 1048576 16384 2>"$T/out" || cat "$T/out"
	for opcode in 0x2a 0x8a; do
		echo "- 2 $opcode" >"$errors"
	done
	! sync "$LOOP" 2>/dev/null || fail "the next flush does not know of a write below that failed"
	sync "$LOOP" || fail "the flush after that"
	"$HERE/atomic" "$LOOP" 1048576 16384 || fail "an atomic write when all is well again"
	exec {lock}<&-
	exit 0
fi

unit() { cat "$SYS/queue/atomic_write_unit_max_bytes"; }
attach --direct-io=on "$DISK"
is "largest atomic write" "$most" "$(unit)"
"$HERE/atomic" "$LOOP" 8192 8192 || fail "an atomic write"
"$HERE/atomic" "$LOOP" 0 4096 dsync || fail "an atomic and durable write"
used remapped
# With the page cache of the disk in its way, too.
dd if="$DISK" of=/dev/null bs=64k count=4 status=none
"$HERE/atomic" "$LOOP" 16384 16384 || fail "an atomic write past cached pages"
"$HERE/atomic" "$LOOP" 65536 16384 "$DISK" || fail "an atomic write while a page of the disk is mapped"
refused "Invalid argument" "$HERE/atomic" "$LOOP" 4096 8192
blockdev --flushbufs "$DISK"
cmp "$LOOP" "$DISK"
losetup --direct-io=off "$LOOP"
is "largest atomic write, buffered" 0 "$(unit)"
detach "$LOOP"

attach --direct-io=on -o 4096 "$DISK"
is "largest atomic write at 4096" 4096 "$(unit)"
"$HERE/atomic" "$LOOP" 4096 4096 || fail "an atomic write at an offset"
refused "Invalid argument" "$HERE/atomic" "$LOOP" 8192 8192
