#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A process is charged once for its I/O, by the device, and not again for what lies below.
# variants: ext4 block
# uml: none
# stock: all
# prev: ext4
. "${0%/*}/common.sh"
[ -e /proc/self/io ] || skip "no accounting in this kernel"
[ -e /proc/sys/fs/aio-max-nr ] || skip "no AIO in this kernel"

backing "$1" 8
[ "$1" = block ] || dd if=/dev/zero of="$IMG" bs=1M count=8 conv=notrunc,fsync status=none
attach --direct-io=on "$IMG"
for what in write read write read; do
	out=$("$HERE/submit" "$LOOP" $what)
	[[ $out == *"ended 4096 accounted 4096" ]] || fail "a $what of 4096 bytes: $out"
done
