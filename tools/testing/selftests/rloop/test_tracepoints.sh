#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tracepoints rloop_submit, rloop_fallback and rloop_complete: one event for each request, with
# what it is; and the module goes while they are enabled.
# uml: none
# stock: all
# prev: all
# debug: all
# timeout: 120
. "${0%/*}/common.sh"
need_rloop
need_trace
events=$TRACE/events/rloop
[ -d "$events" ] || skip "no tracepoints in this kernel"

disable() { [ ! -e "$events/enable" ] || echo 0 >"$events/enable"; }
defer disable
# traced CMD...: $T/trace has the events of the command on the device. (udev may look at others.)
traced() {
	settle
	echo "dev == $DEV" >"$events/filter"
	echo >"$TRACE/trace"
	echo 1 >"$events/enable"
	"$@"
	settle
	disable
	grep -v ^# "$TRACE/trace" >"$T/trace" || true
}
# seen COUNT REGEX: so many events of writes and of other requests that udev doesn't bring.
seen() { is "events '$2'" "$1" "$(grep -cE "$2" "$T/trace")"; }

backing tmpfs 4
attach --direct-io=off "$IMG"
IFS=: read -r major minor <"$SYS/dev"
DEV=$((major << 20 | minor))
id=$major,$minor

traced pattern write "$LOOP" 8192 12288 1 -d -b 4096
for sector in 16 24 32; do
	seen 1 "rloop_submit: $id WS $sector \+ 4096 bytes tag [0-9]+$"
	seen 1 "rloop_fallback: $id WS $sector \+ 4096 bytes tag [0-9]+: (buffered|no_nowait)$"
	seen 1 "rloop_complete: $id WS $sector \+ 4096 bytes tag [0-9]+ error 0$"
done
seen 3 "rloop_submit: $id W"
seen 3 "rloop_fallback: $id W"
seen 3 "rloop_complete: $id W"
# The events of a request have its tag, and come in order.
awk '$0 ~ " WS " {
	match($0, /tag [0-9]+/)
	tag = substr($0, RSTART, RLENGTH)
	match($0, /rloop_[a-z]+/)
	order[tag] = order[tag] " " substr($0, RSTART + 6, RLENGTH - 6)
} END { for (t in order) print order[t] }' "$T/trace" | while read -r order; do
	[[ "$order " =~ ^(submit fallback complete )+$ ]] || fail "order of events: $order"
done

# Each event of a fallback is one in the counters.
count() {
	local f n=0
	for f in "$SYS"/rloop/worker_*; do
		n=$((n + $(<"$f")))
	done
	echo $n
}
before=$(count)
some() {
	pattern write "$LOOP" 0 65536 2 -s
	blkdiscard -o 1M -l 64K "$LOOP"
	pattern check "$LOOP" 0 65536 2 -d
}
traced some
seen $(($(count) - before)) "rloop_fallback: "
seen 1 "rloop_fallback: $id F.* 0 \+ 0 bytes tag [0-9]+: flush$"
seen 1 "rloop_fallback: $id D.* 2048 \+ 65536 bytes tag [0-9]+: discard$"
seen "$(grep -c rloop_submit: "$T/trace")" "rloop_complete: .* error 0$"

# What is served without a worker, and a filter by the name.
losetup --direct-io=on "$LOOP"
traced pattern write "$LOOP" 0 16384 3 -d -b 4096
seen 4 "rloop_complete: $id W"
echo "dev == $DEV && reason == \"flush\"" >"$events/rloop_fallback/filter"

# An error: the file has shrunk.
truncate -s 1M "$IMG"
past_end() { ! pattern check "$LOOP" 2097152 4096 0 -d -b 4096 >"$T/out" 2>&1 || fail "a read past the end of the file"; }
traced past_end
grep -qE "rloop_complete: $id R[AS]* 4096 \+ 4096 bytes tag [0-9]+ error -5$" "$T/trace" || fail "no event of the error"
detach "$LOOP"

# Unloading ends them.
echo 0 >"$events/filter"
echo 1 >"$events/enable"
own_module
absent "$events" || fail "the events are still there"
load
[ "$(<"$events/enable")" = 0 ] || fail "enabled after loading"
