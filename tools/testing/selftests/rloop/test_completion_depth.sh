#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# File systems on devices on file systems, with dm between them: the completion of a request that was
# served at once ends what lies above, and so on. However many they are, there is stack for it.
# More targets than KX_END_ROOM is meant for: where it is too small, these use the rest.
# variants: linears polled
# stock: all
# debug: linears
# timeout: 180
. "${0%/*}/common.sh"
need dmsetup
need_fs ext4

levels=12 linears=18
[ -z "${RLOOP_FEW:-}" ] || levels=10
if [ "$1" = polled ]; then
	own_module
	load poll_queues=1
fi
# run.sh sees to it that udev is away, or waits: there is no waiting for it.
export DM_DISABLE_UDEV=1
settle() { :; }
modprobe -q dm-mod 2>/dev/null || true
MAJOR=$(awk '$2 == "device-mapper" { print $1 }' /proc/devices)
[ -n "$MAJOR" ] || skip "no device mapper in this kernel"
# linears LEVEL: so many on top of dev, each on the one before.
linears() {
	local i below=$dev tables='' sectors
	sectors=$(blockdev --getsz "$dev")
	for ((i = 0; i < linears; i++)); do
		minor=$((minor + 1))
		tables+="rlt$1-$i,,$minor,rw,0 $sectors linear $below 0;"
		below=$MAJOR:$minor
	done
	defer no_linears "$1"
	dmsetup create --concise "$tables" 2>"$T/dm.log" || { cat "$T/dm.log"; fail "dmsetup"; }
	dev=/dev/mapper/rlt$1-$((linears - 1))
}
no_linears() {
	local i all=()
	for ((i = linears - 1; i >= 0; i--)); do
		[ ! -e "/dev/mapper/rlt$1-$i" ] || all+=("rlt$1-$i")
	done
	[ ${#all[@]} -eq 0 ] || soon dmsetup remove "${all[@]}" 2>/dev/null
}
minor=500
# One that completes a request in the task that submits it.
disk 300 poll_queues=1 irqmode=1
dev=$DISK
for ((level = 0; level <= levels; level++)); do
	if [ $level -gt 0 ]; then
		truncate -s $((290 - level * 10))M "$IMG"
		attach --direct-io=on "$IMG"
		dev=$LOOP
		linears $level
	fi
	mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0 -O ^has_journal -i 262144 -m 0 "$dev"
	mount_at "$T/$level" -o noinit_itable "$dev"
	IMG=$T/$level/img
done
truncate -s 2M "$IMG"
pattern write "$IMG" 0 2097152 1 -d -b 65536
sync
pattern check "$IMG" 0 2097152 1 -d -b 65536
pattern check "$IMG" 0 2097152 1 -d -b 4096
