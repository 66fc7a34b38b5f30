# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A Debian tree from nothing of another suite than trixie: testing or unstable, from main alone, as
# they have neither backports nor all of the others. Replaces bootstrap() of bootstrap.sh, which
# make_once() sees to. The keys of what is made with it contain the hash of this file.

# suite_mmdebstrap TYPES ARGUMENT...: mmdebstrap of RLOOP_SUITE with sources of TYPES, "deb deb-src".
suite_mmdebstrap() {
	local types=$1 mirror sources=() type args
	shift
	# A mirror may lag behind: its Release file is taken after its Valid-Until, too.
	args=("${LEAN[@]}" --aptopt='Acquire::Check-Valid-Until "false"')
	mirror=$(mirror_of Debian)
	if [ -n "$mirror" ]; then
		for type in $types; do sources+=("$type $mirror $RLOOP_SUITE main"); done
	elif [ "$types" != deb ]; then
		# shellcheck disable=SC2016  # of the hook's shell
		args+=(--setup-hook='sed "s/^deb /deb-src /" "$1/etc/apt/sources.list" >"$1/etc/apt/sources.list.d/src.list"')
	fi
	if [ "$(id -u)" -eq 0 ]; then
		"$SCRIPTS/in-ns" mmdebstrap --mode=root "${args[@]}" "${@:1:$#-1}" "$RLOOP_SUITE" "${@: -1}" "${sources[@]}"
	else
		mmdebstrap --mode=unshare "${args[@]}" "${@:1:$#-1}" "$RLOOP_SUITE" "${@: -1}" "${sources[@]}"
	fi
}

# bootstrap WHAT DIR PACKAGE...
bootstrap() {
	local what=$1 dir=$2 target=$2 args
	shift 2
	need_mmdebstrap
	args=(--variant=apt --include="$(IFS=,; echo "$*")" --skip=cleanup/apt/lists)
	[ "$(id -u)" -eq 0 ] || target=$dir.tar # its ids differ from ours in a namespace
	step "making the $what of $RLOOP_SUITE ($# packages and what they need)" \
		suite_mmdebstrap "${SUITE_TYPES:-deb deb-src}" "${args[@]}" "$target"
	[ "$target" != "$dir" ] || return 0
	step "unpacking the $what" "$SCRIPTS/in-ns" tar -C "$dir" --exclude='./dev/*' -xpf "$target"
	rm -f "$target"
}
