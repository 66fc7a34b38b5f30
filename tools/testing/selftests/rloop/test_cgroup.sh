#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# I/O on the device is charged to the cgroup that asked for it, below the device,
# too: direct, buffered, and written back later.
# variants: block ext4 pinned
# stock: ext4 pinned
# prev: ext4
. "${0%/*}/common.sh"

CG=/sys/fs/cgroup
mountpoint -q "$CG" || mount -t cgroup2 none "$CG" 2>/dev/null || skip "no cgroup v2 here"
grep -qw io "$CG/cgroup.controllers" || skip "no io controller in this kernel"
grep -qw memory "$CG/cgroup.controllers" || skip "no memory controller in this kernel"
echo "+io +memory" >"$CG/cgroup.subtree_control"
GROUP=$CG/rloop-test
mkdir "$GROUP"
# Its last pages may take a moment to go.
gone() { rmdir "$GROUP" 2>/dev/null; }
defer soon gone
# in_group CMD...
in_group() { (echo "$BASHPID" >"$GROUP/cgroup.procs" && exec "$@"); }
# What the group wrote to or read from DISK, in bytes.
charged() {
	local nr
	nr=$(<"/sys/block/${DISK#/dev/}/dev")
	awk -v nr="$nr" -v what="$1" '$1 == nr { for (i = 2; i <= NF; i++) { split($i, f, "="); if (f[1] == what) n = f[2] } } END { print n + 0 }' "$GROUP/io.stat"
}
# charges WHAT BYTES CMD...: at least so many bytes more.
charges() {
	local what=$1 bytes=$2 before
	before=$(charged "$what")
	"${@:3}"
	[ $(($(charged "$what") - before)) -ge "$bytes" ] ||
		fail "only $(($(charged "$what") - before)) bytes of $bytes were charged ($what): ${*:3}"
}

dios="on off"
if [ "$1" = pinned ]; then
	need_rloop
	dios=on
fi
for dio in $dios; do
	# Dirty pages of a file are written back in the name of one group, that of the task that
	# dirtied it first. So it is a file of the group, and each time another.
	backing "${1/pinned/ext4}" 64
	if [ "$1" != block ]; then
		IMG=$MNT/own
		# Without holes, in which nothing is written but by a worker.
		in_group dd if=/dev/zero of="$IMG" bs=1M count=64 conv=fsync status=none
	fi
	attach --direct-io=$dio "$IMG"
	[ "$1" != pinned ] || echo 1 >"$SYS/rloop/pin"
	# Not where udev has looked: those pages are in the cache, and charged to it.
	charges wbytes 1048576 in_group dd if=/dev/zero of="$LOOP" bs=64k count=16 seek=256 oflag=direct conv=fsync status=none
	echo 3 >/proc/sys/vm/drop_caches
	charges rbytes 1048576 in_group dd if="$LOOP" of=/dev/null bs=64k count=16 skip=256 iflag=direct status=none
	# I/O of another group is not.
	before=$(charged wbytes)
	dd if=/dev/zero of="$LOOP" bs=64k count=16 seek=512 oflag=direct conv=fsync status=none
	[ $dio = off ] || is "bytes of another group" "$before" "$(charged wbytes)"

	# Written back later, by the flusher.
	mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0 "$LOOP" 32m
	mount_at "$T/mnt" "$LOOP"
	# Many small requests: of a few large ones, each might find something to wait for.
	size=$(<"$SYS/queue/max_sectors_kb")
	echo 4 >"$SYS/queue/max_sectors_kb"
	sync
	later() {
		in_group dd if=/dev/zero of="$T/mnt/file" bs=64k count=64 status=none
		sync -f "$T/mnt/file"
		# A buffered device has a page cache of its own below.
		sync -f "$IMG"
		sync
	}
	charges wbytes 4194304 later
	unmount "$T/mnt"
	echo "$size" >"$SYS/queue/max_sectors_kb"
	detach "$LOOP"
done
