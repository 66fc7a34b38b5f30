#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# offset and sizelimit: data lands at the offset, nothing is written or read
# outside, on either path.
# variants: tmpfs ext4 block
# stock: block
# prev: none
. "${0%/*}/common.sh"

backing "$1" 4
M=524288

check() { # OFFSET SIZELIMIT BYTES [losetup option]...
	local off=$1 limit=$2 bytes=$3 end
	shift 3
	pattern write "$IMG" 0 $((8 * M)) 1 -s
	attach -o "$off" --sizelimit "$limit" "$@" "$IMG"
	is "size at offset $off, limit $limit" "$bytes" "$(blockdev --getsize64 "$LOOP")"
	is "sysfs offset" "$off" "$(<"$SYS/loop/offset")"
	is "sysfs sizelimit" "$limit" "$(<"$SYS/loop/sizelimit")"

	# More than there is room for.
	pattern write "$LOOP" 0 $((bytes + 4096)) 2 -d -b 4096 >"$T/out" && fail "wrote past the end"
	is "written" "$bytes bytes, then ENOSPC" "$(<"$T/out")"
	pattern check "$LOOP" 0 "$bytes" 2 -d
	is "read past the end" 0 "$(dd if="$LOOP" bs=512 skip=$((bytes / 512)) count=1 2>/dev/null | wc -c)"
	detach "$LOOP"

	# In the backing: before, the data, after.
	end=$((off + bytes))
	pattern check "$IMG" 0 "$off" 1
	pattern check "$IMG" "$off" "$bytes" 2
	pattern check "$IMG" $end $((8 * M - end)) 1 -p $end
	is "size of the backing" $((8 * M)) "$(blockdev --getsize64 "$IMG" 2>/dev/null || stat -c %s "$IMG")"
}

check $M $((2 * M)) $((2 * M)) --direct-io=off
check $M $((2 * M)) $((2 * M)) --direct-io=on
check 4608 65536 65536 --direct-io=off
check 4608 65536 65536 --direct-io=on
# Not in whole sectors: the rest is not used.
check 777 100000 99840 --direct-io=off
check $((7 * M)) 0 $M --direct-io=on
check $((7 * M + 512)) $((9 * M)) $((M - 512)) --direct-io=off
