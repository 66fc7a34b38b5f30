#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The group loop/ of a disk: there while it is bound, with what it was given.
. "${0%/*}/common.sh"

backing tmpfs 4
attach -o 4096 --sizelimit 1M --direct-io=off "$IMG"
is "attributes" "autoclear backing_file dio offset partscan sizelimit" "$(names "$SYS/loop")"
is backing_file "$IMG" "$(<"$SYS/loop/backing_file")"
is offset 4096 "$(<"$SYS/loop/offset")"
is sizelimit 1048576 "$(<"$SYS/loop/sizelimit")"
is autoclear 0 "$(<"$SYS/loop/autoclear")"
is partscan 0 "$(<"$SYS/loop/partscan")"
is dio 0 "$(<"$SYS/loop/dio")"
# Each takes memory, on every device.
is "hardware queues" 0 "$(ls "$SYS/mq")"
mv "$IMG" "$IMG 2"
is "after a rename" "$IMG 2" "$(<"$SYS/loop/backing_file")"
rm "$IMG 2"
is "after its removal" "$IMG 2 (deleted)" "$(<"$SYS/loop/backing_file")"
detach "$LOOP"
absent "$SYS/loop"
[ "$DRIVER" != rloop ] || is state unbound "$(<"$SYS/rloop/state")"

truncate -s 4M "$IMG"
attach -P "$IMG"
is partscan 1 "$(<"$SYS/loop/partscan")"
detach "$LOOP"
