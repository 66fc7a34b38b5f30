#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A device on a disk that writes atomically does so, too, as far as its offset allows.
. "${0%/*}/common.sh"
need_rloop

scsi_disk 32 atomic_wr=1
most=$(<"/sys/block/${DISK#/dev/}/queue/atomic_write_unit_max_bytes")
[ "$most" -gt 4096 ] || skip "the disk writes at most $most bytes atomically"

unit() { cat "$SYS/queue/atomic_write_unit_max_bytes"; }
attach --direct-io=on "$DISK"
is "largest atomic write" "$most" "$(unit)"
"$HERE/atomic" "$LOOP" 8192 8192 || fail "an atomic write"
"$HERE/atomic" "$LOOP" 0 4096 dsync || fail "an atomic and durable write"
used passed_on
# With the page cache of the disk in its way, too.
dd if="$DISK" of=/dev/null bs=64k count=4 status=none
"$HERE/atomic" "$LOOP" 16384 16384 || fail "an atomic write past cached pages"
refused "Invalid argument" "$HERE/atomic" "$LOOP" 4096 8192
blockdev --flushbufs "$DISK"
cmp "$LOOP" "$DISK"
losetup --direct-io=off "$LOOP"
is "largest atomic write, buffered" 0 "$(unit)"
detach "$LOOP"

attach --direct-io=on -o 4096 "$DISK"
is "largest atomic write at 4096" 4096 "$(unit)"
"$HERE/atomic" "$LOOP" 4096 4096 || fail "an atomic write at an offset"
refused "Invalid argument" "$HERE/atomic" "$LOOP" 8192 8192
