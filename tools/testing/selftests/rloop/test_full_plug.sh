#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A batch of requests of one queue is served by the task that submits it, also where it is more than
# a plug holds.
# variants: io_submit io_uring block
# stock: io_submit io_uring
# debug: io_submit
. "${0%/*}/common.sh"
need_rloop

engine=() type=ext4 how=inline
case $1 in
io_uring)
	[ -e /proc/sys/kernel/io_uring_disabled ] || skip "no io_uring in this kernel"
	engine=(-u)
	;;
*) [ -e /proc/sys/fs/aio-max-nr ] || skip "no AIO in this kernel" ;;
esac
[ "$1" != block ] || type=block how=remapped
backing $type 32
pattern write "$IMG" 0 33554432 1 -s
attach --direct-io=on "$IMG"
# The extents of the file are known then.
ends "$HERE/batch" "$LOOP,16,1"
depth=$(<"$SYS/queue/nr_requests")
for n in 32 33 64 96; do
	# With fewer tags the task waits for one, and what it has then is not served at once.
	[ $n -le "$depth" ] || continue
	before=$(counter $how)
	ends "$HERE/batch" "${engine[@]}" -n 10 "$LOOP,$n,1"
	served=$(($(counter $how) - before))
	[ $served -ge $((n * 9)) ] || fail "of $((n * 10)) reads in batches of $n $served were served at once"
done
