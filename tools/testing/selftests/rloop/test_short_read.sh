#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The file is cut under the device: what is left is read, what is gone is an I/O
# error, and a read across the end is not whole.
# variants: tmpfs ext4 xfs btrfs
# stock: ext4
# prev: none
. "${0%/*}/common.sh"

backing "$1" 1
for dio in on off; do
	truncate -s 1M "$IMG"
	pattern write "$IMG" 0 1048576 1 -s
	attach --direct-io=$dio "$IMG"
	truncate -s 512K "$IMG"
	pattern check "$LOOP" 0 524288 1 -d
	refused "0 bytes, then EIO" pattern check "$LOOP" 528384 4096 1 -d -b 4096
	# Some bytes may be reported; all of them must not.
	refused "bytes, then EIO" pattern check "$LOOP" 0 1048576 1 -d -b 1048576
	is "size of the device" 1048576 "$(blockdev --getsize64 "$LOOP")"
	detach "$LOOP"
done
