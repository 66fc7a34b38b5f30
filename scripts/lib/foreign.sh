# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A Debian tree from nothing for arm64, on a machine of another architecture: the build root's qemu-user
# runs the scripts of its packages. Replaces bootstrap() of bootstrap.sh, which make_once() sees to. The
# keys of what is made for arm64 contain the hash of this file.

# binfmt ROOT: what the kernel is told of programs for arm64. F: it opens the interpreter now, as a
# chroot does not have it.
binfmt() {
	printf '%s' ':rloop-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00' \
		':\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff' \
		":$1/usr/bin/qemu-aarch64:F"
}

# bootstrap WHAT DIR PACKAGE...
bootstrap() {
	# shellcheck disable=SC2034  # mirror: for the other bootstrap()
	local what=$1 dir=$2 mirror sources args
	shift 2
	need_mmdebstrap
	find_sources
	args=(--variant=apt --architectures=arm64 --skip=check/qemu --include="$(IFS=,; echo "$*")" "${LEAN[@]}")
	what="$what for arm64 ($# packages and what they need)"
	if [ "$(id -u)" -eq 0 ]; then
		# shellcheck disable=SC2016  # of the inner shell
		step "making the $what" "$SCRIPTS/in-ns" sh -ec '
			m=/proc/sys/fs/binfmt_misc binfmt=$1
			shift
			[ -e $m/register ] || mount -t binfmt_misc binfmt_misc $m
			if [ ! -e $m/qemu-aarch64 ] && [ ! -e $m/rloop-aarch64 ]; then
				printf "%s" "$binfmt" >$m/register
				trap "echo -1 >$m/rloop-aarch64" EXIT
			fi
			"$@"' sh "$(binfmt "$("$SCRIPTS/buildroot")")" \
			mmdebstrap --mode=root "${args[@]}" "$SUITE" "$dir" "${sources[@]}"
		return
	fi
	[ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] ||
		die "this machine runs no programs for arm64" "as root: apt-get install qemu-user-binfmt"
	step "making the $what" mmdebstrap --mode=unshare "${args[@]}" "$SUITE" "$dir.tar" "${sources[@]}"
	step "unpacking it" "$SCRIPTS/in-ns" tar -C "$dir" --exclude='./dev/*' -xpf "$dir.tar"
	rm -f "$dir.tar"
}
