#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each allocation of each call fails once, and later some of those that the driver's own
# workers and the file system make for it: nothing is half done, nothing is lost.
# variants: calls load work
# uml: none
# stock: none
# prev: none
# debug: all
# timeout: 600
# traces: allowed
. "${0%/*}/common.sh"
need_rloop
[ -w /proc/self/fail-nth ] || skip "no fault injection in this kernel"
INJECT=/sys/kernel/debug/failslab

# inject ATTR VALUE: for all allocations, also those that may sleep. (vmalloc shows a trace
# when it fails.)
inject() {
	local was
	was=$(<"$INJECT/$1")
	echo "$2" >"$INJECT/$1"
	defer restore "$1" "$was"
}
restore() { echo "$2" >"$INJECT/$1"; }
inject verbose 0
inject ignore-gfp-wait N
# Pages are not what is walked.
pages=$(</sys/kernel/debug/fail_page_alloc/min-order)
pages_back() { echo "$pages" >/sys/kernel/debug/fail_page_alloc/min-order; }
defer pages_back
echo 20 >/sys/kernel/debug/fail_page_alloc/min-order

# Most of those of some calls are the kernel's own: one in so many of them. make stress tries
# all.
step() { [ -n "${RLOOP_STRESS:-}" ] && echo 1 || echo "$1"; }
case $1 in
calls)
	filesystem ext4
	RLOOP_TMP=$MNT "$HERE/failslab" calls "$(step 3)"
	;;
load)
	# event_define_fields() warns if an allocation of its own fails: those are left out.
	read -r from to < <(sort /proc/kallsyms | awk '
		from != "" && $1 != from { print from, $1; exit }
		$3 == "event_define_fields" { from = $1 }')
	[ -n "$to" ] || fail "no event_define_fields in kallsyms"
	inject stacktrace-depth 32
	inject reject-start "0x$from"
	inject reject-end "0x$to"
	own_module
	"$HERE/failslab" load "$KO" max_loop=1 "$(step 13)"
	nothing_left loop
	;;
work)
	# What a worker allocates belongs to no call: one in so many of those below the driver.
	read -r base size < <(awk '$1 == "rloop" { print $6, $2 }' /proc/modules)
	[ -e "$INJECT/require-start" ] || skip "no filter by stack in this kernel"
	backing ext4 32
	# A file system that can't note where it put something gives up.
	dd if=/dev/zero of="$IMG" bs=1M count=32 conv=notrunc,fsync status=none
	for dio in on off; do
		attach --direct-io=$dio "$IMG"
		echo "$base" >"$INJECT/require-start"
		printf '0x%x\n' $((base + size)) >"$INJECT/require-end"
		inject stacktrace-depth 32
		inject times -1
		inject probability 20
		fails=0
		for ((i = 0; i < 40; i++)); do
			off=$((i * 262144))
			if pattern write "$LOOP" $off 262144 $((i + 1)) -d -b 16384 >"$T/out"; then
				pattern check "$IMG" $off 262144 $((i + 1)) || fail "acknowledged, and not written"
			else
				fails=$((fails + 1))
				read -r acked text <"$T/out"
				pattern check "$IMG" $off "$acked" $((i + 1)) || fail "acknowledged, and not written ($text)"
			fi
		done
		restore probability 0
		echo "direct $dio: $fails of 40 failed"
		pattern write "$LOOP" 0 8388608 99 -d
		pattern check "$LOOP" 0 8388608 99 -d
		detach "$LOOP"
		pattern check "$IMG" 0 8388608 99
	done
	;;
esac
