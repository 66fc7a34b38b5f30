# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Sourced by the scripts that have to do with udev: it opens devices when it likes.
# udevd takes a message for one without credentials, and drops it, when it comes between
# its accept() and its setting of SO_PASSCRED: what matters is said again, or by a signal.

# What udev has open is nobody's.
settle() {
	local i
	for ((i = 0; i < 5; i++)); do
		[ -S /run/udev/control ] || return 0
		! udevadm settle --timeout=120 || return 0
	done
	return 1
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
