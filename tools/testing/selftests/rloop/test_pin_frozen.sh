#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# While the file system below is frozen, a write of a pinned device waits, and nothing is written;
# reads and flushes go on. Freezing waits for the writes that are in flight.
# variants: ext4 xfs
# stock: all
# prev: ext4
# debug: ext4
. "${0%/*}/common.sh"
. "$HERE/pin.sh"
need fsfreeze
[ -e /proc/sys/fs/aio-max-nr ] || skip "no AIO in this kernel"

pinnable "$1" 8 cache_size=16
attach "$IMG"
pin
freeze() { fsfreeze -f "$MNT" && : >"$T/frozen"; }
thaw() { [ ! -e "$T/frozen" ] || { rm "$T/frozen" && fsfreeze -u "$MNT"; }; }
defer thaw
submitted() { grep -q submitted "$T/out"; }
waits() { [ "$(counter worker_frozen)" -gt "$1" ]; }

# ---- A write waits
for how in thaw flush unpin; do
	pattern write "$LOOP" 0 65536 1 -d
	n=$(counter worker_frozen)
	freeze
	"$HERE/submit" "$LOOP" write >"$T/out" &
	writer=$!
	soon submitted
	soon waits "$n"
	! grep ended "$T/out" || fail "it was written to a frozen file system"
	# (The first page of the file is what submit writes.)
	pattern check "$IMG" 0 65536 1 -d
	pattern check "$LOOP" 0 65536 1 -d
	"$HERE/submit" "$LOOP" read >"$T/read" || { cat "$T/read"; fail "a read of a frozen file system"; }
	if [ $how = flush ]; then
		ends "$HERE/lo" "$LOOP" flush
	elif [ $how = unpin ]; then
		# It waits for the write, and so for the thaw.
		unpin &
		switch=$!
	fi
	! grep ended "$T/out" || fail "it was written to a frozen file system"
	thaw
	wait $writer || { cat "$T/out"; fail "the write when it was thawed"; }
	[ $how != unpin ] || ended $switch "unpinning" || fail "unpinning failed"
	! pattern check "$IMG" 0 4096 1 >/dev/null || fail "it is not in the file"
	pattern check "$IMG" 4096 61440 1 -p 4096
done
is "pin" 0 "$(pinned)"
free "$IMG"
written "$IMG" 8

# ---- Unpinned and detached while it is frozen: nothing waits for longer than that
pin
freeze
unpin &
switch=$!
sleep 0.5
thaw
ended $switch "unpinning" || fail "unpinning failed"
pin
pattern write "$LOOP" 0 65536 2 -d
freeze
losetup -d "$LOOP" &
switch=$!
sleep 0.5
thaw
ended $switch "detaching" || fail "detaching failed"
soon unbound "$LOOP"
: <"$LOOP"
pattern check "$IMG" 0 65536 2
free "$IMG"

# ---- Freezing under load: no write is lost, and the file does not change while it is frozen
attach "$IMG"
pin
rounds=20
[ "${RLOOP_SLOW:-1}" = 1 ] || rounds=3
(
	seed=10
	while [ ! -e "$T/stop" ]; do
		seed=$((seed + 1))
		pattern write "$LOOP" 0 $((2 * MIB)) $seed -d -b 16384
		pattern check "$LOOP" 0 $((2 * MIB)) $seed -d -b 65536
		echo $seed >"$T/seed"
	done
) &
load=$!
for ((i = 0; i < rounds; i++)); do
	freeze
	cp "$IMG" "$T/one"
	dd if="$IMG" of="$T/two" bs=1M iflag=direct status=none
	cmp "$T/one" "$T/two" || fail "the file changed while it was frozen"
	thaw
	sleep 0.02
done
: >"$T/stop"
ended $load "the writer" || fail "the writer failed"
used worker_frozen
detach "$LOOP"
pattern check "$IMG" 0 $((2 * MIB)) "$(<"$T/seed")"
