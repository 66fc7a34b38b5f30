#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tasks and file systems are frozen as for suspend, again and again, while a device
# is written to and read back.
# uml: none
# prev: none
. "${0%/*}/common.sh"

grep -qsw freezer /sys/power/pm_test || skip "no freezer test in this kernel"
echo 0 >/sys/module/suspend/parameters/pm_test_delay
backing ext4 16
attach --direct-io=on "$IMG"
mkdir "$T/other"
mount -t tmpfs tmpfs "$T/other"
defer umount "$T/other"
truncate -s 16M "$T/other/img"
direct=$LOOP
attach "$T/other/img"
verify_fio "$direct" --size=16m --loops=2 &
first=$!
verify_fio "$LOOP" --size=8m --loops=2 &
second=$!
echo freezer >/sys/power/pm_test
for ((i = 0; i < 3; i++)); do
	sleep 0.3
	echo freeze >/sys/power/state
done
echo none >/sys/power/pm_test
wait $first
wait $second
