# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Shared by all scripts: --help, where things are, progress, locks, atomic publishing.
set -euo pipefail

# SCRIPTS is scripts/lib. Caches are named by the content of some files that use it.
SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$SCRIPTS/help.sh"
TOP=$(cd "$SCRIPTS/../.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/rloop
export TOP SCRIPTS CACHE
mkdir -p "$CACHE/lock"

# SUITE=sid: the Debian that build root, guest and kernel come from. Under another name, as
# bootstrap.sh sets SUITE for itself.
export RLOOP_SUITE=${RLOOP_SUITE:-${SUITE:-trixie}}
case $RLOOP_SUITE in
trixie) SUITE_KEY=() ;;
forky | sid) SUITE_KEY=("$RLOOP_SUITE" "$(sha256sum <"$SCRIPTS/suite.sh")") ;;
*) echo "rloop: error: SUITE=$RLOOP_SUITE is not known: trixie, forky or sid" >&2; exit 1 ;;
esac

# FLAVOUR=rt-amd64: which of Debian's kernels; ARCH=arm64 is the one of that name. Another architecture
# has a build root, a guest and kernels of its own. (An empty ARCH, which make exports, is none to Kbuild.)
[ -n "${ARCH:-}" ] || unset ARCH
case ${ARCH:-} in x86 | x86_64) flavour=amd64 ;; *) flavour=${ARCH:-amd64} ;; esac
export RLOOP_FLAVOUR=${RLOOP_FLAVOUR:-${FLAVOUR:-$flavour}}
unset flavour
foreign() { [[ $RLOOP_FLAVOUR == *arm64* ]]; }
if foreign; then
	[ "$RLOOP_SUITE" = trixie ] || { echo "rloop: error: FLAVOUR=$RLOOP_FLAVOUR: of trixie only, not of SUITE=$RLOOP_SUITE" >&2; exit 1; }
	SUITE_KEY=(arm64 "$(sha256sum <"$SCRIPTS/foreign.sh")")
fi

# The jobserver of a make above us is not passed into the build root.
unset MAKEFLAGS MFLAGS MAKELEVEL

# Progress goes to stderr: a script's stdout is its result.
T0=${RLOOP_T0:-$(date +%s)}
export RLOOP_T0=$T0
say() { printf '[%4ds] %s\n' $(($(date +%s) - T0)) "$*" >&2; }
die() {
	printf 'rloop: error: %s\n' "$1" >&2
	shift
	[ $# -eq 0 ] || printf '  %s\n' "$@" >&2
	exit 1
}

# step TEXT COMMAND...: run quietly, show the end of the output on failure only.
step() {
	local text=$1 log out in start rc=0
	shift
	say "$text ..."
	start=$(date +%s)
	log=$(mktemp "${TMPDIR:-/tmp}/rloop-step.XXXXXX")
	# Without a name nothing is left of it when we are interrupted.
	exec {out}>"$log" {in}<"$log"
	rm -f "$log"
	"$@" >&"$out" 2>&1 </dev/null || rc=$?
	[ $rc -eq 0 ] || tail -n 60 <&"$in" >&2
	exec {out}>&- {in}<&-
	[ $rc -eq 0 ] || die "$text: failed with status $rc"
	say "$text: done in $(($(date +%s) - start)) s"
}

# Names a cached piece by what it was made from.
key_of() { printf '%s\n' "$@" "${SUITE_KEY[@]}" | sha256sum | cut -c1-12; }

# lock NAME: held until this shell ends. Two runs at once make a piece only once.
lock() {
	local fd
	exec {fd}>"$CACHE/lock/$1"
	if ! flock -n "$fd"; then
		say "waiting for another run that makes '$1'"
		flock "$fd"
	fi
}

# make_once DIR FUNCTION: FUNCTION fills the directory named by its argument,
# which takes the name DIR only when it is complete. (No '||' around it, here or in
# callers: that would switch errexit off inside.)
make_once() {
	local dir=$1 fill=$2
	[ -d "$dir" ] && return
	(
		lock "$(basename "$(dirname "$dir")")-$(basename "$dir")"
		if [ ! -d "$dir" ]; then
			mkdir -p "$(dirname "$dir")"
			remove_stale "$(dirname "$dir")"
			remove_tree "$dir.tmp"
			mkdir "$dir.tmp"
			# Its bootstrap() takes the place of that of bootstrap.sh.
			[ "$RLOOP_SUITE" = trixie ] || . "$SCRIPTS/suite.sh"
			! foreign || . "$SCRIPTS/foreign.sh"
			"$fill" "$dir.tmp"
			mv -T "$dir.tmp" "$dir"
		fi
	)
}

# What interrupted runs left: its lock is free.
remove_stale() {
	local t fd
	for t in "$1"/*.tmp; do
		[ -e "$t" ] || continue
		exec {fd}>"$CACHE/lock/$(basename "$1")-$(basename "$t" .tmp)"
		if flock -n "$fd"; then remove_tree "$t"; fi
		exec {fd}>&-
	done
}

# A build root made by an ordinary user has files of other (mapped) ids.
remove_tree() {
	[ -e "$1" ] || return 0
	rm -rf --one-file-system "$1" 2>/dev/null || "$SCRIPTS/in-ns" rm -rf --one-file-system "$1"
}

# build_selftests KSOURCE DIR: the kselftests, in DIR/selftests. Built once for all tiers that want
# them with that source; a tier in the background may want them at the same time.
build_selftests() {
	local out compilers=()
	out=$TOP/build/kselftests-$(basename "$1")
	[ "$RLOOP_SUITE" = trixie ] || out+=-$RLOOP_SUITE
	if foreign; then
		out+=-arm64
		compilers=(CC=aarch64-linux-gnu-gcc-14 CC32=arm-linux-gnueabihf-gcc-14)
	fi
	(
		lock "$(basename "$out")"
		mkdir -p "$out" "$2"
		rm -f "$out"/selftests/test_*.sh # those that are no more
		step "building the kselftests" "$SCRIPTS/in-root" --bind "$TOP:/src" --bind "$1:/ksrc" --bind "$out:/share" --cwd /src \
			make -s -j"$(jobs_n)" -C tools/testing/selftests/rloop \
			OUTPUT=/share/selftests KSRC=/ksrc/tools/testing/selftests "${compilers[@]}"
		rm -rf "$2/selftests"
		cp -a "$out/selftests" "$2/"
	)
}

in_root() { "$SCRIPTS/in-root" "$@"; }
jobs_n() { getconf _NPROCESSORS_ONLN; }

# shellcheck disable=SC2034  # of its users
# What the kernel must not say.
SPLAT='WARNING: .* at |WARNING: (possible|inconsistent|suspicious|lock held|held lock|bad unlock|Nested lock|chain)|BUG: |BUG [a-z0-9_-]+ \(|kernel BUG at|KASAN: |UBSAN: |Oops[: ]|Kernel panic|general protection fault|INFO: task .* blocked for more|INFO: (rcu|possible|trying)|rcu: INFO|refcount_t: |sleeping function called|unreferenced object|soft lockup|ODEBUG: |list_(add|del) corruption|rust_kernel: panicked|scheduling while atomic|DEBUG_LOCKS_WARN_ON|Workqueue .* hung|workqueue lockup'
