#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A forced-unit-access write is on the disk below when it is acknowledged, and
# needs no flush of the device for that.
# variants: ext4 xfs btrfs block
# stock: ext4 block
# prev: ext4
. "${0%/*}/common.sh"
need_rloop

backing "$1" 4 cache_size=64 fua=0
for dio in on off; do
	attach --direct-io=$dio "$IMG"
	is "FUA" 1 "$(<"$SYS/queue/fua")"
	sectors=$(sectors_written "$DISK")
	before=$(flushes "$DISK")
	"$HERE/fua" "$LOOP" 4
	[ "$(flushes "$DISK")" -ge $((before + 4)) ] || fail "$dio: writes without a flush of $DISK"
	written=$(($(sectors_written "$DISK") - sectors))
	[ $written -ge 512 ] || fail "$dio: only $written sectors written to $DISK"
	is "flushes of the device" 0 "$(counter flush)"
	detach "$LOOP"
	pattern check "$IMG" 0 262144 2
done
