#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A task that needs memory itself, and so swaps some out to the device, leaves its
# writes to a worker: below, they might need memory again.
# debug: all
# timeout: 120
. "${0%/*}/common.sh"
need mkswap swapon
CG=/sys/fs/cgroup
mountpoint -q "$CG" || mount -t cgroup2 none "$CG" 2>/dev/null || skip "no cgroup v2 here"
grep -qw memory "$CG/cgroup.controllers" || skip "no memory controller in this kernel"
[ -e /proc/swaps ] || skip "no swap in this kernel"
echo "+memory" >"$CG/cgroup.subtree_control"
GROUP=$CG/rloop-reclaim
mkdir "$GROUP"
gone() { rmdir "$GROUP" 2>/dev/null; }
defer soon gone

# (A file would refuse many of them anyway.)
backing block 96
attach --direct-io=on "$IMG"
mkswap "$LOOP" >/dev/null
pattern write "$LOOP" 67108864 65536 1 -d -b 4096
swapon "$LOOP"
defer swapoff "$LOOP"
echo 24M >"$GROUP/memory.max"
if [ "$DRIVER" = rloop ]; then
	before=$(($(counter remapped) + $(counter inline_refused)))
	reads=$(counter read_direct) writes=$(counter write_direct)
fi
# It holds three times the memory that it may have, and reads nothing of it again: a read
# that is refused leaves others untried, and so would hide a write.
(echo "$BASHPID" >"$GROUP/cgroup.procs" && dd if=/dev/urandom bs=72M count=1 iflag=fullblock of=/dev/null status=none)
if [ "$DRIVER" = rloop ]; then
	reads=$(($(counter read_direct) - reads)) writes=$(($(counter write_direct) - writes))
	[ $writes -ge 100 ] || fail "only $writes writes of memory that was swapped out"
	tried=$(($(counter remapped) + $(counter inline_refused) - before))
	# Where such a task is put to sleep, the block layer's own worker brings what it has gathered.
	[ $tried -le $((reads + writes / 4)) ] || fail "$tried requests of $reads reads and $writes writes were tried without a worker"
fi
