#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# With poll_queues=, I/O whose end is polled for is polled for below, too: a device that
# says nothing by itself would leave it for ever. dm: device mapper can be polled, but not by
# several tasks, so no task polls there.
# variants: block ext4 dm pinned
# uml: block ext4 pinned
# stock: all
# prev: block
. "${0%/*}/common.sh"
need_rloop
need fio
[ -e /proc/sys/kernel/io_uring_disabled ] || skip "no io_uring in this kernel"

own_module
load max_loop=1 poll_queues=1
if [ "$1" = dm ]; then
	disk 64 poll_queues=1
	dm rloop-poll "0 $(blockdev --getsz "$DISK") linear $DISK 0"
	IMG=$DM
	is "io_poll of the dm device" 1 "$(<"/sys/block/$(basename "$(readlink -f "$IMG")")/queue/io_poll")"
else
	backing "${1/pinned/ext4}" 64 poll_queues=1
fi
is "poll_queues" 1 "$(</sys/module/rloop/parameters/poll_queues)"
# (Where null_blk has no page yet, it makes one, which polling doesn't let it.)
dd if=/dev/zero of="$IMG" bs=1M count=64 conv=notrunc,fsync status=none
attach --direct-io=on "$IMG"
is "io_poll" 1 "$(<"$SYS/queue/io_poll")"
[ "$1" != pinned ] || echo 1 >"$SYS/rloop/pin"
size=16m
[ -z "${RLOOP_FEW:-}" ] || size=3m
fio --name=verify --filename="$LOOP" --rw=randwrite --direct=1 --ioengine=io_uring --hipri=1 --bsrange=4k-64k \
	--size=$size --iodepth=16 --numjobs=2 --offset_increment=32m --verify=crc32c --do_verify=1 --verify_state_save=0 --thread >"$T/fio.log" 2>&1 ||
	{ cat "$T/fio.log"; fail "fio"; }

# Tags of its polled queue have been in use.
mount_at "$T/debug" -t debugfs debugfs
[ -e "$T/debug/block/${DISK#/dev/}/hctx0/type" ] || exit 0 # not in this kernel
used=0
for h in "$T/debug/block/${DISK#/dev/}"/hctx*; do
	[ "$(<"$h/type")" = poll ] || continue
	used=$((used + $(sed -n 's/^cleared=//p' "$h/tags")))
done
if [ "$1" = dm ]; then
	is "polled requests below device mapper" 0 $used
	exit 0
fi
[ $used -gt 0 ] || fail "nothing was polled for below"
