#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A device is pinned and unpinned again and again while it is written, verified, flushed and discarded,
# and its file is read: no byte is lost, and each request ends.
# variants: ext4 xfs
# stock: all
# prev: xfs
# debug: all
# timeout: 240
. "${0%/*}/common.sh"
. "$HERE/pin.sh"

rounds=15
[ "${RLOOP_SLOW:-1}" = 1 ] || rounds=5
pinnable "$1" 16
attach --direct-io=on "$IMG"

# Each has a part of its own, and goes on until it is told to stop.
going() { [ ! -e "$T/stop" ]; }
writer() { # NAME OFFSET LENGTH [OPTION]...
	local seed=10
	while going; do
		seed=$((seed + 1))
		pattern write "$LOOP" "$2" "$3" $seed "${@:4}"
		pattern check "$LOOP" "$2" "$3" $seed "${@:4}"
		echo $seed >"$T/seed.$1"
	done
}
flusher() {
	while going; do
		"$HERE/lo" "$LOOP" flush
		sleep 0.01
	done
}
# Through the page cache of the file, which the device changes beside.
reader() {
	while going; do
		cat "$IMG" >/dev/null
		pattern check "$IMG" $((12 * MIB)) $((4 * MIB)) 1 -p $((12 * MIB)) -b 1048576
	done
}
verifier() {
	while going; do
		verify_fio "$LOOP" --offset=4m --size=4m
	done
}
stop() { : >"$T/stop" && wait "${tasks[@]}"; }
tasks=()
defer stop
writer direct 0 $((2 * MIB)) -d -b 16384 &
tasks+=($!)
writer cached $((2 * MIB)) $((2 * MIB)) -s &
tasks+=($!)
flusher &
tasks+=($!)
reader &
tasks+=($!)
verifier &
tasks+=($!)
# A reader may fill the page cache as fast as it is dropped.
pins() {
	set_pin 1 2>/dev/null || { is "pin_reason" "refused: error 16" "$(pin_reason)" && return 1; }
}
busy=0
for ((i = 0; i < rounds; i++)); do
	until { pins & ended $! pins; }; do
		busy=$((busy + 1))
		[ $busy -lt 1000 ] || fail "the reader is always faster"
	done
	in_effect
	sleep 0.05
	ends set_pin 0
	is "pin" 0 "$(pinned)"
	sleep 0.02
	for t in "${tasks[@]}"; do
		kill -0 "$t" 2>/dev/null || fail "a task ended in round $i"
	done
done
: >"$T/stop"
for t in "${tasks[@]}"; do
	ended "$t" "a task" || fail "a task failed"
done
pin
echo "refused because of the reader: $busy times in $rounds rounds"
used read_direct write_direct remapped flush
detach "$LOOP"
for name in direct:0 cached:2; do
	pattern check "$IMG" $((${name#*:} * MIB)) $((2 * MIB)) "$(<"$T/seed.${name%:*}")"
done
pattern check "$IMG" $((8 * MIB)) $((8 * MIB)) 1 -p $((8 * MIB))
free "$IMG"
