#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A backing whose direct I/O is in blocks of 4096 bytes: the device's blocks are as
# large, unless others are asked for. Then what fits is direct and the rest is cached.
# variants: ext4 xfs block
# stock: ext4
# prev: block
# timeout: 120
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
reason() { [ "$DRIVER" != rloop ] || is direct_reason "$1" "$(<"$SYS/rloop/direct_reason")"; }
reason "in effect"
refused "Invalid argument" dd if=/dev/zero of="$LOOP" bs=512 count=1 oflag=direct
detach "$LOOP"

attach --sector-size 512 --direct-io=on "$IMG"
is "block size" 512 "$(blockdev --getss "$LOOP")"
reason "in effect for multiples of 4096: logical block size 512 is none"
if [ "$DRIVER" = rloop ]; then
	is "direct I/O" 1 "$(<"$SYS/loop/dio")"
	[[ $(losetup -nO DIO "$LOOP") == *1* ]] || fail "losetup finds it buffered"
	unused write_direct write_buffered
	pattern write "$LOOP" 65536 65536 6 -d -b 4096
	used write_direct
	unused write_buffered
fi
pattern write "$LOOP" 512 66048 5 -d -b 512
used write_buffered
pattern check "$LOOP" 512 66048 5
pattern check "$IMG" 512 66048 5
# Neighbours of one block, some direct and some cached, at once.
mixed() {
	local args=(--direct=1 --ioengine=libaio --iodepth=8 --verify=crc32c --do_verify=1
		--verify_state_save=0 --thread --rw=randwrite --filename="$LOOP" --size=2m)
	need fio
	local sectors=256k
	[ -z "${RLOOP_FEW:-}" ] || { args+=(--io_size=512k) sectors=64k; }
	fio --name=blocks "${args[@]}" --bs=4k --offset=0 --randseed=1 \
		--name=sectors "${args[@]}" --bs=512 --offset=2m --randseed=2 --io_size=$sectors \
		--name=between "${args[@]}" --bsrange=512-8k --bs_unaligned=0 --blockalign=512 --offset=4m --randseed=3 \
		--name=more "${args[@]}" --bs=4k --offset=6m --randseed=4 >"$T/fio.log" 2>&1 ||
		{ cat "$T/fio.log"; fail "fio with a mix of sizes"; }
}
mixed
rounds=1500
[ -z "${RLOOP_FEW:-}" ] || rounds=500
[ "$DRIVER" != rloop ] || "$HERE/interleave" "$LOOP" 512 6 $rounds
used write_direct write_buffered
detach "$LOOP"

# The reason follows the block size.
attach --sector-size 512 --direct-io=on "$IMG"
losetup --sector-size 4096 "$LOOP"
reason "in effect"
losetup --sector-size 512 "$LOOP"
reason "in effect for multiples of 4096: logical block size 512 is none"
detach "$LOOP"

# Half a block into the backing nothing fits, and the device says so.
attach -o 512 --sector-size 4096 --direct-io=on "$IMG"
is "direct I/O" 0 "$(<"$SYS/loop/dio")"
reason "offset 512 is no multiple of 4096"
