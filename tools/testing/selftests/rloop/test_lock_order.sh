#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A task that holds locks of a file system submits a request, and takes the same locks of the file
# system below. lockdep must not see a circle where there is none: for it, the inodes of both are one,
# and so are the queues of all devices.
. "${0%/*}/common.sh"
need mkfs.ext4

backing ext4 64
attach --direct-io=on "$IMG"
# A change of scheduler waits for the queue with a lock held.
modprobe -q mq-deadline 2>/dev/null || true
if grep -qw mq-deadline "$SYS/queue/scheduler"; then
	echo mq-deadline >"$SYS/queue/scheduler"
	echo none >"$SYS/queue/scheduler"
fi
mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=1 -O ^has_journal "$LOOP"
mount_at "$T/upper" -o noinit_itable "$LOOP"
for i in 1 2 3; do
	# Nothing is known of either: the extents of the image are looked up while blocks are looked
	# for above.
	umount "$T/upper"
	mount -o noinit_itable "$LOOP" "$T/upper"
	"$HERE/forget_extents" "$IMG"
	fallocate -l 4M "$T/upper/$i"
done
pattern write "$T/upper/1" 0 1048576 1 -d -b 4096
pattern check "$T/upper/1" 0 1048576 1 -d -b 4096
[ "$DRIVER" != rloop ] || used inline
