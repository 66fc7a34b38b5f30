#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A file system on the device is written to, and synced, while next to no memory is free:
# the writes come to an end.
# variants: direct buffered
# uml: none
# stock: all
# prev: none
# timeout: 120
. "${0%/*}/common.sh"
[ "${RLOOP_KERNEL:-}" != debug ] || skip "to use up its memory takes minutes on the debug kernel"
[ -b "${SCRATCH:-}" ] || skip "no SCRATCH disk: one in memory needs what is short here"

mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0 "$SCRATCH" 640M
mkdir "$T/below" "$T/hog"
mount -t ext4 "$SCRATCH" "$T/below"
defer unmount_below "$T/below"
IMG=$T/below/img
truncate -s 512M "$IMG"
dio=$([ "$1" = direct ] && echo on || echo off)
attach --direct-io="$dio" "$IMG"
mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0 "$LOOP"
mount_at "$T/above" "$LOOP"

free_kib() { awk '/^MemAvailable:/ { print $2 }' /proc/meminfo; }
mount -t tmpfs -o size=95% tmpfs "$T/hog"
defer umount "$T/hog"
# Where the tests are, is memory, too. What is left is less than what is written.
left=65536
size=$(($(free_kib) - left))
[ $size -gt 0 ] || skip "not enough memory to take away"
dd if=/dev/zero of="$T/hog/hog" bs=1M count=$((size / 1024)) status=none
for i in 1 2; do
	: >"$T/above/$i"
	pattern write "$T/above/$i" 0 $((160 << 20)) $i -s 2>"$T/err.$i" || { cat "$T/err.$i"; fail "not written"; } &
done
wait -n
wait -n
rm "$T/hog/hog"
used write_"$1"
for i in 1 2; do
	pattern check "$T/above/$i" 0 $((160 << 20)) $i
done
unmount "$T/above"
fsck.ext4 -fn "$LOOP" >"$T/fsck.log" 2>&1 || { cat "$T/fsck.log"; fail "the file system is damaged"; }
