#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# While tasks are frozen for suspend, a kernel thread, which is not, gets nothing written below by
# itself: its requests are left to the workers, which are frozen.
# uml: none
# debug: all
. "${0%/*}/common.sh"
need_rloop
need insmod rmmod
KO=$HERE/late_io.ko
[ -e "$KO" ] || skip "no late_io.ko was built for this kernel"
grep -qsw freezer /sys/power/pm_test || skip "no freezer test in this kernel"

served() { [ "$(counter remapped)" -gt 100 ]; }
# The disk below ends a request while that is submitted.
backing block 16 irqmode=0
attach --direct-io=on "$IMG"
insmod "$KO" path="$LOOP"
defer rmmod late_io
late=/sys/module/late_io/parameters
echo run >$late/command
soon served
echo 1 >/sys/module/suspend/parameters/pm_test_delay
echo freezer >/sys/power/pm_test
echo freeze >/sys/power/state
echo none >/sys/power/pm_test
counted() { [ $(($(<$late/held) + $(<$late/while_frozen))) -gt 0 ]; }
soon counted
echo stop >$late/command
is "requests that failed" 0 "$(<$late/failed)"
is "threads that went on while tasks were frozen" 0 "$(<$late/while_frozen)"
