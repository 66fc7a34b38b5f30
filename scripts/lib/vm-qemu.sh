# shellcheck shell=bash disable=SC2034,SC2154  # shares its variables with vm
# SPDX-License-Identifier: GPL-2.0
# The machine as QEMU: KVM where it really works, else TCG.

in_qemu_root() { "$SCRIPTS/in-root" --root "$root" "$@"; }

. "$SCRIPTS/accel.sh"
[ $ACCEL_ICOUNT -eq 0 ] || SMP=1

# numa_nodes: MEM and the CPUs, shared by NUMA nodes.
numa_nodes() {
	local i size
	[ "$NUMA" -le "$SMP" ] || die "NUMA=$NUMA: a node for each of $SMP CPUs at most"
	size=$(numfmt --from=iec "$MEM") || die "MEM=$MEM is not known here" "such as 2048M or 2G"
	size=$((size >> 20))
	if [ "$size" -eq 0 ] || [ $((size % NUMA)) -ne 0 ]; then die "MEM=$MEM is not to be shared by $NUMA nodes"; fi
	for ((i = 0; i < NUMA; i++)); do
		args+=(-object "memory-backend-ram,id=node$i,size=$((size / NUMA))M"
			-numa "node,nodeid=$i,memdev=node$i,cpus=$((SMP * i / NUMA))-$((SMP * (i + 1) / NUMA - 1))")
	done
}

boot() {
	local files args append binds rc=0
	# A kernel without 9p, as those for clouds, gets a copy of SHARE.
	if [ -n "$SHARE" ] && ! grep -q '^CONFIG_9P_FS=' "$kernel/build/.config"; then
		cp -a "$SHARE" "$vm/rloop/share"
	fi
	files=$("$SCRIPTS/bootfiles" "$kernel")
	# What differs from run to run comes as a second archive behind the cached one.
	in_qemu_root --bind "$vm:/vm" --bind "$files:/boot-files" --cwd /vm sh -ec \
		'find rloop | cpio -o -H newc --quiet >rloop.cpio && cat /boot-files/initrd rloop.cpio >initrd'

	append='panic=-1 oops=panic loglevel=7'
	[ "$KERNEL" != debug ] || append+=' slab_debug=P'
	# One socket per CPU: the table of a machine without ACPI lists no other.
	local machine=(qemu-system-x86_64 -M pc -smp "$SMP,sockets=$SMP") cpu=max console=ttyS0
	# The signatures of pointers, emulated as the architecture has them, take half of the time.
	! foreign || machine=(qemu-system-aarch64 -M virt -smp "$SMP") cpu=max,pauth-impdef=on console=ttyAMA0
	append+=" console=$console"
	# Mitigations have nothing to guard here and cost much when each instruction is emulated.
	case $ACCEL in
	kvm) args=(-accel kvm -cpu host) ;;
	tcg)
		append+=' mitigations=off'
		# These have only the PIT to measure the TSC by. Beside other work one got 431 MHz for 2,445:
		# its clock was five times too fast, and so came the end of each test's time.
		case $KERNEL in debug | kcsan) append+=' tsc=unstable' ;; esac
		# In the 80 us that KCSAN waits for another CPU, an emulated one gets nowhere.
		[ "$KERNEL" != kcsan ] || append+=' kcsan.udelay_task=2000 kcsan.udelay_interrupt=500 kcsan.skip_watch=4000'
		# KASAN knows its shadow by the CPU's features, which are gone for a moment early in
		# the boot: with five levels of page tables an interrupt then finds "wild" memory.
		[ "$KERNEL" != debug ] || cpu+=,la57=off
		args=(-cpu "$cpu")
		if [ -n "$ICOUNT" ]; then
			args+=(-accel tcg,thread=single -icount shift=0,sleep=off)
		else
			args+=(-accel tcg,thread=multi)
		fi
		;;
	esac
	disk() { # ID FILE OPTIONS
		args+=(-drive "id=$1,if=none,format=raw,file=$2,$3" -device "virtio-blk-pci,drive=$1,serial=$1")
	}
	disk root /guest/img readonly=on
	disk modules /boot-files/modules.img readonly=on
	if [ -n "${WRITELOG:-}" ]; then
		args+=(-blockdev driver=file,node-name=scratch-file,filename=/vm/scratch.img,discard=unmap
			-blockdev driver=file,node-name=log-file,filename="$WRITELOG"
			-blockdev driver=blklogwrites,node-name=scratch,file=scratch-file,log=log-file
			-device virtio-blk-pci,drive=scratch,serial=scratch)
	else
		disk scratch /vm/scratch.img cache=unsafe,discard=unmap,detect-zeroes=off
	fi
	args+=(-chardev file,id=console,path=/vm/console -serial chardev:console
		-device virtio-serial-pci,max_ports=4
		-chardev file,id=verdict,path=/vm/rloop/verdict)
	# Port 1 is the script's output (a terminal for a shell), port 2 the verdict.
	if [ -n "$RUN" ]; then
		# Through a pipe, which can be opened again and never ends, unlike our stdin.
		args+=(-chardev file,id=out,path=/dev/stdout -device virtserialport,nr=1,chardev=out,name=rloop.out)
	else
		args+=(-chardev stdio,id=out,signal=off -device virtconsole,nr=0,chardev=out
			-chardev null,id=none -device virtserialport,nr=1,chardev=none)
	fi
	args+=(-device virtserialport,nr=2,chardev=verdict,name=rloop.verdict)
	binds=(--bind "$vm:/vm" --bind "$files:/boot-files" --bind "$guest:/guest" --bind "$kernel:/kernel")
	if [ -n "$SHARE" ]; then
		binds+=(--bind "$SHARE:/share")
		args+=(-virtfs local,path=/share,mount_tag=share,security_model=none,multidevs=remap)
		[ -z "${MONITOR:-}" ] ||
			args+=(-chardev socket,id=monitor,path=/share/monitor,server=on,wait=off -mon chardev=monitor)
	fi
	# Nodes of equal size. The kernels without ACPI are not told of them, and make their own.
	if [ "${NUMA:-1}" -gt 1 ]; then
		case $KERNEL in
		debug | kcsan) append+=" numa=fake=$NUMA" ;;
		*) numa_nodes ;;
		esac
	fi
	local run=(timeout --foreground -s KILL "$TIMEOUT" "$SCRIPTS/in-root" --root "$root" "${binds[@]}"
		"${machine[@]}" -nodefaults -display none -no-reboot -m "$MEM"
		-device virtio-rng-pci "${args[@]}"
		-kernel /kernel/image -initrd /vm/initrd -append "$append")
	if [ -n "$RUN" ]; then
		"${run[@]}" </dev/null | cat || rc=$?
	else
		"${run[@]}" || rc=$?
	fi
	[ $rc -ne 137 ] || rc=124 # unshare is deaf to anything but KILL
	return $rc
}
