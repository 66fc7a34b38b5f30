#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Requests that need not wait are served by the task that brings them; the others are
# left to a worker, and what is written is the same.
# variants: ext4 xfs block
# stock: all
# prev: ext4 block
# debug: ext4 block
. "${0%/*}/common.sh"
need_rloop

backing "$1" 64
[ "$1" = block ] || pattern write "$IMG" 0 67108864 1 -s
attach --direct-io=on "$IMG"
bytes=8388608
[ -z "${RLOOP_FEW:-}" ] || bytes=2097152
# Bios are passed on to a block device; a file gets kiocbs.
how=inline
[ "$1" != block ] || how=remapped
all=$((bytes / 4096))
# at_once WHAT LEAST CMD...: of all requests, at least so many.
at_once() {
	local what=$1 least=$2 before
	before=$(counter $how)
	"${@:3}"
	[ $(($(counter $how) - before)) -ge "$least" ] ||
		fail "of $all $what only $(($(counter $how) - before)) were served at once"
}
# ext4 refuses the first write of each timer tick; on a slow machine there may be few others, or none.
few=1
[ "$1${RLOOP_KERNEL:-}" != ext4debug ] || few=0
at_once writes $few pattern write "$LOOP" 0 $bytes 2 -d -b 4096
at_once reads $((all / 10 * 9)) pattern check "$LOOP" 0 $bytes 2 -d -b 4096
size=32m
[ -z "${RLOOP_FEW:-}" ] || size=6m
verify_fio "$LOOP" --size=$size
detach "$LOOP"
pattern check "$IMG" 33554432 1048576 "$([ "$1" = block ] && echo 0 || echo 1)" -p 33554432

# A file with holes refuses every write; it is not asked each time.
if [ "$1" = ext4 ] || [ "$1" = xfs ]; then
	bytes=$((2 * bytes))
	truncate -s $bytes "$MNT/sparse"
	attach --direct-io=on "$MNT/sparse"
	pattern write "$LOOP" 0 $bytes 3 -d -b 4096
	used inline_refused
	[ "$(counter inline_refused)" -lt 50 ] || fail "$(counter inline_refused) of $((bytes / 4096)) writes were tried in vain"
	pattern check "$MNT/sparse" 0 $bytes 3
	detach "$LOOP"
fi

# From the page cache, where that holds it. (Of a block device, a worker asks for its lock.)
if [ "$1" = block ]; then
	# What the page cache of the device holds is dropped or written first.
	attach --direct-io=on "$IMG"
	dd if="$IMG" of=/dev/null bs=64k count=16 status=none
	pattern write "$LOOP" 0 1048576 5 -d -b 4096
	pattern check "$IMG" 0 1048576 5
	pattern write "$IMG" 0 1048576 6
	pattern check "$LOOP" 0 1048576 6 -d -b 4096
	exit 0
fi
attach --direct-io=off "$IMG"
cat "$IMG" >/dev/null
before=$(counter inline)
pattern check "$LOOP" 33554432 1048576 1 -d -b 4096 -p 33554432
[ "$(counter inline)" -ge $((before + 200)) ] || fail "$(($(counter inline) - before)) of 256 cached reads were served at once"
# Writes, where the file system can say that they would wait. xfs refuses the first of each timer
# tick, which changes the time of the file.
ticks() { awk '$1 == "jiffies:" { n = $2; exit } END { print n == "" ? 0 : n }' /proc/timer_list; }
if [ "$1" = xfs ]; then
	before=$(counter inline) start=$(ticks)
	pattern write "$LOOP" 33554432 1048576 4 -d -b 4096 -p 33554432
	n=$(($(counter inline) - before)) took=$(($(ticks) - start))
	echo "$n of 256 cached writes were served at once, in $took ticks"
	[ $((n + took)) -ge 240 ] || fail "more than one for each tick was refused"
	pattern check "$IMG" 33554432 1048576 4 -p 33554432
fi
echo 3 >/proc/sys/vm/drop_caches
pattern check "$LOOP" 34603008 1048576 1 -d -b 4096 -p 34603008
