#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A file that does not end with a sector: the bytes behind the last whole one
# are neither part of the device nor touched.
. "${0%/*}/common.sh"

filesystem tmpfs
IMG=$MNT/img
truncate -s $((1048576 + 300)) "$IMG"
pattern write "$IMG" 0 $((1048576 + 300)) 1
cp "$IMG" "$T/before"
for dio in on off; do
	attach --direct-io=$dio "$IMG"
	is "size" 1048576 "$(blockdev --getsize64 "$LOOP")"
	pattern write "$LOOP" 0 1048576 2 -d
	detach "$LOOP"
	is "size of the file" $((1048576 + 300)) "$(stat -c %s "$IMG")"
	cmp <(tail -c 300 "$IMG") <(tail -c 300 "$T/before")
done
