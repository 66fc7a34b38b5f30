#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# losetup -d of a mounted device: marked, usable as before, and gone with the
# unmounting.
# debug: all
. "${0%/*}/common.sh"

need_fs ext4
# state STATE REQUESTER
state() {
	[ "$DRIVER" = rloop ] || return 0
	is state "$1" "$(<"$SYS/rloop/state")"
	is detach_requested_by "$2" "$(<"$SYS/rloop/detach_requested_by")"
}
# start CMD...: PID is that of the command, which has ended; FIRST was the PID before.
start() {
	FIRST=${PID:-}
	"$@" &
	PID=$!
	wait "$PID"
}
filesystem tmpfs
IMG=$MNT/img
truncate -s 32M "$IMG"
for dio in on off; do
	attach --direct-io=$dio "$IMG"
	mkfs.ext4 -q -F "$LOOP"
	mount_at "$T/loop" "$LOOP"
	state bound ""
	start losetup -d "$LOOP"
	state detaching "$PID losetup"
	# The first one that asked.
	start losetup -d "$LOOP"
	state detaching "$FIRST losetup"
	bound "$LOOP" || fail "a mounted device was detached"
	is autoclear 1 "$(<"$SYS/loop/autoclear")"
	truncate -s 4M "$T/loop/file"
	pattern write "$T/loop/file" 0 4194304 3 -s
	pattern write "$T/loop/file" 0 1048576 4 -d
	umount "$T/loop"
	soon unbound "$LOOP"
	# It is all there.
	attach -r "$IMG"
	mount_at "$T/loop" -o ro "$LOOP"
	pattern check "$T/loop/file" 0 1048576 4
	umount "$T/loop"
	detach "$LOOP"
	fsck.ext4 -fn "$IMG" >/dev/null 2>&1
done
