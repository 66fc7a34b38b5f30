# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# For the files in setup/, which are read in the shell of a recipe before its commands.

# eventually COMMAND...: again until it succeeds, as udev may hold a device for a moment; half a minute.
eventually() {
	local n=0
	until "$@"; do
		n=$((n + 1))
		[ $n -lt 60 ] || return 1
		sleep 0.5
	done
}
# other_driver NAME: no loop driver is loaded then, or NAME, the C driver.
other_driver() {
	udevadm settle --timeout=600 || true
	eventually modprobe -q -r rloop
	[ -z "${1:-}" ] || modprobe --ignore-install "$1"
}
