#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A file on an xfs that becomes full: the flusher writes back what is in the page cache of the
# device, and does not wait for xfs's own workers, which may need it.
# debug: all
# timeout: 120
. "${0%/*}/common.sh"
need fio
[ -e /proc/sys/kernel/shmmax ] || skip "fio needs SysV shared memory, which this kernel lacks"

filesystem xfs
# Without this, most writes would be refused for a time stamp.
mount -o remount,lazytime "$MNT"
truncate -s 200M "$MNT/img"
free=$(df -m --output=avail "$MNT" | tail -n 1)
fallocate -l $((free - 16))M "$MNT/fill"
sync
attach --direct-io=off "$MNT/img"
# The flusher is to do it: the last close would, too, and so would sync.
for f in dirty_writeback_centisecs dirty_expire_centisecs; do
	defer eval "echo $(<"/proc/sys/vm/$f") >/proc/sys/vm/$f"
	echo 5 >/proc/sys/vm/$f
done
exec 9<>"$LOOP"
# More than there is room for, in pieces that are not merged.
ends fio --name=fill --filename="$LOOP" --rw=write:64k --bs=64k --size=128m --io_size=64m --rate=16m \
	--ioengine=psync --thread --output="$T/fio.log"
written() { [ "$(sectors_written "$LOOP")" -ge 131072 ]; }
soon written
used worker_flusher
# What has been lost is told.
lost() { ! sync "$LOOP" 2>"$T/lost"; }
ends lost
exec 9>&-
detach "$LOOP"
