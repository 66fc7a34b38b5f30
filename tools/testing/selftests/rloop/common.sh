# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by every test_*.sh. Any command that fails ends the test.
set -eEuo pipefail

DRIVER=${DRIVER:-rloop}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LC_ALL=C
. "$HERE/udev.sh"

skip() { echo "SKIP $*"; exit 4; }
fail() { echo "FAIL $*"; exit 1; }
trap 'echo "failed: ${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND"' ERR

# defer CMD...: run at the end, last one first.
CLEANUP=()
defer() { CLEANUP+=("$(printf '%q ' "$@")"); }
run_cleanup() {
	local rc=$? i
	trap - ERR
	set +e
	for ((i = ${#CLEANUP[@]} - 1; i >= 0; i--)); do
		eval "${CLEANUP[i]}" || { echo "cleanup failed: ${CLEANUP[i]}"; [ $rc -ne 0 ] || rc=1; }
	done
	exit $rc
}
trap run_cleanup EXIT

T=$(mktemp -d "${RLOOP_TMP:-/tmp}/rloop.XXXXXX")
export RLOOP_TMP=$T
defer rm -rf --one-file-system "$T"

# ---- what a test needs
need() {
	local c
	for c; do
		command -v "$c" >/dev/null || skip "no $c here"
	done
}
need_rloop() { [ "$DRIVER" = rloop ] || skip "rloop only"; }
kernel_has() { grep -qw "$1" /proc/filesystems || modprobe -q "$1" 2>/dev/null || skip "no $1 in this kernel"; }
need_fs() {
	kernel_has "$1"
	need "mkfs.$1"
}
# ---- checks
# is WHAT WANT GOT
is() { [ "$2" = "$3" ] || fail "$1: want '$2', got '$3'"; }
# refused 'TEXT' CMD...: CMD must fail, and its output name the error.
refused() {
	local text=$1 out
	shift
	if out=$("$@" 2>&1); then
		fail "succeeded: $*"
	fi
	[[ $out == *"$text"* ]] || fail "'$*' failed, but with: $out"
}
# soon CMD...: for what the kernel or udev finish after the call that starts it.
soon() {
	local i
	for ((i = 0; i < 100; i++)); do
		! "$@" || return 0
		sleep 0.1
	done
	fail "still not: $*"
}
absent() { [ ! -e "$1" ]; }
# ends CMD...: takes as long as it takes, but must not hang.
ends() {
	"$@" &
	ended $! "$*" || fail "status $?: $*"
}
# ended PID WHAT: the same of a child; its status. What hangs in the kernel can't be killed, and what
# is there to clean up would hang, too: the test says where it is, and run.sh ends there.
ended() {
	local i f state
	for ((i = 0; i < 200 * ${RLOOP_SLOW:-1}; i++)); do
		if ! kill -0 "$1" 2>/dev/null; then
			wait "$1"
			return
		fi
		sleep 0.1
	done
	echo "FAIL no end of: $2"
	kill -KILL "$1"
	sleep 2
	kill -0 "$1" 2>/dev/null || exit 1
	for f in /proc/[0-9]*; do
		state=$(sed -n 's/^State:\s*\(.\).*/\1/p' "$f/status" 2>/dev/null) || continue
		[ "$state" = D ] || continue
		echo "$(<"$f/comm"), ${f#/proc/}:"
		head -n 20 "$f/stack" || true
	done
	echo "a task hangs" >"${RLOOP_HUNG:-/dev/null}"
	CLEANUP=()
	exit 1
}
# names DIR: what is in it, in one line.
names() {
	local f out=
	for f in "$1"/*; do
		out+=" ${f##*/}"
	done
	echo "${out# }"
}

# ---- memory-backed disks to put file systems on
# disk MIB [ATTR=VALUE]...: DISK is a new null_blk disk.
NDISKS=0
disk() {
	local dir a name=rlt$NDISKS
	NDISKS=$((NDISKS + 1))
	[ -d /sys/module/null_blk ] || modprobe -q null_blk nr_devices=0 2>/dev/null ||
		skip "no null_blk in this kernel"
	[ -d /sys/kernel/config/nullb ] || mount -t configfs none /sys/kernel/config
	dir=/sys/kernel/config/nullb/$name
	mkdir "$dir" 2>/dev/null || skip "no configfs for null_blk"
	defer rmdir "$dir"
	for a in memory_backed=1 "size=$1" "${@:2}"; do
		[ -e "$dir/${a%%=*}" ] || skip "null_blk has no ${a%%=*}"
		echo "${a#*=}" >"$dir/${a%%=*}"
	done
	echo 1 >"$dir/power"
	DISK=/dev/$name
	[ -e "/sys/block/$name" ] || DISK=/dev/nullb$(<"$dir/index")
	soon test -b "$DISK"
	settle
}

# scsi_disk MIB [PARAMETER=VALUE]...: DISK is a new disk of scsi_debug, HOST its directory in sysfs.
scsi_disk() {
	[ ! -d /sys/module/scsi_debug ] || skip "scsi_debug is in use"
	# Without udev nothing else loads the driver of its disks.
	modprobe -q sd_mod 2>/dev/null || true
	modprobe -q scsi_debug "dev_size_mb=$1" delay=0 "${@:2}" 2>/dev/null || skip "no scsi_debug in this kernel"
	defer soon scsi_disk_gone
	scsi_disk_found
}
scsi_disks() { compgen -G "/sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/sd*" >"$T/disks"; }
# The disk that is there now.
scsi_disk_found() {
	soon scsi_disks
	HOST=$(head -n 1 "$T/disks")
	DISK=/dev/${HOST##*/}
	soon test -b "$DISK"
	settle
}
scsi_disk_gone() { rmmod scsi_debug 2>/dev/null; }

# dm NAME TABLE: DM is a new device of device mapper. Without udev its node is made here.
dm() {
	need dmsetup
	modprobe -q dm-mod 2>/dev/null || true
	dmsetup create "$1" --table "$2" 2>/dev/null || skip "no such target of device mapper in this kernel"
	DM=/dev/mapper/$1
	defer dm_gone "$1"
	settle
	[ -e "$DM" ] || dmsetup mknodes "$1"
}
dm_gone() { ! dmsetup info "$1" >/dev/null 2>&1 || dmsetup remove --retry "$1"; }

# filesystem FS [ATTR=VALUE]...: MNT is a new file system on a new disk DISK (tmpfs: none), with blocks of
# BLOCK bytes if that is set.
filesystem() {
	local fs=$1
	shift
	MNT=$(mktemp -d "$T/mnt.XXXX")
	DISK=
	if [ "$fs" = tmpfs ]; then
		mount -t tmpfs -o "${1:-size=256m}" tmpfs "$MNT"
		defer unmount_below "$MNT"
		return
	fi
	need_fs "$fs"
	disk 512 "$@"
	case $fs in
	ext4) mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=1 ${BLOCK:+-b "$BLOCK"} "$DISK" ;;
	xfs) mkfs.xfs -q -K -f ${BLOCK:+-b size="$BLOCK"} "$DISK" ;;
	btrfs) mkfs.btrfs -q -K -f ${BLOCK:+-s "$BLOCK"} "$DISK" ;;
	esac
	# Nothing but the test writes to the disk.
	if [ "$fs" = ext4 ]; then
		mount -t ext4 -o noinit_itable "$DISK" "$MNT"
	else
		mount -t "$fs" "$DISK" "$MNT"
	fi
	defer unmount_below "$MNT"
}

