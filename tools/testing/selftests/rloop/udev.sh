# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by the scripts that have to do with udev: it opens devices when it likes.
# udevd takes a message for one without credentials, and drops it, when it comes between
# its accept() and its setting of SO_PASSCRED: what matters is said again, or by a signal.

# A device that udev has open belongs to no test.
settle() {
	local i
	for ((i = 0; i < 5; i++)); do
		[ -S /run/udev/control ] || return 0
		! udevadm settle --timeout=120 || return 0
	done
	return 1
}

# A device that udev has open when it is detached goes when udev closes it.
released() {
	local i
	settle
	for ((i = 0; i < 300; i++)); do
		compgen -G "/sys/block/*/loop" >/dev/null || return 0
		sleep 0.1
	done
	echo "still bound after 30 s"
	return 1
}

# unmount_below DIR: it has held the file of a device that is detached. Where udev was the last to
# close the device, the file is let go of when that returns to udev.
unmount_below() {
	local i
	for ((i = 0; i < 100; i++)); do
		! umount "$1" 2>/dev/null || return 0
		[ -S /run/udev/control ] || break
		sleep 0.1
	done
	umount "$1"
}

udev_reload() { pkill -HUP -x systemd-udevd && settle; }

# Ends udev, in a virtual machine of ours. What it opens late may load another driver.
udev_exit() {
	local i
	[ -S /run/udev/control ] || return 0
	settle
	pkill -x systemd-udevd
	for ((i = 0; i < 100; i++)); do
		grep -qsxE 'systemd-udevd|\(udev-worker\)' /proc/[0-9]*/comm || break
		sleep 0.1
	done
	pkill -KILL -x 'systemd-udevd|\(udev-worker\)'
	rm -f /run/udev/control
}
