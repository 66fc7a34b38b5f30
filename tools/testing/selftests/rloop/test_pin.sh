#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A pinned device: what it writes is in the file, for whoever reads that, at once and afterwards; no
# request goes to a worker; the file belongs to everybody when it is let go.
# variants: ext4 xfs btrfs ext3 partition dm loop
# stock: ext4 xfs btrfs
# prev: ext4 xfs
# debug: ext4 xfs
# timeout: 120
. "${0%/*}/common.sh"
. "$HERE/pin.sh"

case $1 in
ext4 | xfs | btrfs) pinnable "$1" 8 cache_size=16 ;;
ext3)
	need_fs ext4
	disk 128
	mkfs.ext4 -q -F -b "$BLOCK" -E nodiscard,lazy_itable_init=0 -O ^extents,^64bit "$DISK"
	mounted "$DISK" "$T/mnt"
	;;
partition)
	need sfdisk
	disk 128 cache_size=16
	printf 'label: dos\nstart=4096, size=8192\nstart=20480\n' | sfdisk -q --no-reread "$DISK" >/dev/null 2>&1
	blockdev --rereadpt "$DISK"
	PART=${DISK}p2
	[ -b "$PART" ] || PART=${DISK}2
	soon test -b "$PART"
	mkfs.ext4 -q -F -b "$BLOCK" -E nodiscard,lazy_itable_init=0 "$PART"
	mounted "$PART" "$T/mnt"
	;;
dm)
	# In two parts, so that requests are split there.
	disk 128
	dm rloop-pin "$(printf '0 65536 linear %s 131072\n65536 131072 linear %s 0' "$DISK" "$DISK")"
	mkfs.ext4 -q -F -b "$BLOCK" -E nodiscard,lazy_itable_init=0 "$DM"
	mounted "$DM" "$T/mnt"
	;;
loop)
	backing ext4 64
	lower=$(losetup --show -f --direct-io=on "$IMG")
	defer detach "$lower"
	settle
	mkfs.ext4 -q -F -b "$BLOCK" -E nodiscard,lazy_itable_init=0 "$lower"
	mounted "$lower" "$T/mnt"
	;;
esac
IMG=$MNT/img
[ -e "$IMG" ] || written "$IMG" 8
SIZE=$((8 * MIB))

# ---- On and off
attach "$IMG"
is "pin of an ordinary device" 0 "$(pinned)"
is "pin_reason" "not requested" "$(pin_reason)"
for word in 2 -1 yes "" "1 0"; do
	refused "Invalid argument" set_pin "$word"
