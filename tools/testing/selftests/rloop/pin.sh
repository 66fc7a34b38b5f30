# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by the tests of pinned devices, after common.sh.
need_rloop

MIB=$((1 << 20))
# The blocks of the file systems below: extents must be whole pages, which smaller ones are by chance.
BLOCK=$(getconf PAGE_SIZE)

# written FILE MIB: FILE is new, all written with pattern 1, and as it must be to be pinned.
written() {
	: >"$1"
	# (Without copy on write, for which a file of btrfs must be empty.)
	[ "$(stat -f -c %T "$1")" != btrfs ] || chattr +C "$1"
	pattern write "$1" 0 $(($2 * MIB)) 1 -s -b 1048576
}
# pinnable FS MIB [ATTR=VALUE]...: IMG is such a file on a new file system on a new disk.
pinnable() {
	filesystem "$1" "${@:3}"
	IMG=$MNT/img
	written "$IMG" "$2"
}
# mounted DEVICE DIR [OPTION]...: MNT is DIR, and what is on DEVICE is mounted there.
mounted() {
	MNT=$2
	mkdir -p "$MNT"
	mount "${@:3}" "$1" "$MNT"
	defer unmount_now "$MNT"
}
unmount_now() { ! mountpoint -q "$1" || unmount_below "$1"; }

set_pin() { echo "$1" >"$SYS/rloop/pin"; }
pinned() { echo "$(<"$SYS/rloop/pin")"; }
pin_reason() { echo "$(<"$SYS/rloop/pin_reason")"; }
# pin: IMG is held still from now on. EXTENTS is what it lies on.
pin() {
	set_pin 1 || fail "line ${BASH_LINENO[0]}: not pinned: $(pin_reason)"
	in_effect
}
in_effect() {
	local reason
	is "pin" 1 "$(pinned)"
	reason=$(pin_reason)
	[[ $reason =~ ^'in effect: '([0-9]+)' extents'$ ]] || fail "pinned, and pin_reason is '$reason'"
	EXTENTS=${BASH_REMATCH[1]}
	is "direct I/O of a pinned device" 1 "$(<"$SYS/loop/dio")"
}
unpin() {
	set_pin 0
	is "pin after 0" 0 "$(pinned)"
	is "pin_reason after 0" "not requested" "$(pin_reason)"
}
# free FILE: it is not held still: its last page is cut off, and written again.
free() {
	local size
	size=$(stat -c %s "$1")
	tail -c "$BLOCK" "$1" >"$T/last"
	truncate -s $((size - BLOCK)) "$1" || fail "$1 can't be shortened"
	cat "$T/last" >>"$1" || fail "no write to $1"
	sync "$1"
}
# held FILE: it can't be written.
held() { refused "Text file busy" dd if=/dev/zero of="$1" bs=4096 count=1 conv=notrunc; }

# mark: no_worker and remapped_alone count from here.
mark() {
	settle
	WORKERS=$(sum "worker_*")
	OTHERS=$(($(sum "*_buffered") - $(counter worker_buffered) + $(sum "inline*")))
}
# no_worker: a worker served no request.
no_worker() {
	is "requests that a worker served ($(grep -Hv '^0$' "$SYS"/rloop/worker_* || true))" "$WORKERS" "$(sum "worker_*")"
}
# remapped_alone: no request went to the file.
remapped_alone() {
	is "requests that went to the file" "$OTHERS" "$(($(sum "*_buffered") - $(counter worker_buffered) + $(sum "inline*")))"
}

# ---- what the driver says in the log
# log_mark: said counts from here.
LOG_MARK=
log_mark() {
	LOG_MARK="rloop-selftest: $$ ${SECONDS}.$RANDOM"
	echo "$LOG_MARK" >/dev/kmsg
}
# said TEXT: lines of LOOP with that text since log_mark.
said() {
	dmesg | awk -v mark="$LOG_MARK" -v text="$NAME: $1" '
		index($0, mark) { n = 0; next }
		index($0, text) { n++ }
		END { print n + 0 }'
}

# old FILE / moved FILE: its mtime is in the year 2001, or is not any more.
old() { touch -m -d @1000000000 "$1"; }
moved() { [ "$(stat -c %Y "$1")" -gt 1000000000 ]; }
