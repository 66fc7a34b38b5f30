#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A backing whose blocks are 4096 bytes: direct I/O makes the device's blocks as
# large; where smaller ones are asked for, the device is buffered.
# variants: ext4 xfs block
# few: ext4
. "${0%/*}/common.sh"

backing "$1" 8 blocksize=4096
attach --direct-io=on "$IMG"
is "block size" 4096 "$(blockdev --getss "$LOOP")"
is "direct I/O" 1 "$(<"$SYS/loop/dio")"
verify_fio "$LOOP" --size=4m
blockdev --flushbufs "$LOOP"
cmp "$LOOP" "$IMG"
used write_direct
unused write_buffered
refused "Invalid argument" dd if=/dev/zero of="$LOOP" bs=512 count=1 oflag=direct
detach "$LOOP"

attach --sector-size 512 --direct-io=on "$IMG"
is "block size" 512 "$(blockdev --getss "$LOOP")"
is "direct I/O" 0 "$(<"$SYS/loop/dio")"
pattern write "$LOOP" 512 66048 5 -d -b 512
detach "$LOOP"
pattern check "$IMG" 512 66048 5

# Half a block into the backing there is no direct I/O either.
attach -o 512 --sector-size 4096 --direct-io=on "$IMG"
is "direct I/O" 0 "$(<"$SYS/loop/dio")"
