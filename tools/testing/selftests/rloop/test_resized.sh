#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The file is cut and grown while the device is read and written: every request ends, what
# is read is what was written or zeroes, and with its size the file has its place again.
# variants: tmpfs ext4 xfs btrfs
# stock: ext4
# prev: none
# timeout: 120
. "${0%/*}/common.sh"

backing "$1" 4
rounds=30
[ -z "${RLOOP_FEW:-}" ] || rounds=15
for dio in on off; do
	truncate -s 4M "$IMG"
	pattern write "$IMG" 0 4194304 1 -s
	attach --direct-io=$dio "$IMG"
	resize() {
		trap - EXIT ERR
		until [ -e "$T/enough" ]; do
			truncate -s $((RANDOM * 128)) "$IMG"
			losetup -c "$LOOP" 2>/dev/null || true
			truncate -s 4M "$IMG"
			losetup -c "$LOOP" 2>/dev/null || true
		done
	}
	resize &
	resizer=$!
	enough() { : >"$T/enough"; }
	defer enough
	for ((i = 0; i < rounds; i++)); do
		off=$((RANDOM % 64 * 65536))
		dd if="$LOOP" of="$T/read" bs=64k count=1 skip=$off iflag=direct,skip_bytes status=none 2>/dev/null || true
		pattern write "$LOOP" $off 65536 1 -p $off -d >/dev/null || true
		# The bytes that belong there, or zeroes in their place.
		if [ -s "$T/read" ]; then
			truncate -s 65536 "$T/read"
			"$HERE/pattern" sparse "$T/read" 0 65536 1 -p $off || fail "something else at $off"
		fi
	done
	enough
	wait $resizer
	rm "$T/enough"
	truncate -s 4M "$IMG"
	losetup -c "$LOOP"
	is "size" 4194304 "$(blockdev --getsize64 "$LOOP")"
	pattern write "$LOOP" 0 4194304 2 -d -s
	pattern check "$LOOP" 0 4194304 2 -d
	detach "$LOOP"
	pattern check "$IMG" 0 4194304 2
done
