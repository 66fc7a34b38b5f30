#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Installed in loop's place, as the README says: mount -o loop, a device node and
# modprobe loop bring rloop.
. "${0%/*}/common.sh"

own_module
need depmod modprobe
unload loop
dir=/lib/modules/$(uname -r)
[ -e "$dir/modules.dep" ] || skip "no modules are installed here"
# Over the machine's own modules, which stay as they are.
kernel_has overlay
mount -t tmpfs tmpfs "$T"
defer umount -l "$T"
mkdir "$T/upper" "$T/work"
mount -t overlay -o "lowerdir=$dir,upperdir=$T/upper,workdir=$T/work" overlay "$dir"
# udev keeps the index of the modules open.
defer umount -l "$dir"
mkdir -p "$dir/updates"
cp "$KO" "$dir/updates/rloop.ko"
defer rm -f /etc/modprobe.d/rloop.conf
cat >/etc/modprobe.d/rloop.conf <<-END
	alias loop rloop
	blacklist loop
END
depmod
loaded() { [ -d /sys/module/rloop ] || fail "rloop was not loaded by: $*"; }
not_loop() { absent /sys/module/loop || fail "loop was loaded"; }

# udev makes the node, which is there before the module on a machine that has booted.
[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
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
