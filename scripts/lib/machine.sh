# shellcheck shell=bash disable=SC2034,SC2154  # shares its variables with its users
# SPDX-License-Identifier: GPL-2.0
# A machine with systemd as PID 1, which runs a program with one of the two loop drivers. Its disk is
# that of scripts/lib/machine; what is written to it is gone with the machine.

! foreign || die "FLAVOUR=$RLOOP_FLAVOUR: this machine is for x86-64 only"
root=$("$SCRIPTS/buildroot")
machine=$("$SCRIPTS/machine")
kernel=$("$SCRIPTS/kernel" "${KERNEL:-stock}")
files=$("$SCRIPTS/bootfiles" "$kernel")
. "$kernel/info"
. "$SCRIPTS/accel.sh"

# machine_module DIR: rloop.ko, and the index of the kernel's modules with it, in DIR/tree/rloop/modules.
# (depmod takes minutes where each instruction is emulated.)
machine_module() {
	local module
	module=$("$TOP/scripts/build" "${KERNEL:-stock}")
	cp -al "$kernel/lib/modules" "$1/modules"
	rm -f "$1/modules/$KRELEASE"/modules.{dep,alias,symbols,devname,softdep,weakdep,builtin.bin,builtin.alias.bin}*
	install -D -m 644 "$module" "$1/modules/$KRELEASE/updates/rloop.ko"
	mkdir -p "$1/lib" "$1/tree/rloop/modules"
	mv "$1/modules" "$1/lib/"
	in_root --root "$root" --bind "$1:/vm" depmod -b /vm "$KRELEASE"
	cp -r "$1/lib/modules/$KRELEASE"/{updates,modules.*} "$1/tree/rloop/modules/"
}

# machine_boot DRIVER SHARE: boots the machine with the driver, rloop or loop, and runs SHARE/run in
# it, whose output and exit status are SHARE/out and SHARE/rc then; SHARE/state is what systemd says of
# the boot, and SHARE/console the kernel's console. SHARE/fstab is added to the machine's, and
# SHARE/prepare run before the boot, in a chroot without /sys.
#   MEM=3G SMP=2 TIMEOUT=3600
machine_boot() {
	local driver=$1 share=$2 vm args rc=0 f
	rm -f "$share"/{out,rc,state,console}
	mkdir -p "$CACHE/run"
	vm=$(mktemp -d "$CACHE/run/vm.$$.XXXXXX")
	mkdir -p "$vm/tree/rloop"
	cp "$SCRIPTS/guest.d/machine-initramfs" "$vm/tree/init"
	chmod 755 "$vm/tree/init"
	cp "$SCRIPTS/guest.d/machine" "$TOP/packaging/rloop-switch" "$vm/tree/rloop/"
	for f in fstab prepare; do [ ! -e "$share/$f" ] || cp "$share/$f" "$vm/tree/rloop/"; done
	[ "$driver" = loop ] || machine_module "$vm"
	# A second archive behind the cached one, with an /init of its own.
	in_root --root "$root" --bind "$vm:/vm" --bind "$files:/boot-files" --cwd /vm/tree sh -ec \
		'find . | cpio -o -H newc --quiet >../tree.cpio && cat /boot-files/initrd ../tree.cpio >../initrd'
	case $ACCEL in
	kvm) args=(-accel kvm -cpu host) ;;
	*) args=(-accel tcg,thread=multi -cpu max) ;;
	esac
	say "booting a Debian with systemd on $KLABEL, driver $driver, $ACCEL_WHY"
	timeout --foreground -s KILL "${TIMEOUT:-3600}" "$SCRIPTS/in-root" --root "$root" --bind "$vm:/vm" --bind "$files:/boot-files" \
		--bind "$kernel:/kernel" --bind "$machine:/machine" --bind "$share:/share" \
		qemu-system-x86_64 -nodefaults -display none -no-reboot -M q35,sata=off,smbus=off -m "${MEM:-3G}" -smp "${SMP:-2}" "${args[@]}" \
		-drive id=root,if=none,format=raw,file=/machine/img,snapshot=on,cache=unsafe -device virtio-blk-pci,drive=root \
		-drive id=modules,if=none,format=raw,file=/boot-files/modules.img,readonly=on -device virtio-blk-pci,drive=modules \
		-device virtio-rng-pci -chardev file,id=console,path=/share/console -serial chardev:console \
		-virtfs local,path=/share,mount_tag=share,security_model=none,multidevs=remap \
		-kernel /kernel/image -initrd /vm/initrd -append "root=/dev/vda rw console=ttyS0 mitigations=off panic=-1 oops=panic ${MACHINE_APPEND:-}" \
		</dev/null || rc=$?
	rm -rf "$vm"
	if [ ! -e "$share/rc" ]; then
		say "the machine with $driver ended without a result (status $rc)"
		tail -n 40 "$share/console" >&2
		return 1
	fi
}
