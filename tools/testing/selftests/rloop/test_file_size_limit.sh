#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A limit for the size of files (RLIMIT_FSIZE) is one for those that the process writes, not for
# the file below the device: that is as large as it is.
# variants: ext4 xfs
# stock: all
# debug: ext4
. "${0%/*}/common.sh"

mib=$((1 << 20))
backing "$1" 64
pattern write "$IMG" 0 $((64 * mib)) 1 -s
attach --direct-io=on "$IMG"
# limited CMD...: with files of at most 2 MiB, so that SIGXFSZ ends what writes more.
limited() { (ulimit -f 2048 && "$@"); }
rc=0
limited dd if=/dev/zero of="$T/large" bs=1M count=3 status=none || rc=$?
is "status of a write of 3 MiB" 153 $rc
rm "$T/large"

# The device itself, far behind that.
limited pattern write "$LOOP" $((32 * mib)) $((4 * mib)) 2 -d -b 4096
limited pattern write "$LOOP" $((40 * mib)) $((4 * mib)) 3 -s
pattern check "$LOOP" $((32 * mib)) $((4 * mib)) 2 -d
pattern check "$LOOP" $((40 * mib)) $((4 * mib)) 3 -d

# A file system on it.
need_fs ext4
mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0 "$LOOP"
mount_at "$T/above" "$LOOP"
fallocate -l $((16 * mib)) "$T/above/before"
truncate -s $((2 * mib)) "$T/above/direct" "$T/above/cached"
limited pattern write "$T/above/direct" 0 $((2 * mib)) 4 -d -b 16384
limited pattern write "$T/above/cached" 0 $((2 * mib)) 5 -s
limited sync
pattern check "$T/above/direct" 0 $((2 * mib)) 4 -d
pattern check "$T/above/cached" 0 $((2 * mib)) 5 -d
unmount "$T/above"
fsck.ext4 -fn "$LOOP" >"$T/fsck.log" 2>&1 || { cat "$T/fsck.log"; fail "it is damaged"; }
