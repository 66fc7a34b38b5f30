#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ext4 reads what it must know of a file and waits for that, even if it is told not to wait: in
# the task that submits a request, whose own bios wait meanwhile.
. "${0%/*}/common.sh"

backing ext4 8
pattern write "$IMG" 0 8388608 1
for i in {1..24}; do
	fallocate --punch-hole -o $((i * 262144)) -l 4096 "$IMG"
done
# Nothing of it is in memory.
umount "$MNT"
mount -t ext4 -o noinit_itable "$DISK" "$MNT"
attach --direct-io=on "$IMG"
pattern check "$LOOP" 7340032 1048576 1 -d -b 4096 -p 7340032
pattern check "$LOOP" 0 262144 1 -d -b 65536
[ "$DRIVER" != rloop ] || used inline
