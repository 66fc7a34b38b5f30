#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A file that is deleted while it is bound: the device works on, says so, and lets the
# space go with the detach.
# variants: ext4 tmpfs
. "${0%/*}/common.sh"

used_space() { stat -f -c '%b %f %S' "$MNT" | awk '{ print ($1 - $2) * $3 }'; }
filesystem "$1"
sync -f "$MNT"
before=$(used_space)
for dio in on off; do
	: >"$MNT/$dio"
	pattern write "$MNT/$dio" 0 16777216 1 -s
	IMG=$MNT/$dio
	attach --direct-io=$dio "$IMG"
	rm "$IMG"
	is "backing_file" "$IMG (deleted)" "$(<"$SYS/loop/backing_file")"
	pattern check "$LOOP" 0 8388608 1 -d
	pattern write "$LOOP" 8388608 8388608 2 -d -s
	pattern check "$LOOP" 8388608 8388608 2 -d
	[ "$(used_space)" -ge $((before + 16777216)) ] || fail "its space is gone: $(used_space), $before before"
	detach "$LOOP"
	freed() { sync -f "$MNT" && [ "$(used_space)" -lt $((before + 4194304)) ]; }
	soon freed
done
