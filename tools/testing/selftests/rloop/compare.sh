#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# compare.sh [test|fuzz.SEED]... | --seconds N [SEED]
# Runs the tests of the ABI, and random walks (fuzz.c), with the C driver and with rloop,
# which stands beside it as loopr, and compares what they answered: results of the tests, return
# values, structs, sysfs, sizes, uevents. What may differ stands in 'differences', each with
# its reason; anything else fails, and so does an entry that no test shows any more.
set -u
cd "$(dirname "$0")" || exit 1
. ./udev.sh
DEFAULT="bad_backing bad_pointer bad_status block_size capacity change_fd configure control
	detach direct_io inflight late_failure nested overflow partscan permission status uevent unbound"
seconds='' tests=()
if [ "${1:-}" = --seconds ]; then
	seconds=$2 seed=${3:-$(date +%s)}
else
	tests=("$@")
fi
if [ ${#tests[@]} -eq 0 ] && [ -z "$seconds" ]; then
	for t in $DEFAULT; do
		tests+=("$t")
		[ ! -x "32/test_$t" ] || [ ! -e /proc/sys/abi/vsyscall32 ] || tests+=("32/$t")
	done
	# Random walks, the same each time.
	for ((i = 1; i <= 5; i++)); do
		tests+=("fuzz.$i")
	done
fi
# Freezing a queue is mostly waiting for RCU.
[ ! -w /sys/kernel/rcu_expedited ] || echo 1 >/sys/kernel/rcu_expedited
for m in loop loopr; do
	[ -e "/dev/$m-control" ] || { echo "Bail out! $m is not there"; exit 1; }
done
work=$(mktemp -d /tmp/rloop-compare.XXXXXX)
export RLOOP_TMP=$work
trap 'rm -rf "$work"' EXIT
# With udev, a device may be busy or an event go out.
udev_exit

# run NAME PREFIX DRIVER: trace and results in $work/DRIVER
run() {
	local prog=test_${1##*/} dir=.
	[[ $1 != */* ]] || dir=${1%/*}
	local args=()
	if [[ $1 == fuzz.* ]]; then
		prog=fuzz args=("${1#fuzz.}" "${STEPS:-500}")
	fi
	: >"$work/trace"
	RLOOP_TRACE=$work/trace RLOOP_PREFIX=$2 DRIVER=$3 timeout 300 "$dir/$prog" "${args[@]}" >"$work/tap" 2>&1 ||
		[[ $1 != fuzz.* ]] || echo "the walk broke off" >>"$work/trace"
	grep -oE '^ok .*# SKIP' "$work/tap" | sed -E 's/^ok [0-9]+ [^.]*\.([^ ]*) .*/\1/' >>"$work/skipped"
	# The results after the traces of all its tests: the harness may buffer them.
	cat "$work/trace" <(grep -E '^(not )?ok ' "$work/tap")
}

# The trace $1, without the tests that one of the drivers skipped: only that is compared.
without_skipped() {
	awk 'NR == FNR { skip[$1]; next } $1 == "test" { off = $2 in skip } /^(not )?ok / { off = 0 } !off' "$work/skipped" "$1"
}

# Whether an entry is one, and of this kernel.
applies() {
	[[ $1 != '#'* && -n $1 ]] || return
	[[ $1 != *:* || $(uname -r) == "${1#*:}".* ]]
}

# The differences of test $1 that nothing allows, of a diff on stdin.
unlisted() {
	local test=$1 line pattern name reason listed n
	while IFS= read -r line; do
		[[ $line == [-+]* && $line != ---* && $line != +++* ]] || continue
		listed=''
		n=0
		while IFS=$'\t' read -r name pattern reason; do
			n=$((n + 1))
			applies "$name" || continue
			# shellcheck disable=SC2053  # both are patterns
			if [[ ${test##*/} == ${name%:*} && $line =~ $pattern ]]; then
				listed=1
				echo $n >>"$work/seen"
				break
			fi
		done <differences
		[ -n "$listed" ] || echo "$line"
	done
}

# compare TEST: one test of the TAP.
compare() {
	local t=$1
	n=$((n + 1))
	echo - >"$work/skipped"
	run "$t" loop loop >"$work/c.all"
	run "$t" loopr rloop >"$work/r.all"
	without_skipped "$work/c.all" >"$work/c"
	without_skipped "$work/r.all" >"$work/r"
	diff -U 3 "$work/c" "$work/r" >"$work/diff"
	if [ ! -s "$work/r" ]; then
		echo "not ok $n compare.$t # no trace"
		failed=1
	elif [ -n "$(unlisted "$t" <"$work/diff" | tee "$work/bad")" ]; then
		sed 's/^/# unlisted: /' "$work/bad"
		sed 's/^/# /' "$work/diff"
		echo "not ok $n compare.$t"
		failed=1
	else
		echo "ok $n compare.$t ($(wc -l <"$work/r") lines)"
	fi
}

echo "TAP version 13"
n=0 failed=0
: >"$work/seen"
if [ -n "$seconds" ]; then
	SECONDS=0
	while [ $SECONDS -lt "$seconds" ]; do
		compare "fuzz.$seed"
		seed=$((seed + 1))
	done
	echo "1..$n"
	exit $failed
fi
echo "1..$((${#tests[@]} + ($# == 0 ? 1 : 0)))"
for t in "${tests[@]}"; do
	compare "$t"
done
if [ $# -eq 0 ]; then
	i=0 unseen=''
	while IFS= read -r line; do
		i=$((i + 1))
		! applies "${line%%$'\t'*}" || grep -qx $i "$work/seen" || unseen+="# never seen: $line"$'\n'
	done <differences
	if [ -n "$unseen" ]; then
		printf '%s' "$unseen"
		echo "not ok $((n + 1)) compare: differences that are listed and not seen"
		failed=1
	else
		echo "ok $((n + 1)) compare: every difference that is listed is seen"
	fi
fi
exit $failed
