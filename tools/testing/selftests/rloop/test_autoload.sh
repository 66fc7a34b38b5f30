#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# With the rules of rloop-switch in modprobe.d: mount -o loop, a device node and modprobe loop bring
# rloop, or the C driver where there is no rloop.ko that loads; options of either module reach rloop.
# prev: none
# timeout: 120
. "${0%/*}/common.sh"

own_module
need depmod modprobe
unload loop
dir=/lib/modules/$(uname -r)
[ -e "$dir/modules.dep" ] || skip "no modules are installed here"
[ "$(modinfo -n loop)" != "(builtin)" ] || skip "loop is built in"
kernel_has ext4
# In front of the machine's own modules, which stay as they are: as few as it takes.
mkdir -p "$T/mods/updates" "$T/mods/kernel"
cp "$dir"/modules.{order,builtin*} "$T/mods/"
cp "$(modinfo -n loop)" "$T/mods/kernel/"
cp "$KO" "$T/mods/updates/rloop.ko"
mount --bind "$T/mods" "$dir"
# udev keeps the index of the modules open.
defer umount -l "$dir"
defer rm -f /etc/modprobe.d/rloop-switch.conf /etc/modprobe.d/options.conf
"${0%/*}/rloop-switch" on
depmod
loaded() { [ -d /sys/module/rloop ] || fail "rloop was not loaded by: $*"; }
not_loop() { absent /sys/module/loop || fail "loop was loaded"; }

# On a machine that has booted, udev has made the node before there is a module.
mknod /dev/loop-control c 10 237
no_node() { unload rloop; rm -f /dev/loop-control; }
defer no_node
backing tmpfs 16
mkfs.ext4 -q -F "$IMG"
mkdir "$T/at"
mount -o loop "$IMG" "$T/at"
defer unmount "$T/at"
loaded "mount -o loop"
not_loop
umount "$T/at"
unload rloop

mknod "$T/node" b 7 5
: <"$T/node" || fail "no device for a node"
loaded "opening a node"
not_loop
unload rloop

modprobe loop
loaded "modprobe loop"
not_loop
unload rloop
modprobe loop max_loop=3
loaded "modprobe loop max_loop=3"
is "max_loop" 3 "$(</sys/module/rloop/parameters/max_loop)"
unload rloop

# Options, of which the last one counts: of loop, of rloop, of the command line of modprobe.
echo "options loop max_loop=4 hw_queue_depth=32" >/etc/modprobe.d/options.conf
modprobe loop
loaded "modprobe loop, with options of loop"
is "max_loop" 4 "$(</sys/module/rloop/parameters/max_loop)"
is "hw_queue_depth" 32 "$(</sys/module/rloop/parameters/hw_queue_depth)"
unload rloop
echo "options rloop max_loop=5 dio=1" >>/etc/modprobe.d/options.conf
modprobe loop
loaded "modprobe loop, with options of both"
is "max_loop" 5 "$(</sys/module/rloop/parameters/max_loop)"
unload rloop
modprobe loop max_loop=6
loaded "modprobe loop max_loop=6, with options of both"
is "max_loop" 6 "$(</sys/module/rloop/parameters/max_loop)"
is "hw_queue_depth" 32 "$(</sys/module/rloop/parameters/hw_queue_depth)"
is "dio" 1 "$(</sys/module/rloop/parameters/dio)"
unload rloop
rm /etc/modprobe.d/options.conf

# falls_back WHY: the C driver instead.
falls_back() {
	# By a node of the major, an alias that both drivers have.
	: <"$T/node" || fail "no device for a node: $1"
	[ -d /sys/module/loop ] || fail "opening a node loaded nothing: $1"
	absent /sys/module/rloop || fail "opening a node loaded rloop: $1"
	unload loop
	modprobe loop max_loop=3 2>"$T/modprobe.log" || { cat "$T/modprobe.log"; fail "modprobe loop: $1"; }
	[ -d /sys/module/loop ] || fail "no driver at all: $1"
	absent /sys/module/rloop || fail "rloop was loaded: $1"
	is "max_loop of the C driver" 3 "$(</sys/module/loop/parameters/max_loop)"
	unload loop
	mount -o loop "$IMG" "$T/at" || fail "mount -o loop: $1"
	[ -d /sys/module/loop ] || fail "mount -o loop loaded nothing: $1"
	umount "$T/at"
	unload loop
}
truncate -s 4096 "$T/mods/updates/rloop.ko"
falls_back "the kernel refuses rloop.ko"
rm "$T/mods/updates/rloop.ko"
falls_back "rloop.ko is not there, but in the index"
depmod
falls_back "rloop.ko is not there"
