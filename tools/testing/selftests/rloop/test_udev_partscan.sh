#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# With udev at work, losetup -P brings each partition once: nothing goes and
# comes back. (With the C driver it does now and then.)
# uml: none
# prev: none
. "${0%/*}/common.sh"
need_rloop
need sfdisk udevadm
[ -S /run/udev/control ] || skip "no udev here"

count() { grep -c "^KERNEL.*$1" "$T/events" || :; }

# udev has a scan of its own, after a task that wrote to a device closes it: that one
# is not the driver's, and is kept out of this.
rules=/run/udev/rules.d/99-rloop-test.rules
mkdir -p "${rules%/*}"
defer udev_reload
defer rm -f "$rules"
echo 'SUBSYSTEM=="block", KERNEL=="loop*", OPTIONS:="nowatch"' >"$rules"
udev_reload
udevadm trigger --subsystem-match=block --settle

backing tmpfs 16
printf 'label: gpt\nsize=4M\nsize=4M\n' | sfdisk -q "$IMG"
for i in 1 2 3 4 5; do
	settle
	# Without what the last round's monitor has printed: this one may not run yet.
	: >"$T/events"
	udevadm monitor --kernel --property --subsystem-match=block >>"$T/events" &
	monitor=$!
	soon grep -q '^KERNEL' "$T/events"
	attach -P "$IMG"
	for p in 1 2; do
		[ -b "${LOOP}p$p" ] || fail "no partition $p"
	done
	settle
	# An event of ours that comes after all of theirs.
	fence=$(udevadm trigger --uuid --action=change "/sys/block/$NAME")
	soon grep -q "^SYNTH_UUID=$fence" "$T/events"
	settle
	kill $monitor
	wait $monitor 2>/dev/null || :
	for p in 1 2; do
		is "round $i: partition $p added" 1 "$(count "add .*/${NAME}p$p ")"
		is "round $i: partition $p removed" 0 "$(count "remove .*/${NAME}p$p ")"
	done
	detach "$LOOP"
	absent "/sys/block/$NAME/${NAME}p1" || fail "partitions stay"
done
