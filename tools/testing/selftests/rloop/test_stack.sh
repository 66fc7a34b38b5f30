#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# File systems on devices on file systems, up to twenty deep: a device on another leaves its
# requests to a worker, and where dm hides that, the stack that is left decides.
# variants: ext4 dm
# uml: ext4
# stock: all
# prev: dm
# debug: ext4
. "${0%/*}/common.sh"
need_rloop
[ "$1" != dm ] || need dmsetup

backing ext4 288
devices=()
step=10
[ "$1" = dm ] || step=60
for mib in $(seq 278 -$step 88); do
	truncate -s $((mib + 9))M "$IMG"
	attach --direct-io=on "$IMG"
	devices+=("$LOOP")
	dev=$LOOP
	if [ "$1" = dm ]; then
		dmsetup create "rlt$mib" --table "0 $(blockdev --getsz "$LOOP") linear $LOOP 0"
		defer soon dmsetup remove "rlt$mib"
		dev=/dev/mapper/rlt$mib
	fi
	mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0 -O ^has_journal -i 262144 -m 0 "$dev"
	mount_at "$T/mnt$mib" -o noinit_itable "$dev"
	IMG=$T/mnt$mib/img
done
truncate -s 4M "$IMG"
pattern write "$IMG" 0 4194304 1 -d -b 65536
sync
served() {
	local d n=0
	for d in "${devices[@]}"; do
		SYS=/sys/block/${d#/dev/}
		n=$((n + $(counter inline)))
	done
	echo $n
}
before=$(served)
pattern check "$IMG" 0 4194304 1 -d -b 4096
n=$(($(served) - before))
if [ "$1" = dm ]; then
	[ $n -ge 1024 ] || fail "only $n reads were served at once"
	[ $n -lt $((20 * 1024 - 256)) ] || fail "$n reads were served at once, however deep"
else
	for d in "${devices[@]:1}"; do
		SYS=/sys/block/${d#/dev/}
		unused inline inline_refused
	done
fi
