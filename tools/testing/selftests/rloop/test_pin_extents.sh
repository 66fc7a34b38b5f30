#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A pinned file of thousands of extents: requests of each operation that begin and end in different
# ones do to each byte what they should, and to no other.
# variants: ext4 xfs
# stock: all
# prev: ext4
# debug: ext4
# timeout: 240
. "${0%/*}/common.sh"
. "$HERE/pin.sh"

# fragmented EXTENTS: IMG is a file of so many of a page each, in MNT, pattern 1.
fragmented() {
	IMG=$MNT/img
	LEN=$(($1 * BLOCK))
	"$HERE/fsop" fragment "$IMG" "$MNT/other" "$BLOCK" "$1"
	pattern write "$IMG" 0 $LEN 1 -s -b 1048576
}
# only OFFSET LENGTH SEED: of that and what is beside it, IMG and the device have pattern 1 but there.
# Then all is pattern 1 again.
only() {
	local f from=$(($1 / 4096 * 4096)) to=$((($1 + $2 + 4095) / 4096 * 4096))
	from=$((from > 65536 ? from - 65536 : 0)) to=$((to + 65536 < LEN ? to + 65536 : LEN))
	for f in "$IMG" "$LOOP"; do
		pattern check "$f" $from $(($1 - from)) 1 -p $from
		pattern check "$f" "$1" "$2" "$3"
		pattern check "$f" $(($1 + $2)) $((to - $1 - $2)) 1 -p $(($1 + $2))
	done
	blockdev --flushbufs "$LOOP"
	pattern write "$LOOP" $from $((to - from)) 1 -d -b 1048576 -p $from
}

extents=2000
case ${RLOOP_KERNEL:-} in
stock) [ "$1" = xfs ] && extents=800 || extents=10000 ;;
stock-prev | debug) extents=800 ;;
esac
filesystem "$1"
fragmented $extents
attach "$IMG"
pin
[ $EXTENTS -ge $((extents * 9 / 10)) ] || fail "only $EXTENTS extents of $extents"

# Reads and writes of many extents, in bytes that are no pages, up to the end.
pattern check "$LOOP" 512 $((LEN - 512)) 1 -p 512 -d -b 1048064
pattern check "$LOOP" 0 $MIB 1 -d -b 28672
odd=$((MIB + 1536))
pattern write "$LOOP" $odd $((2 * MIB)) 2 -d -b 1048576
only $odd $((2 * MIB)) 2
pattern write "$LOOP" $odd $((256 * 1024)) 3 -d -b 12800
only $odd $((256 * 1024)) 3
pattern write "$LOOP" $((LEN - MIB - 512)) $((MIB + 512)) 4 -d -b $((MIB + 512))
only $((LEN - MIB - 512)) $((MIB + 512)) 4
# Through the page cache of the device, and many at once.
pattern write "$LOOP" $odd $MIB 5 -s
only $odd $MIB 5
pattern check "$IMG" 0 $LEN 1 -d -b 1048576
size=3m
[ "${RLOOP_SLOW:-1}" = 1 ] || size=1m
verify_fio "$LOOP" --bsrange=512-256k --blockalign=512 --bs_unaligned=0 --size=$size
blockdev --flushbufs "$LOOP"
cmp "$LOOP" "$IMG"
detach "$LOOP"
free "$IMG"

# Where the disk can, zeroes and discards.
scsi_disk 320 lbpws=1
need_fs "$1"
case $1 in
ext4) mkfs.ext4 -q -F -b "$BLOCK" -E nodiscard,lazy_itable_init=0 "$DISK" ;;
xfs) mkfs.xfs -q -K -f -b size="$BLOCK" "$DISK" ;;
esac
mounted "$DISK" "$T/scsi"
fragmented 800
attach "$IMG"
pin
for how in "blkdiscard" "blkdiscard -z" "fallocate -z -l"; do
	case $how in
	blkdiscard*) $how -o $((MIB + 4096)) -l $((2 * MIB)) "$LOOP" ;;
	*) fallocate -z -o $((MIB + 4096)) -l $((2 * MIB)) "$LOOP" ;;
	esac
	only $((MIB + 4096)) $((2 * MIB)) 0
done
used discard write_zeroes
blkdiscard -z -o 1536 -l $MIB "$LOOP"
only 1536 $MIB 0
pattern check "$IMG" 0 $LEN 1 -d -b 1048576
detach "$LOOP"
# The extents are still the file's.
free "$IMG"
