#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The ioctls of 32-bit programs: some of the tests, built for them. compare.sh runs all.
# variants: status bad_status permission control overflow
# prev: permission
# few: status overflow
. "${0%/*}/common.sh"

[ -e /proc/sys/abi/vsyscall32 ] || skip "no 32-bit programs in this kernel"
# As for the programs that run.sh starts itself: they count who has a device open.
if [ -S /run/udev/control ]; then
	udevadm control --stop-exec-queue
	defer udevadm control --start-exec-queue
fi
"$HERE/32/test_$1"
