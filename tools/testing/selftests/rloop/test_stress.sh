#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything at once, for RLOOP_STRESS seconds: see stress.c; and mounts, fio, frozen file
# systems, cgroups that come and go, CPUs, too, and suspend up to the freezer. load: the
# module comes and goes while others try to open its nodes.
# variants: use load
# stock: use
# prev: none
# debug: all
# timeout: 120
. "${0%/*}/common.sh"
need_rloop
SECONDS_LEFT=${RLOOP_STRESS:-20}
# (Here and in stress.c: what happens is chosen by it.)
SEED=${RLOOP_SEED:-$RANDOM}
echo "seed $SEED, $SECONDS_LEFT s"
begin() { STOP=$((SECONDS + SECONDS_LEFT)); }

# worker FUNCTION: called until the time is over; it fails the test if it fails.
WORKERS=()
worker() {
	(
		trap - EXIT
		set +e
		rounds=0
		while [ $SECONDS -lt $STOP ] && [ ! -e "$T/failed" ]; do
			"$1" >"$T/$1.log" 2>&1 || { cat "$T/$1.log"; echo "FAIL $1, round $rounds"; : >"$T/failed"; exit 1; }
			rounds=$((rounds + 1))
		done
		echo "$1: $rounds rounds"
	) &
	WORKERS+=($!)
}
finished() {
	local w bad=0
	for w in "${WORKERS[@]}"; do
		wait "$w" || bad=1
	done
	[ $bad -eq 0 ] || fail "see above"
}

if [ "$1" = load ]; then
	own_module
	knocker() {
		local n
		for n in 0 1 2 3 15; do
			[ -b "$T/node$n" ] || mknod "$T/node$n" b 7 "$n"
			dd if="$T/node$n" of=/dev/null count=1 status=none 2>/dev/null
		done
		[ -c "$T/control" ] || mknod "$T/control" c 10 237
		losetup -f >/dev/null 2>&1
		: <"$T/control"
		true
	} 2>/dev/null
	# An open of a device that is not there asks for the C driver, where that exists.
	echo /bin/true >/proc/sys/kernel/modprobe 2>/dev/null || true
	modprobe_back() { echo /sbin/modprobe >/proc/sys/kernel/modprobe 2>/dev/null || true; }
	defer modprobe_back
	coming_and_going() {
		insmod "$KO" max_loop=4 || return
		[ $((RANDOM % 2)) = 0 ] || sleep 0.0$((RANDOM % 10))
		until rmmod rloop 2>/dev/null; do sleep 0.01; done
	}
	begin
	worker coming_and_going
	worker knocker
	worker knocker
	finished
	nothing_left loop
	exit 0
fi

# Where the files are: file systems on disks of their own, and a disk.
filesystem ext4
one=$MNT
files=()
if grep -qw xfs /proc/filesystems || modprobe -q xfs; then
	filesystem xfs
fi
two=$MNT
filesystem tmpfs size=64m
three=$MNT
for f in "$one/verify" "$two/verify" "$one/a" "$two/b" "$three/c"; do
	truncate -s 8M "$f"
	files+=("$f")
done
# What is verified is written past the page cache without waiting, which takes space.
for f in "${files[@]:0:2}"; do
	dd if=/dev/zero of="$f" bs=1M count=8 conv=notrunc,fsync status=none
done
disk 16
files=("${files[@]:0:2}" "$DISK" "${files[@]:2}")
disk 16
files+=("$DISK")

