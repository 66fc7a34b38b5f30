# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Shared by the clients. A client is a program of a distribution that uses loop devices, and the file
# here that runs it. It prints what it finds, which must be the same with both drivers: no device
# names, no times. Its messages (stderr) are only shown when it fails. Its exit status is 0, or 77 for
# what this machine can't run, with the reason as its last line. It runs in an empty directory on ext4.
set -euo pipefail

# A directory with data, DATA, of which each file has its sum in SHA256SUMS.
data() { # DIRECTORY [KIB]
	mkdir -p "$1/d"
	head -c "${2:-300}K" /dev/urandom >"$1/a"
	head -c 70000 /dev/urandom >"$1/d/b"
	: >"$1/empty"
	(cd "$1" && sha256sum a d/b empty >SHA256SUMS)
	sync -f "$1"
}
# same WHAT DIRECTORY: its files have the sums that they had.
same() {
	(cd "$2" && sha256sum --quiet -c SHA256SUMS) || { echo "$1: WRONG DATA"; exit 1; }
	echo "$1: data is the same"
}

# A directory with a system that has busybox alone, for containers and services.
os_tree() { # DIRECTORY
	mkdir -p "$1"/{usr/bin,usr/lib,etc,opt,srv,proc,sys,dev,run,tmp,var/tmp,var/lib,root}
	cp /usr/bin/busybox "$1/usr/bin/"
	for f in sh cat cmp cp ls sha256sum sleep sync touch wc; do ln -s busybox "$1/usr/bin/$f"; done
	ln -s usr/bin "$1/bin"
	printf 'ID=small\nNAME=small\nVERSION_ID=1\n' >"$1/usr/lib/os-release"
	: >"$1/etc/machine-id"
	: >"$1/etc/resolv.conf"
}

# eventually COMMAND...: again until it is true, as udev and others race with it; half a minute.
eventually() {
	local n=0
	until "$@" >/dev/null 2>&1; do
		n=$((n + 1))
		if [ $n -ge 60 ]; then
			echo "not true within 30 s: $*"
			"$@" || exit 1
		fi
		sleep 0.5
	done
	[ $n -eq 0 ] || echo "retried: $*" >&2
}
# again COMMAND...: as eventually, and prints what the last try has printed.
again() {
	local n=0 out
	until out=$("$@"); do
		n=$((n + 1))
		[ $n -lt 60 ] || { echo "failed for 30 s: $*"; exit 1; }
		sleep 0.5
	done
	[ $n -eq 0 ] || echo "retried: $*" >&2
	[ -z "$out" ] || echo "$out"
}
# partition NODE: waits until it is there to stay. When a task closes a device that it had open for
# writing, as losetup does, udev has the kernel read the table again: partitions go and come.
partition() {
	udevadm settle
	eventually [ -b "$1" ]
}

# Devices that have a backing file in this client's directory.
attached() { losetup --list --noheadings --output NAME,BACK-FILE | awk -v d="$PWD/" 'index($2, d) == 1 { print $1 }'; }
devices() { [ "$(attached | wc -l)" -eq "$1" ]; } # COUNT
detached() { [ -z "$(attached)" ]; }
not() { ! "$@"; }
skip() {
	echo "$*"
	exit 77
}
