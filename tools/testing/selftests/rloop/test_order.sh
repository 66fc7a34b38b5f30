#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What reaches the disk below, and in which order: data that an fsync or FUA on the device
# confirms is there before a flush of the disk, or is written with FUA.
# variants: block ext4
# stock: ext4
# prev: none
. "${0%/*}/common.sh"
need dmsetup
modprobe -q dm-log-writes 2>/dev/null || true
dmsetup targets | grep -q "^log-writes " || skip "no dm-log-writes in this kernel"

disk 256
LOGDISK=$DISK
disk 64 cache_size=16 fua=1
dm rloop-order "0 $(blockdev --getsz "$DISK") log-writes $DISK $LOGDISK"
mark() { dmsetup message rloop-order 0 mark "$1"; }
if [ "$1" = block ]; then
	IMG=$DM
else
	mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0 -O ^has_journal "$DM"
	MNT=$T/mnt
	mkdir "$MNT"
	mount -t ext4 -o noinit_itable "$DM" "$MNT"
	defer unmount "$MNT"
	IMG=$MNT/img
	: >"$IMG"
	pattern write "$IMG" 0 4194304 1 -s
fi
# Where the bytes at OFFSET of the image are on the disk, in sectors.
sector_of() {
	local extent
	if [ "$1" = block ]; then
		echo $(($2 / 512))
	else
		extent=$(filefrag -e -b512 "$IMG" | awk -v s=$(($2 / 512)) '
			$1 ~ /^[0-9]+:$/ { gsub(/[.:]/, " "); if (s >= $2 && s <= $3) print $4 + s - $2 }')
		echo "$extent"
	fi
}

for dio in on off; do
	attach --direct-io=$dio "$IMG"
	mark "$dio-begin"
	pattern write "$LOOP" 1048576 65536 2 -d -s
	mark "$dio-synced"
	"$HERE/fua" "$LOOP" 1
	mark "$dio-durable"
	detach "$LOOP"
done
data=$(sector_of "$1" 1048576)
durable=$(sector_of "$1" 0)
[ -n "$data" ] && [ -n "$durable" ] || fail "where the file is, is not known"
# (The log is whole when the device is gone.)
[ "$1" = block ] || unmount_below "$MNT"
dm_gone rloop-order
"$HERE/logwrites" "$LOGDISK" >"$T/log"
for dio in on off; do
	awk -v dio=$dio -v data="$data" -v durable="$durable" '
		/ mark / { part = $NF; next }
		{ flush = / flush/; fua = / fua/; sector = $1; n = $2 }
		# A flush with data goes before that data.
		part == dio "-begin" {
			if (flush && written >= 128) synced = 1
			if (n && sector >= data && sector < data + 128) { written += n; synced = 0 }
		}
		part == dio "-synced" {
			if (flush) { safe += plain; plain = 0 }
			if (n && sector >= durable && sector < durable + 128) { if (fua) safe += n; else plain += n }
		}
		END {
			if (written < 128) { print dio ": only " written + 0 " sectors of the data reached the disk"; bad = 1 }
			if (!synced) { print dio ": no flush after the data"; bad = 1 }
			if (safe < 128) { print dio ": " safe + 0 " sectors with FUA, or a flush after them, and " plain + 0 " without"; bad = 1 }
			exit bad
		}' "$T/log" || { cat "$T/log"; fail "the order of what was written"; }
done