defer released
thaw_all() { fsfreeze -u "$one" 2>/dev/null; fsfreeze -u "$two" 2>/dev/null; true; }
defer thaw_all
# (Tasks can't be frozen while they wait for a file system that is.)
: >"$T/ice"
freezing() {
	local where=$one
	[ $((RANDOM % 2)) = 0 ] || where=$two
	flock "$T/ice" sh -c "fsfreeze -f $where && sleep 0.0$((RANDOM % 10)) && fsfreeze -u $where" || return
	sleep 0.5
}
truncate -s 48M "$one/fs"
# ext4lazyinit can't freeze while it waits for the device, whose workers are frozen: with both drivers
# the suspend then fails, with a trace.
no_lazyinit=-onoinit_itable,no_prefetch_block_bitmaps
mounting() {
	local dev rc=0 data=$RANDOM dio=on
	[ $((RANDOM % 2)) = 0 ] || dio=off
	dev=$(losetup -f --show --direct-io=$dio "$one/fs") || return 0
	mkfs.ext4 -q -F "$dev" && mkdir -p "$T/fs" && mount $no_lazyinit "$dev" "$T/fs" &&
		: >"$T/fs/file" && pattern write "$T/fs/file" 0 4194304 $data -s &&
		umount "$T/fs" && mount $no_lazyinit "$dev" "$T/fs" &&
		pattern check "$T/fs/file" 0 4194304 $data || rc=1
	! mountpoint -q "$T/fs" || umount "$T/fs"
	losetup -d "$dev"
	return $rc
}
CG=/sys/fs/cgroup
mountpoint -q "$CG" || mount -t cgroup2 none "$CG" 2>/dev/null || CG=
truncate -s 8M "$three/cg"
grouping() {
	local dev g=$CG/rloop-stress rc
	dev=$(losetup -f --show "$three/cg") || return 0
	mkdir "$g"
	(echo "$BASHPID" >"$g/cgroup.procs" && pattern write "$dev" 0 2097152 1 -d -b 4096)
	rc=$?
	losetup -d "$dev"
	until rmdir "$g" 2>/dev/null; do sleep 0.05; done
	return $rc
}
cpu=/sys/devices/system/cpu/cpu1/online
cpu_back() { echo 1 >$cpu; }
plug() { echo "$1" >$cpu; }
# (EBUSY from where a suspend begins to where this task is frozen with the others.)
plugging() {
	(soon plug 0) || return
	sleep 0.0$((RANDOM % 10))
	(soon plug 1) || return
	sleep 0.4
}
suspending() {
	echo freezer >/sys/power/pm_test
	flock "$T/ice" sh -c 'echo freeze >/sys/power/state' || true
	sleep 1
}
timeout=/sys/power/pm_freeze_timeout
awake() {
	echo none >/sys/power/pm_test
	echo 20000 >$timeout
}
truncate -s 16M "$two/fio"
fio_there=
if command -v fio >/dev/null && [ -e /proc/sys/kernel/shmmax ]; then fio_there=1; fi
verifying() {
	local dev rc
	dev=$(losetup -f --show --direct-io=on "$two/fio") || return 0
	(trap - EXIT; verify_fio "$dev" --size=4m)
	rc=$?
	losetup -d "$dev"
	return $rc
}
stressing() {
	"$HERE/stress" $((STOP > SECONDS ? STOP - SECONDS : 1)) "$SEED" "${files[@]}"
	local rc=$?
	cp "$T/stressing.log" "$T/stress.out"
	return $rc
}
begin
worker stressing
worker freezing
worker mounting
[ -z "$CG" ] || worker grouping
if [ -w $cpu ]; then
	defer cpu_back
	worker plugging
fi
if grep -qsw freezer /sys/power/pm_test; then
	defer awake
	echo 0 >/sys/module/suspend/parameters/pm_test_delay
	# On a slow machine, tasks take their time to get where they can be frozen.
	echo 60000 >$timeout
	worker suspending
fi
[ -z "$fio_there" ] || worker verifying
finished
cat "$T/stress.out"
# All rungs were taken.
for c in inline remapped read_direct write_direct read_buffered write_buffered flush; do
	awk -F: -v c="/$c" 'index($1, c) { n += $2 } END { exit !n }' "$T/stress.out" || fail "$c was never taken"
done
