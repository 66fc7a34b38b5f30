#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# mount -o loop takes a device and gives it back by itself.
. "${0%/*}/common.sh"

need_fs ext4
filesystem tmpfs
IMG=$MNT/img
truncate -s 32M "$IMG"
mkfs.ext4 -q -F "$IMG"
mount_at "$T/loop" -o loop "$IMG"
LOOP=$(findmnt -n -o SOURCE "$T/loop")
is autoclear 1 "$(<"/sys/block/${LOOP#/dev/}/loop/autoclear")"
echo text >"$T/loop/file"
umount "$T/loop"
soon unbound "$LOOP"
mount_at "$T/loop" -o loop,ro "$IMG"
is "the file" text "$(<"$T/loop/file")"
umount "$T/loop"
