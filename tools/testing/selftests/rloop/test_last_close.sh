#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# I/O that crosses the last close, or comes after it, ends: it finds the file or fails. Something
# above, such as a file system that has just been unmounted, may be late.
# debug: all
# timeout: 120
. "${0%/*}/common.sh"
need_rloop
need insmod rmmod
KO=$HERE/late_io.ko
[ -e "$KO" ] || skip "no late_io.ko was built for this kernel"

filesystem tmpfs size=64m
truncate -s 16M "$MNT/img"
attach --direct-io=on "$MNT/img"
insmod "$KO" path="$LOOP"
defer rmmod late_io
late=/sys/module/late_io/parameters
# stop is back when all that was submitted has ended.
late() { ends late_command "$1"; }
late_command() { echo "$1" >"$late/command"; }
all_ended() { is "bios that ended" "$(<"$late/submitted")" "$(<"$late/ended")"; }
bind() {
	losetup --direct-io=on "$LOOP" "$MNT/img"
	settle
}
said() { dmesg | grep -c "$NAME: I/O after the last close failed" || true; }

# Requests that are there, but not with the driver, when the last close takes the file away: it
# waits for them. (Once udev has it open, that close is another.)
in_plug() { [ "$(<"$late/submitted")" -eq $((n * 2)) ]; }
waits() { ! kill -0 $pid 2>/dev/null || grep -q '^State:.D' /proc/$pid/status 2>/dev/null; }
before=$(said)
for n in {1..10}; do
	bound "$LOOP" || bind
	late hold
	soon in_plug
	sleep 0.2
	losetup -d "$LOOP" &
	pid=$!
	soon waits
	sleep 0.2
	late stop
	ended $pid "losetup -d"
	all_ended
	soon unbound "$LOOP"
	[ "$(said)" -eq "$before" ] || break
done
[ "$(said)" -gt "$before" ] || fail "no request crossed the last close, or the log does not say so"
echo "crossed at attempt $n"

# Some that come at any time.
times=25
[ -z "${RLOOP_FEW:-}" ] || times=10
late run
for ((n = 0; n < times; n++)); do
	bind
	pattern write "$LOOP" 4194304 65536 $n -d
	ends losetup -d "$LOOP"
	soon unbound "$LOOP"
done
late stop
all_ended
echo "$(<"$late/submitted") submitted, $(<"$late/failed") failed"
bind
pattern check "$LOOP" 4194304 65536 $((n - 1)) -d
detach "$LOOP"