done
# limits: all that the queue says of itself.
limits() {
	grep -s . "$SYS"/queue/* || true
}
free "$IMG"
limits >"$T/limits"
pattern write "$IMG" 0 $SIZE 1 -b 1048576 # not written back yet
log_mark
pin
is "lines in the log" 0 "$(said "not pinned")"
pin # again: nothing happens
held "$IMG"
refused "busy" losetup --direct-io=off "$LOOP"
off() { echo 0 >"$SYS/loop/dio"; }
refused "busy" off
is "direct I/O" 1 "$(<"$SYS/loop/dio")"
unpin
limits | diff "$T/limits" - || fail "other limits than before it was pinned"
free "$IMG"
pattern write "$IMG" 0 $SIZE 1 -s -b 1048576
detach "$LOOP"

# ---- Data
attach "$IMG"
pin
mark
n=$(counter remapped)
pattern write "$LOOP" $MIB $MIB 2 -d -b 4096
pattern write "$LOOP" $((4 * MIB + 512)) $((MIB + 1024)) 4 -d -b 66048
pattern check "$LOOP" $MIB $MIB 2 -d -b 65536
[ ! -e /proc/sys/fs/aio-max-nr ] || "$HERE/fua" "$LOOP" 4
# (What is on a loop device is left to a worker.)
if [ "$1" != loop ]; then
	"$HERE/lo" "$LOOP" flush
	no_worker
	remapped_alone
	[ "$(counter remapped)" -ge $((n + 256 + 15 + 16)) ] || fail "only $(($(counter remapped) - n)) requests were remapped"
	used read_direct write_direct
fi
# (What the disk below would split may have to wait.)
pattern write "$LOOP" $((2 * MIB)) $((2 * MIB)) 3 -d -b 1048576
# right FILE [OPTION]...: all that was written is in FILE.
right() {
	[ ! -e /proc/sys/fs/aio-max-nr ] || pattern check "$1" 0 262144 2 "${@:2}"
	pattern check "$1" $MIB $MIB 2 "${@:2}"
	pattern check "$1" $((2 * MIB)) $((2 * MIB)) 3 "${@:2}"
	pattern check "$1" $((4 * MIB)) 512 1 -p $((4 * MIB)) -b 512 "${@:2}"
	pattern check "$1" $((4 * MIB + 512)) $((MIB + 1024)) 4 -b 66048 "${@:2}"
	pattern check "$1" $((5 * MIB + 1536)) $((3 * MIB - 1536)) 1 -p $((5 * MIB + 1536)) "${@:2}"
}
right "$IMG" -d
right "$IMG"
right "$LOOP" -d

# What readers of the file have cached goes when the device has written it; a mapped page, too.
cat "$IMG" >/dev/null
coproc peek { "$HERE/fsop" peek "$IMG" $((6 * MIB)); }
peeker=$!
look() { echo >&"${peek[1]}" && read -r SEEN <&"${peek[0]}"; }
look
before=$SEEN
is "worker_stale" 0 "$(counter worker_stale)"
pattern write "$LOOP" $((6 * MIB)) $MIB 5 -d -b 65536
look
[ "$SEEN" != "$before" ] || fail "a mapped page is the old one"
pattern check "$IMG" $((6 * MIB)) $MIB 5
# (A request that needs a worker in any case is not counted again.)
[ "$1" = loop ] || used worker_stale
stale=$(counter worker_stale)
cat "$IMG" >/dev/null
pattern write "$LOOP" $((6 * MIB + 512)) $MIB 6 -d -b 66048
pattern check "$IMG" $((6 * MIB + 512)) $MIB 6
[ "$1" = loop ] || [ "$(counter worker_stale)" -gt "$stale" ] || fail "no request dropped cached pages"
cat "$IMG" >/dev/null
pattern write "$LOOP" $((6 * MIB)) $((MIB + 512)) 1 -p $((6 * MIB))
blockdev --flushbufs "$LOOP"
eval "exec ${peek[1]}>&-"
wait "$peeker"
right "$IMG"

# ---- Flush, FUA and cache are those of the disk
if [ -d "/sys/block/${DISK#/dev/}" ] && [ "$1" != dm ] && [ "$1" != loop ]; then
	for f in write_cache fua; do
		is "$f" "$(<"/sys/block/${DISK#/dev/}/queue/$f")" "$(<"$SYS/queue/$f")"
	done
	if [ "$(<"$SYS/queue/write_cache")" = "write back" ]; then
		n=$(flushes "$DISK")
		"$HERE/lo" "$LOOP" flush
		[ "$(flushes "$DISK")" -gt "$n" ] || fail "no flush reached $DISK"
		used flush
	fi
fi

# ---- The time of the file
old "$IMG"
pattern write "$LOOP" 0 4096 1 -d -b 4096
"$HERE/lo" "$LOOP" flush
soon moved "$IMG"
old "$IMG"
pattern write "$LOOP" 0 4096 1 -d -b 4096
soon moved "$IMG"
old "$IMG"
pattern write "$LOOP" 0 4096 1 -d -b 4096
unpin
moved "$IMG" || fail "the file was written, and its time has not moved when it is unpinned"
old "$IMG"
pin
pattern check "$LOOP" 0 4096 1 -d
unpin
! moved "$IMG" || fail "the time of a file moved that was only read"

# ---- Let go
free "$IMG"
pattern check "$IMG" $MIB $MIB 2
pattern write "$IMG" 0 $SIZE 1 -s -b 1048576
pin
pattern write "$LOOP" 0 $SIZE 7 -d -b 1048576
cp "$IMG" "$MNT/copy" # cp knows that a file may not be cloned
pattern check "$MNT/copy" 0 $SIZE 7
rm "$MNT/copy"
detach "$LOOP"
pattern check "$IMG" 0 $SIZE 7 -b 1048576
free "$IMG"
pattern write "$IMG" 0 $SIZE 1 -s -b 1048576

# ---- Many at once, and requests of every shape
attach "$IMG"
pin
size=8m
[ "${RLOOP_SLOW:-1}" = 1 ] || size=1m
verify_fio "$LOOP" --size=$size
blockdev --flushbufs "$LOOP"
cmp "$LOOP" "$IMG"
detach "$LOOP"
# (Once is enough where the machine is emulated.)
if [ "$1" = ext4 ] || [ "${RLOOP_SLOW:-1}" = 1 ]; then
	RLOOP_IMG=$IMG "$HERE/io" -v pinned
fi
rm "$IMG"
