#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# loop/dio is writable: 1 and 0 as LOOP_SET_DIRECT_IO, anything else refused.
. "${0%/*}/common.sh"
need_rloop

set_dio() { echo "$1" >"$SYS/loop/dio"; }
dio() { cat "$SYS/loop/dio"; }

backing tmpfs 4
attach --direct-io=off "$IMG"
set_dio 1
is "after 1" 1 "$(dio)"
losetup -l -n -O DIO "$LOOP" | grep -q 1
pattern write "$LOOP" 0 65536 1 -d
used write_direct
unused write_buffered
set_dio 0
is "after 0" 0 "$(dio)"
pattern write "$LOOP" 0 65536 1 -d
used write_buffered
for word in 2 -1 10 yes on "" "1 0" x; do
	refused "Invalid argument" set_dio "$word"
	is "after '$word'" 0 "$(dio)"
done
detach "$LOOP"

# Not aligned for direct I/O: refused, and off.
attach -o 100 "$IMG"
refused "Invalid argument" set_dio 1
is "after a refused 1" 0 "$(dio)"
set_dio 0
