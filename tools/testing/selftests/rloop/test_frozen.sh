#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# While the file system below is frozen, a write waits, but not the task that submits
# it: it is told so by the completion.
# variants: ext4 xfs
# stock: all
# prev: ext4
# debug: ext4
. "${0%/*}/common.sh"
need fsfreeze
[ -e /proc/sys/fs/aio-max-nr ] || skip "no AIO in this kernel"

backing "$1" 8
dd if=/dev/zero of="$IMG" bs=1M count=8 conv=notrunc,fsync status=none
attach --direct-io=on "$IMG"
"$HERE/submit" "$LOOP" write >"$T/before" || { cat "$T/before"; fail "a write at other times"; }

fsfreeze -f "$MNT"
thaw() { [ ! -e "$T/frozen" ] || { rm "$T/frozen" && fsfreeze -u "$MNT"; }; }
: >"$T/frozen"
defer thaw
"$HERE/submit" "$LOOP" write >"$T/out" &
submitted() { grep -q submitted "$T/out"; }
soon submitted
sleep 1
! grep ended "$T/out" || fail "it was written to a frozen file system"
# Reads go on meanwhile.
"$HERE/submit" "$LOOP" read >"$T/read" || { cat "$T/read"; fail "a read of a frozen file system"; }
thaw
wait $! || { cat "$T/out"; fail "the write when it was thawed"; }
pattern check "$LOOP" 4096 4096 0 -d -b 4096
cmp "$LOOP" "$IMG"