# backing WHERE MIB [ATTR=VALUE]...: IMG is a sparse file of that size on file
# system WHERE, or a disk where WHERE is "block"; DISK is the disk below.
backing() {
	local where=$1 mib=$2
	shift 2
	if [ "$where" = block ]; then
		disk "$mib" "$@"
		IMG=$DISK
	else
		filesystem "$where" "$@"
		IMG=$MNT/img
		truncate -s "${mib}M" "$IMG"
	fi
}

# sum PATTERN: the sum of the counters that match.
sum() {
	local f n=0
	for f in "$SYS"/rloop/$1; do
		n=$((n + $(<"$f")))
	done
	echo $n
}

# TRACE is where the kernel's tracing is, without the option record-cmd: with it an event that is enabled
# enables sched_switch, too, and to patch __schedule() may end in "Oops: int3" on QEMU's TCG.
need_trace() {
	TRACE=/sys/kernel/tracing
	if [ ! -d "$TRACE/events" ]; then
		mount -t tracefs none "$TRACE" 2>/dev/null || skip "no tracefs here"
		defer umount "$TRACE"
	fi
	record_names() { echo "$1" >"$TRACE/options/record-cmd"; }
	defer record_names "$(<"$TRACE/options/record-cmd")"
	record_names 0
}

# ---- the device under test
# attach [OPTION]... FILE: LOOP, NAME and SYS are the device's.
attach() {
	LOOP=$(losetup --show -f "$@" 2>"$T/losetup.log") || { cat "$T/losetup.log"; return 1; }
	NAME=${LOOP#/dev/}
	SYS=/sys/block/$NAME
	defer detach "$LOOP"
	settle
}
bound() { [ -d "/sys/block/${1#/dev/}/loop" ]; }
unbound() { ! bound "$1"; }
detach() {
	# In a trap, a bare return would give the status from before it.
	bound "$1" || return 0
	losetup -d "$1"
	soon unbound "$1"
	# An open waits for the rest: the partitions go last.
	: <"$1"
}
counter() { echo "$(<"$SYS/rloop/$1")"; }
# used COUNTER... / unused COUNTER...: requests took that rung, or none did.
used() {
	local c
	[ "$DRIVER" = rloop ] || return 0
	for c; do
		[ "$(counter "$c")" -gt 0 ] || fail "counter $c is 0"
	done
}
unused() {
	local c
	[ "$DRIVER" = rloop ] || return 0
	for c; do
		is "counter $c" 0 "$(counter "$c")"
	done
}
# Fields of /sys/block/X/stat.
disk_stat() {
	local fields
	read -ra fields <"/sys/block/${1#/dev/}/stat"
	echo "${fields[$2 - 1]}"
}
write_merges() { disk_stat "$1" 6; }
sectors_written() { disk_stat "$1" 7; }
flushes() { disk_stat "$1" 16; }

# Space that a file takes, in bytes.
allocated() { echo $(($(stat -c '%b * %B' "$1"))); }

# ---- data: see pattern.c
pattern() { "$HERE/pattern" "$@"; }
# fills_up MIB: writing so much to LOOP ends with ENOSPC, after 2 MiB at least, and what was
# acknowledged is in IMG when LOOP is detached.
fills_up() {
	local acked text
	pattern write "$LOOP" 0 $(($1 << 20)) 1 -d -b 65536 >"$T/out" && fail "$1 MiB in less"
	read -r acked text <"$T/out"
	is "the error after $acked" "bytes, then ENOSPC" "$text"
	[ "$acked" -ge $((2 << 20)) ] || fail "stopped early, after $acked bytes"
	detach "$LOOP"
	pattern check "$IMG" 0 "$acked" 1
}
# verify_fio DEVICE [OPTION]...: random writes, read back and verified.
verify_fio() {
	local dev=$1 engine=libaio
	shift
	need fio
	[ -e /proc/sys/kernel/shmmax ] || skip "fio needs SysV shared memory, which this kernel lacks"
	grep -qs . /proc/sys/fs/aio-max-nr || engine=psync
	fio --name=verify --filename="$dev" --rw=randwrite --direct=1 --ioengine=$engine \
		--bsrange=4k-64k --blockalign=4k --iodepth=16 --verify=crc32c --do_verify=1 \
		--verify_state_save=0 --thread --randseed=7 "$@" >"$T/fio.log" 2>&1 ||
		{ cat "$T/fio.log"; fail "fio on $dev"; }
}

# ---- file systems on the device
mount_at() { # DIR OPTION...
	local dir=$1
	shift
	mkdir -p "$dir"
	mount "$@" "$dir"
	defer unmount "$dir"
	settle
}
unmount() { ! mountpoint -q "$1" || umount "$1"; }

# ---- tests that load the module in their own way
# own_module: the driver is unloaded; KO is the file. What was loaded comes back.
own_module() {
	local f
	need_rloop
	need insmod rmmod
	KO=
	for f in "${RLOOP_KO:-}" /rloop/rloop.ko /share/rloop.ko /rloop.ko; do
		[ -n "$KO" ] || [ ! -f "$f" ] || KO=$f
	done
	[ -n "$KO" ] || skip "no rloop.ko to load here"
	[ -d /sys/module/rloop ] || fail "rloop is not loaded"
	defer load_again
	unload rloop
}
# load [PARAMETER=VALUE]...
load() { insmod "$KO" "$@" && settle; }
# udev may have a device open for a moment.
unload() {
	[ -d "/sys/module/$1" ] || return 0
	settle
	soon try_unload "$1"
	settle
}
try_unload() { rmmod "$1" 2>"$T/rmmod.log" || [ ! -d "/sys/module/$1" ]; }
load_again() {
	unload rloop
	unload loop
	# shellcheck disable=SC2086  # several parameters
	load ${RLOOP_PARAMS:-}
}
devices() { find /sys/block -maxdepth 1 -name "${1:-loop}[0-9]*" | wc -l; }
# nothing_left NAME: of an unloaded driver with disks of that name.
nothing_left() {
	local name=$1
	absent /sys/module/rloop || fail "the module is still there"
	is "disks" 0 "$(devices "$name")"
	settle
	soon absent "/dev/${name}0"
	absent "/dev/$name-control" || fail "the control node is still there"
	! grep -w "$name" /proc/devices || fail "the major is still taken"
	! grep -w "$name-control" /proc/misc || fail "the minor is still taken"
	[ ! -r /proc/slabinfo ] || ! grep ^rloop /proc/slabinfo || fail "slab caches are still there"
	absent /sys/kernel/debug/rloop || fail "debugfs is still there"
}
