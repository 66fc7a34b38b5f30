#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The group rloop/ of a disk counts what was done, from 0 with every file.
. "${0%/*}/common.sh"
need_rloop

backing tmpfs 4
attach --direct-io=off "$IMG"
all=" $(names "$SYS/rloop") "
for c in state direct_reason detach_requested_by pin pin_reason; do
	[[ $all == *" $c "* ]] || fail "there is no $c: $all"
	all=${all/ $c / }
done
for c in $all; do
	[[ $(counter "$c") =~ ^[0-9]+$ ]] || fail "$c holds '$(counter "$c")'"
done
unused write_buffered write_direct flush discard write_zeroes
pattern write "$LOOP" 0 65536 1 -d -b 4096
is write_buffered 16 "$(counter write_buffered)"
pattern write "$LOOP" 0 1048576 1 -d -b 1048576
is "a write of 1 MiB is one request" 17 "$(counter write_buffered)"
pattern write "$LOOP" 0 4096 1 -d -s
is flush 1 "$(counter flush)"
blkdiscard -o 64K -l 64K "$LOOP"
is discard 1 "$(counter discard)"
losetup --direct-io=on "$LOOP"
pattern write "$LOOP" 0 65536 1 -d -b 4096
is write_direct 16 "$(counter write_direct)"
before=$(counter read_direct)
pattern check "$LOOP" 0 65536 1 -d -b 8192
# udev may be reading as well.
[ "$(counter read_direct)" -ge $((before + 8)) ] || fail "read_direct: $before, then $(counter read_direct)"
detach "$LOOP"

attach --direct-io=off "$IMG"
unused write_buffered write_direct flush discard write_zeroes continued inline_refused
