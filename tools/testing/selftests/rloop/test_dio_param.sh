#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# dio=1: a device whose configuration says nothing is direct where its backing
# can do that with the device's blocks, else buffered.
# prev: none
. "${0%/*}/common.sh"

own_module
load dio=1
is "the parameter" 1 "$(</sys/module/rloop/parameters/dio)"
dio() { cat "$SYS/loop/dio"; }

backing block 8
attach "$IMG"
is "512 on 512" 1 "$(dio)"
pattern write "$LOOP" 0 65536 1 -d
used write_direct
unused write_buffered
# It can still be switched off.
losetup --direct-io=off "$LOOP"
is "switched off" 0 "$(dio)"
detach "$LOOP"
attach -o 100 "$IMG"
is "at an unaligned offset" 0 "$(dio)"
pattern write "$LOOP" 0 65536 2 -d
detach "$LOOP"
pattern check "$IMG" 100 65536 2

backing block 8 blocksize=4096
attach --sector-size 512 "$IMG"
is "512 on 4096" 1 "$(dio)"
pattern write "$LOOP" 512 1024 3 -d -b 512
detach "$LOOP"
pattern check "$IMG" 512 1024 3
attach --sector-size 4096 "$IMG"
is "4096 on 4096" 1 "$(dio)"
detach "$LOOP"
