#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Images on a server: their size is what the server says, not what the client has
# cached; and a server that goes away and comes back loses nothing that was acknowledged.
# uml: none
# prev: none
# timeout: 120
. "${0%/*}/common.sh"
. "$HERE/nfs.sh"

# What is cached is good for an hour.
serve_nfs actimeo=3600
BLOCKS=16
for dio in off on; do
	IMG=$MNT/$dio
	truncate -s 1M "$IMG"
	attach --direct-io=$dio "$IMG"
	is "dio" "$([ $dio = on ] && echo 1 || echo 0)" "$(<"$SYS/loop/dio")"
	is "size" 1048576 "$(blockdev --getsize64 "$LOOP")"
	# It waits until the client has given its delegation back, which truncate does not.
	dd of="$EXPORT/$dio" bs=1M count=0 seek=2 status=none
	losetup -c "$LOOP"
	is "size on the server" 2097152 "$(blockdev --getsize64 "$LOOP")"
	eval "$dio=$LOOP"
done

# writer DEVICE NOTES: blocks of 64 KiB, each noted when it was written and flushed.
writer() {
	local i
	for ((i = 0; i < BLOCKS; i++)); do
		pattern write "$1" $((i * 65536)) 65536 $((i + 1)) -d -s || return
		echo $i >>"$2"
	done
}
noted() { [ "$(wc -l <"$2")" -ge "$1" ]; }
# shellcheck disable=SC2154  # on and off are set above
for dio in on off; do
	: >"$T/$dio"
	writer "${!dio}" "$T/$dio" &
done
soon noted 2 "$T/on"
soon noted 2 "$T/off"
nfs_stop
sleep 1
nfs_start
wait
for dio in on off; do
	is "blocks" $BLOCKS "$(wc -l <"$T/$dio")"
	for ((i = 0; i < BLOCKS; i++)); do
		pattern check "$EXPORT/$dio" $((i * 65536)) 65536 $((i + 1))
		pattern check "${!dio}" $((i * 65536)) 65536 $((i + 1)) -d
	done
done
