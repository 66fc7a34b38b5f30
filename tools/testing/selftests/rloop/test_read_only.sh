#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A read-only device refuses writes, whatever made it read-only, and stays so.
. "${0%/*}/common.sh"

backing tmpfs 4
pattern write "$IMG" 0 4194304 1

check() {
	is "read-only" 1 "$(blockdev --getro "$LOOP")"
	is "write cache" "write through" "$(<"$SYS/queue/write_cache")"
	! pattern write "$LOOP" 0 4096 2 >/dev/null || fail "write accepted"
	! pattern write "$LOOP" 0 4096 2 -d >/dev/null || fail "direct write accepted"
	! blkdiscard "$LOOP" 2>/dev/null || fail "discard accepted"
	pattern check "$LOOP" 0 4194304 1
	# No ioctl makes it writable.
	blockdev --setrw "$LOOP"
	! pattern write "$LOOP" 0 4096 2 -d >/dev/null || fail "write accepted"
	! blkdiscard -z -l 4096 "$LOOP" 2>/dev/null || fail "zeroes accepted"
	! blkdiscard -l 4096 "$LOOP" 2>/dev/null || fail "discard accepted"
	detach "$LOOP"
	pattern check "$IMG" 0 4194304 1
}

attach -r "$IMG"
check
mount -o remount,ro "$MNT"
attach "$IMG"
check
mount -o remount,rw "$MNT"
# And the next one is writable.
attach "$IMG"
is "read-only" 0 "$(blockdev --getro "$LOOP")"
pattern write "$LOOP" 0 4096 2 -d
