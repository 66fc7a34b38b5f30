#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# pin=1: a device is pinned when it is bound, where its backing can be; else it is an ordinary one, and
# says why.
# prev: none
. "${0%/*}/common.sh"
. "$HERE/pin.sh"

own_module
refused "Invalid" load pin=2
load pin=1
is "the parameter" 1 "$(</sys/module/rloop/parameters/pin)"
pinnable ext4 8
attach "$IMG"
in_effect
mark
pattern write "$LOOP" 0 65536 2 -d
no_worker
remapped_alone
# It can be switched off, and stays off.
unpin
free "$IMG"
detach "$LOOP"
pattern check "$IMG" 0 65536 2
attach "$IMG"
in_effect
detach "$LOOP"
free "$IMG"

# Refused: bound all the same, as it would be without the parameter.
truncate -s 8M "$MNT/sparse"
log_mark
attach "$MNT/sparse"
is "pin" 0 "$(pinned)"
is "pin_reason" "refused: the file has holes or unwritten extents" "$(pin_reason)"
is "lines in the log" 1 "$(said "not pinned: the file has holes or unwritten extents")"
is "direct I/O" 0 "$(<"$SYS/loop/dio")"
pattern write "$LOOP" 0 65536 3 -d
used write_buffered
pattern write "$MNT/sparse" 65536 65536 4
blockdev --flushbufs "$LOOP"
pattern check "$LOOP" 65536 65536 4 -d
# Written meanwhile, it can be pinned.
written "$MNT/sparse" 8
pin
detach "$LOOP"

# A block device needs no pin, and has no complaint.
disk 8
attach "$DISK"
is "pin of a block device" 0 "$(pinned)"
detach "$LOOP"

# mount -o loop, and a device that lets go by itself.
attach "$IMG"
mkfs.ext4 -q -F -E nodiscard "$LOOP"
detach "$LOOP"
mkdir "$T/loop"
mount -o loop "$IMG" "$T/loop"
LOOP=$(findmnt -no SOURCE "$T/loop")
NAME=${LOOP#/dev/}
SYS=/sys/block/$NAME
in_effect
: >"$T/loop/file"
umount "$T/loop"
soon unbound "$LOOP"
free "$IMG"
rm "$IMG"
