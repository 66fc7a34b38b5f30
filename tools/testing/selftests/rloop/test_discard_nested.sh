#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Backed by a block device, a discard becomes what that device has for zeroing:
# here through a second loop device down to the file.
. "${0%/*}/common.sh"

backing tmpfs 8
pattern write "$IMG" 0 8388608 1
attach "$IMG"
full=$(allocated "$IMG")
attach "$LOOP"
[ "$(<"$SYS/queue/discard_max_bytes")" -gt 0 ] || fail "no discard through two devices"
blkdiscard -o 2M -l 4M "$LOOP"
used discard
[ "$(allocated "$IMG")" -le $((full - 4194304)) ] || fail "the file still has its blocks"
pattern check "$LOOP" 2097152 4194304 0 -d
pattern check "$LOOP" 0 2097152 1 -d
