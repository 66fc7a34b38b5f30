#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A full tmpfs: what was acknowledged is in the file, every byte, and then the
# error is that there is no space. (The C driver takes a short write for a whole
# one: 57,344 bytes of an acknowledged 64 KiB are missing.)
. "${0%/*}/common.sh"
need_rloop

filesystem tmpfs size=8200k
IMG=$MNT/img
truncate -s 32M "$IMG"
attach --direct-io=off "$IMG"
pattern write "$LOOP" 0 $((32 << 20)) 1 -d -b 65536 >"$T/out" && fail "32 MiB in 8"
read -r acked text <"$T/out"
is "the error after $acked" "bytes, then ENOSPC" "$text"
[ "$acked" -ge $((7 << 20)) ] || fail "stopped early, after $acked bytes"
pattern check "$IMG" 0 "$acked" 1
# The request that did not fit was tried again for the rest of it.
used continued
