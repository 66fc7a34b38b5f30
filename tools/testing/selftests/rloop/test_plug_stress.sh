#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Batches of I/O, each in one plug, over devices, the disk below them and files of the file systems
# above and below; md or dm are above and below, too. Meanwhile queues are frozen and changed, and
# tasks have limits or are killed: see plugstress.c. A task in state D for 30 s fails it. Goes on for
# RLOOP_STRESS seconds, in episodes of a minute; RLOOP_SEED repeats the choices.
# variants: md dm
# stock: all
# prev: none
# debug: md
# timeout: 120
# traces: allowed
. "${0%/*}/common.sh"
SECONDS_LEFT=${RLOOP_STRESS:-20} SEED=${RLOOP_SEED:-$RANDOM} EPISODE=60
# (A task that has no memory left in its group is shown with a trace.)
"$HERE/stuck" 30 ${RLOOP_HUNG:+"$RLOOP_HUNG"} &
watch_ends() { ! kill "$1" || wait "$1" || true; } 2>/dev/null
defer watch_ends $!

# one_of WORD...: CHOICE is one of them.
one_of() {
	local n=$((RANDOM % $# + 1))
	CHOICE=${!n}
}
# on_disk TYPE DEVICE DIR
on_disk() {
	case $1 in
	ext4) mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=1 "$2" ;;
	xfs) mkfs.xfs -q -K -f "$2" ;;
	esac
	settle
	mkdir -p "$3"
	mount -t "$1" "$2" "$3"
	defer unmount_below "$3"
}
# image FILE: of 16 MiB; written, or with holes.
image() {
	truncate -s 16M "$1"
	[ $((RANDOM % 3)) = 0 ] || dd if=/dev/zero of="$1" bs=1M count=16 conv=notrunc,fsync status=none
}
create() {
	MDADM_NO_UDEV=1 mdadm --create "$RAID" --quiet --run --level=1 --metadata=1.2 --assume-clean \
		--bitmap="$1" --raid-devices=2 "$3" "$4" >"$T/mdadm.log" 2>&1
}
# raid1 NAME DEVICE DEVICE: RAID is a new mirror of them.
raid1() {
	RAID=/dev/md$1
	# (Not every kernel has bitmaps.)
	one_of none internal
	create "$CHOICE" "$@" || create none "$@" || { cat "$T/mdadm.log"; return 1; }
	defer raid_gone "$RAID"
	settle
	ITEMS+=("sysfs:/sys/block/md$1/md/sync_action=check,idle,idle")
}
raid_gone() { soon mdadm --stop --quiet "$1"; } 2>/dev/null
sectors() { blockdev --getsz "$1"; }
# A queue whose settings change all the time.
queue() {
	local q=/sys/block/${1##*/}/queue
	ITEMS+=("sysfs:$q/scheduler=none,mq-deadline" "sysfs:$q/nr_requests=4,8,16,64" "sysfs:$q/max_sectors_kb=4,16,64,256")
	# (With io.max on the same disk, lockdep sees a circle of the kernel's own in 7.3:
	# wbt_set_lat() takes rq_qos_mutex in a frozen queue, blk_throtl_init() allocates with it.)
	[ ! -e "$q/wbt_lat_usec" ] || [ -e /proc/lockdep ] || ITEMS+=("sysfs:$q/wbt_lat_usec=0,2000,75000")
}
# group NAME FILE TEXT: GROUP is the list of tasks of a new cgroup with that limit.
group() {
	local dir=/sys/fs/cgroup/rloop-$1
	GROUP=
	mkdir "$dir" 2>/dev/null || return 0
	defer group_gone "$dir"
	[ -e "$dir/$2" ] && echo "$3" >"$dir/$2" || return 0
	GROUP=$dir/cgroup.procs
}
group_gone() { soon rmdir "$1"; } 2>/dev/null
cpu=/sys/devices/system/cpu/cpu1/online
cpu_back() { echo 1 >$cpu; }

# episode VARIANT SECONDS
episode() {
	local below one two tags low started options ITEMS=() LIMITS=()
	T=$(mktemp -d "$T/episode.XXXX")
	defer rm -rf --one-file-system "$T"
	tags=$((RANDOM % 32 + 1))
	one_of 1 2
	options=("hw_queue_depth=$tags" "irqmode=$CHOICE" "completion_nsec=$((RANDOM % 50 * 10000 + 10000))")
	one_of 1 2
	options+=("submit_queues=$CHOICE")
	disk 512 "${options[@]}"
	low=$DISK
	sfdisk -q "$low" <<-END
		,384M
		,16M
		,48M
		,32M
	END
	settle
	soon test -b "${low}p4"
	one_of ext4 ext4 xfs
	below=$CHOICE
	grep -qw "$below" /proc/filesystems || modprobe -q "$below" || below=ext4
	echo "seed $SEED, $2 s, ${options[*]}, $below"

	# The file system below, the one above, and files of both.
	one=$T/one two=$T/two
	on_disk "$below" "${low}p1" "$one"
	image "$one/direct"
	attach --direct-io=on "$one/direct"
	ITEMS+=("direct:$LOOP" "dio:$LOOP" "bs:$LOOP" "sysfs:$SYS/queue/scheduler=none,mq-deadline" "sysfs:$SYS/queue/nr_requests=4,16,128")
	image "$one/cached"
	attach "$one/cached"
	ITEMS+=("target:$LOOP")
	truncate -s 48M "$one/fs"
	attach --direct-io=on "$one/fs"
	on_disk ext4 "$LOOP" "$two"
	image "$one/file"
	image "$two/file"
	ITEMS+=("target:$one/file" "target:$two/file" "target:${low}p2" "freeze:$one" "freeze:$two")
	queue "$low"

	# md or dm above: on a device and a partition of the disk below. Below: on another partition.
	image "$one/member"
	truncate -s 18M "$one/member"
	attach --direct-io=on "$one/member"
	if [ "$1" = md ]; then
		raid1 71 "$LOOP" "${low}p3"
		ITEMS+=("target:$RAID")
		disk 32
		raid1 72 "${low}p4" "$DISK"
		attach "$RAID"
	else
		dm rlt-base "0 $(sectors "$LOOP") linear $LOOP 0"
		dm rlt-origin "0 32768 snapshot-origin /dev/mapper/rlt-base"
		ITEMS+=("target:$DM")
		dm rlt-snapshot "0 32768 snapshot /dev/mapper/rlt-base ${low}p3 N 8"
		ITEMS+=("target:$DM")
		dm rlt-below "0 32768 linear ${low}p4 64"
		attach "$DM"
	fi
	ITEMS+=("target:$LOOP" "sysfs:$SYS/queue/scheduler=none,mq-deadline")

	group memory memory.max 4M
	[ -z "$GROUP" ] || LIMITS+=(-m "$GROUP")
	group io io.max "$(<"/sys/block/${low##*/}/dev") rbps=8388608 wbps=4194304"
	[ -z "$GROUP" ] || LIMITS+=(-i "$GROUP")
	if [ -w $cpu ]; then
		defer cpu_back
		ITEMS+=("sysfs:$cpu=0,1")
	fi
	started=$SECONDS
	"$HERE/plugstress" "${LIMITS[@]}" "$2" "$RANDOM" "${ITEMS[@]}"
	echo "plugstress took $((SECONDS - started)) s"
}

while :; do
	RANDOM=$SEED
	n=$((SECONDS_LEFT < EPISODE ? SECONDS_LEFT : EPISODE)) next=$RANDOM
	(
		RANDOM=$next
		CLEANUP=()
		trap run_cleanup EXIT
		episode "$1" $n
	)
	SECONDS_LEFT=$((SECONDS_LEFT - n))
	[ $SECONDS_LEFT -gt 0 ] || break
	SEED=$next
done
