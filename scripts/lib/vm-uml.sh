# shellcheck shell=bash disable=SC2034,SC2154  # shares its variables with vm
# SPDX-License-Identifier: GPL-2.0
# The machine as user-mode Linux: a program, at the speed of this machine.

ACCEL=native ACCEL_WHY='user-mode Linux'

boot() {
	local binds=(--bind "$kernel:/kernel" --bind "$guest/tree:/guest" --bind "$vm/rloop:/guest/rloop" --bind "$vm:/vm")
	[ -z "$SHARE" ] || binds+=(--bind "$SHARE:/share")
	# Terminal 1 is the script's; what the kernel says goes to stderr, into the file.
	# Its memory is a file in TMPDIR that must be mapped executable.
	local rc=0 run=(timeout --foreground -s KILL "$TIMEOUT" "$SCRIPTS/in-root" --root "$root" "${binds[@]}"
		env TMPDIR=/dev/shm /kernel/image mem="$MEM" ncpus="$SMP" seccomp=on
		root=/dev/root rootfstype=hostfs rootflags=/guest ro init=/rloop/uml
		ubd0=/vm/scratch.img con=null ssl=null con0=null,fd:2 con1=fd:0,fd:3
		panic=-1 loglevel=7)
	# shellcheck disable=SC2206  # words
	run+=(${APPEND:-})
	if [ -n "$RUN" ]; then
		# A pipe: what cannot be polled, such as a file, loses output.
		"${run[@]}" 3>&1 >"$vm/console" 2>&1 </dev/null | cat || rc=$?
	else
		"${run[@]}" 3>&1 >"$vm/console" 2>&1 || rc=$?
	fi
	[ $rc -ne 137 ] || rc=124 # unshare is deaf to anything but KILL
	return $rc
}
