#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# While loop.ko has the major, loading fails as busy, the log says what to do,
# nothing is left behind, and loop.ko is as before.
# prev: none
. "${0%/*}/common.sh"

own_module
modprobe -q loop 2>/dev/null || skip "no loop.ko in this kernel"
before=$(devices)
mark="major-held $$"
echo "$mark" >/dev/kmsg
refused "busy" insmod "$KO"
absent /sys/module/rloop || fail "the module is still there"
dmesg | awk -v m="$mark" 'index($0, m) { p = 1; next } p' >"$T/dmesg"
grep -q "rloop.*name=" "$T/dmesg" || { cat "$T/dmesg"; fail "no remedy in the log"; }
is "devices of loop.ko" "$before" "$(devices)"
is "users of the major" 1 "$(grep -cw loop /proc/devices)"

# And with loop.ko at work.
backing tmpfs 4
attach "$IMG"
refused "busy" insmod "$KO"
DRIVER=loop
pattern write "$LOOP" 0 65536 1 -d
pattern check "$IMG" 0 65536 1
detach "$LOOP"
unload loop
# The way is free now.
load
is "the module" 1 "$(find /sys/module -maxdepth 1 -name rloop | wc -l)"
