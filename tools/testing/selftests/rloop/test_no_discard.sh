#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A backing that can't zero by itself makes a device that can't discard; zeroes
# are then written.
. "${0%/*}/common.sh"

backing block 4
is "write zeroes of the disk" 0 "$(<"/sys/block/${IMG#/dev/}/queue/write_zeroes_max_bytes")"
pattern write "$IMG" 0 4194304 1 -s
attach "$IMG"
is "discard_max_bytes" 0 "$(<"$SYS/queue/discard_max_bytes")"
refused "not supported" blkdiscard -o 0 -l 1M "$LOOP"
blkdiscard -z -o 1M -l 1M "$LOOP"
pattern check "$LOOP" 0 1048576 1 -d
pattern check "$LOOP" 1048576 1048576 0 -d
