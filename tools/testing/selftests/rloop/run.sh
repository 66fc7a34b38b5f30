#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [--tier uml|stock|stock-prev|debug|kcsan] [--all] [--list] [name|name.variant]...
# Runs the tests beside it as root and prints TAP. DRIVER=rloop|loop names the
# driver that is loaded. What a test leaves behind makes it fail.
#
# A test says in its first lines:  # variants: A B   runs once with each argument
#                                  # uml: A          those that can run on UML; none: not there
#                                  # stock: A        those that run on the stock kernel
#                                  # prev: A         on the older stock kernel
#                                  # debug: A        on the kernels with checkers
#                                  # timeout: N      seconds, instead of 60
#                                  # traces: allowed a trace alone is no complaint of the kernel
# "all" is all variants, "none" that it does not run there. Where nothing is said, all run on UML,
# which is fast, the first variant on stock kernels, and none on those with checkers.
# --all: all variants, wherever they can run. NAME.all: all of that test.
set -u
cd "$(dirname "$0")" || exit 1
. ./udev.sh

if [ -z "${DRIVER:-}" ]; then
	DRIVER=loop
	[ ! -d /sys/module/rloop ] || DRIVER=rloop
fi
export DRIVER LC_ALL=C
tier=${RLOOP_KERNEL:-} all='' list='' names=()
while [ $# -gt 0 ]; do
	case $1 in
	--tier) tier=$2; shift ;;
	--all) all=1 ;;
	--list) list=1 ;;
	-*) echo "run.sh: unknown option $1" >&2; exit 2 ;;
	*) names+=("$1") ;;
	esac
	shift
done
# A debug kernel on an emulated machine takes its time: tests do less there. On it and on UML
# they do without udev, which is busy with each event.
udev=1 slow=1
case $tier in
uml) udev='' ;;
stock*) slow=3 ;;
debug | kcsan)
	udev='' slow=6
	export RLOOP_FEW=1
	;;
esac
export RLOOP_SLOW=$slow

# headers FILE: HEADER is what the first lines of a script say. (Here and below
# no process is started that can be done without: UML is slow at that.)
declare -A HEADER
headers() {
	local line i
	HEADER=()
	[[ $1 == *.sh ]] || return 0
	for ((i = 0; i < 14; i++)); do
		IFS= read -r line || return 0
		[[ ! $line =~ ^'# '([a-z]+)': '(.+) ]] || HEADER[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
	done <"$1"
}

# Of the programs, those about races and memory run with checkers.
CHECKED=' race opener inflight killed detach partscan far_offset leak '

# chosen NAME: CHOSEN of its variants, ALL, run in this tier; "-" is a test without any.
chosen() {
	ALL=${HEADER[variants]:--}
	CHOSEN=$ALL
	case $tier in
	uml) CHOSEN=${HEADER[uml]:-$ALL} ALL=$CHOSEN ;;
	stock) CHOSEN=${HEADER[stock]:-${ALL%% *}} ;;
	stock-prev) CHOSEN=${HEADER[prev]:-${ALL%% *}} ;;
	debug | kcsan)
		CHOSEN=${HEADER[debug]:-none}
		[[ $CHECKED != *" $1 "* ]] || CHOSEN=-
		;;
	esac
	[ -z "$all" ] && [ "$CHOSEN" != all ] || CHOSEN=$ALL
	[ "$ALL" != none ] || CHOSEN=
}

# named NAME VARIANT: by either alone or both; what is named runs, if it can.
named() {
	local n
	for n in "${names[@]}"; do
		case $n in
		"$1.$2" | "$1.all") return 0 ;;
		"$1") [[ " $CHOSEN " != *" $2 "* ]] || return 0
			[ "$CHOSEN" = none ] && [ "$2" = "${ALL%% *}" ] && return 0 ;;
		esac
	done
	return 1
}

# Programs count the openers of a device. They come first, while udev is away: in a virtual
# machine of ours it is ended, elsewhere it waits.
# (And where udev has a hundred devices to look at, it is not waited for.)
counts() { [[ $1 != *.sh || $1 == test_compat.sh || $1 == test_completion_depth.sh ]]; }

tests=()
for f in test_*; do
	if [[ $f == *.c ]]; then # not built yet: only to be listed
		[ -n "$list" ] || continue
		f=${f%.c}
	elif [ ! -f "$f" ] || { [ -z "$list" ] && [ ! -x "$f" ]; }; then
		continue
	fi
	name=${f#test_}
	name=${name%.sh}
	headers "$f"
	chosen "$name"
	for v in $ALL; do
		if [ ${#names[@]} -gt 0 ]; then
			named "$name" "$v" || continue
		else
			[[ " $CHOSEN " == *" $v "* ]] || continue
		fi
		tests+=("$f ${v#-}")
	done
done

first=() last=()
for t in "${tests[@]}"; do
	if counts "${t%% *}"; then first+=("$t"); else last+=("$t"); fi
done
tests=("${first[@]}" "${last[@]}")

if [ -n "$list" ]; then
	printf '%s\n' "${tests[@]}"
	exit 0
fi
if [ ${#tests[@]} -eq 0 ]; then
	echo "run.sh: no such test: ${names[*]}" >&2
	exit 2
fi

RLOOP_TMP=$(mktemp -d /tmp/rloop-tests.XXXXXX)
RLOOP_HUNG=$RLOOP_TMP.hung # what a test says when it finds a task that hangs
export RLOOP_TMP RLOOP_HUNG
udev_was_on=''
# (A child that is killed before it has become what it is to run would do so, too.)
trap '[ "$BASHPID" != "$$" ] || { udev_on; rm -rf --one-file-system "$RLOOP_TMP"; }' EXIT

# Waiting for RCU is most of what adding and removing a device costs on UML.
if [ "$tier" = uml ] && [ -w /sys/kernel/rcu_expedited ]; then
	echo 1 >/sys/kernel/rcu_expedited
fi
[ -n "$udev" ] || udev_exit

say() { printf '%s\n' "$*"; }
comment() { sed -u 's/^/# /'; }
# Of a harness that went well, its results are enough.
results() { [ ! -s "$1" ] || sed -nE '/^#|^TAP version|^1\.\./! s/^/# /p' "$1"; }

# ---- what a test may leave behind
# left: STATE is a line for each thing that is there. (No process is started here, nor
# where nothing is wrong: each takes a third of a second on an emulated debug kernel.)
left() {
	local f dev n=0
	STATE=
	for f in /sys/block/*/loop /sys/kernel/config/nullb/rlt* "$RLOOP_TMP"/*; do
		[ ! -e "$f" ] || STATE+=$f$'\n'
	done
	while read -r _ _ _ _ f _; do
		[[ $f == */kernel/config ]] || STATE+="mounted: $f"$'\n'
	done </proc/self/mountinfo
	dev=/sys/module/$DRIVER
	if [ ! -e "$dev" ]; then
		STATE+="not loaded: $DRIVER"$'\n'
	elif [ -e "$dev/refcnt" ]; then
		# A line for each user: what was open before and is not any more is not left behind.
		read -r n <"$dev/refcnt"
		for (( ; n > 0; n--)); do
			STATE+="$DRIVER is in use ($n)"$'\n'
		done
	fi
}

new() { [ "$1" != "$2" ] && diff <(echo "$1") <(echo "$2") | grep '^>'; }

SPLAT='BUG:|WARNING:|KASAN|UBSAN|Oops|kernel BUG at|Call Trace|INFO: task|INFO: rcu|soft lockup|hung task|unreferenced object|general protection|possible circular locking|Kernel panic|refcount_t:|sysfs: cannot create|rust_kernel: panicked'
# What the kernel complained about since the mark.
splats() {
	local pattern=$SPLAT
	[ "${HEADER[traces]:-}" != allowed ] || pattern=${pattern/Call Trace|/}
	# (bash's own ${text##*mark} takes seconds for a full log.)
	dmesg | awk -v mark="rloop-selftest: $1" -v pattern="$pattern" '
		index($0, mark) { n = 0 }
		# (Others have data races, too: ours are looked for in the console.)
		$0 ~ pattern && !/BUG: KCSAN/ { line[n++] = $0 }
		END { for (i = 0; i < n; i++) print line[i]; exit !n }'
}
# around MARK LINE: what the kernel's log has before and after that line.
around() {
	dmesg | awk -v mark="rloop-selftest: $1" -v first="$2" '
		index($0, mark) { n = 0; found = 0 }
		$0 == first && !found { found = n + 1 }
		{ line[++n] = $0 }
		END { for (i = found > 10 ? found - 10 : 1; i <= n && i < found + 40; i++) print line[i] }'
}

tidy() {
	local d
	for d in $(awk '{ print $5 }' /proc/self/mountinfo | grep "^$RLOOP_TMP" | tac); do
		umount "$d" || umount -l "$d"
	done
	for d in /sys/block/*/loop; do
		d=${d%/loop}
		[ ! -e "$d/loop" ] || losetup -d "/dev/${d##*/}"
	done
	for d in /sys/kernel/config/nullb/rlt*; do
		[ ! -d "$d" ] || rmdir "$d"
	done
	find "$RLOOP_TMP" -mindepth 1 -delete
	sleep 1
} 2>&1

udev_off() {
	[ -z "$udev_was_on" ] && [ -S /run/udev/control ] || return 0
	if [ -n "$tier" ]; then
		udev_exit
	else
		settle
		udevadm control --stop-exec-queue
	fi
	udev_was_on=1
}
udev_on() {
	[ -n "$udev_was_on" ] || return 0
	udev_was_on=''
	if [ -n "$tier" ]; then
		/usr/lib/systemd/systemd-udevd --daemon 2>/dev/null
	else
		udevadm control --start-exec-queue
	fi
	settle
}

# ---- one test; sets rc, and why where something else is wrong with it
run_one() {
	local file=$1 variant=$2 mark=$3 limit pid dog i before after splats
	headers "$file"
	limit=$((${HEADER[timeout]:-60} * slow))
	[ -z "${RLOOP_STRESS:-}" ] || limit=$((limit * 4 + RLOOP_STRESS))
	why=
	settle
	left
	before=$STATE
	[ ! -w /dev/kmsg ] || echo "rloop-selftest: $mark" >/dev/kmsg
	# shellcheck disable=SC2086  # no variant, no argument
	timeout -k 5 "$limit" "./$file" $variant >"$log" 2>&1 </dev/null &
	pid=$!
	sleep $((limit + 30)) &
	dog=$!
	wait -n "$pid" "$dog"
	rc=$?
	if [ -s "$RLOOP_HUNG" ]; then
		# The test has seen to it that what can be killed is dead, and has said where it hangs.
		rc=255
		read -r why <"$RLOOP_HUNG"
		kill "$dog" 2>/dev/null
		return
	fi
	if kill -0 "$pid" 2>/dev/null; then
		rc=255
		why="can't be killed"
		# Say where it hangs; there is no going on after this.
		[ ! -w /proc/sysrq-trigger ] || echo w >/proc/sysrq-trigger
		dmesg | tail -n 60 >>"$log"
		return
	fi
	kill "$dog" 2>/dev/null
	wait "$dog" 2>/dev/null
	[ $rc -ne 124 ] && [ $rc -ne 137 ] || why="no end after $limit s"

	# udev may still be looking at a device.
	for ((i = 0; i < 30; i++)); do
		left
		after=$STATE
		new "$before" "$after" >/dev/null || break
		settle
		sleep 0.1
	done
	if new "$before" "$after" >/dev/null; then
		why="${why:+$why; }left behind"
		{
			echo "left behind:"
			new "$before" "$after"
			tidy
		} >>"$log"
	fi
	if splats=$(splats "$mark"); then
		why="${why:+$why; }kernel message: ${splats%%$'\n'*}"
		{
			echo "kernel messages:"
			echo "$splats"
			echo "the first, and what is around it:"
			around "$mark" "${splats%%$'\n'*}"
		} >>"$log"
	fi
}

log=$RLOOP_TMP.log
passed=0 failed=0 skipped=0 n=0
say "TAP version 13"
say "1..${#tests[@]}"
for t in "${tests[@]}"; do
	read -r file variant <<<"$t"
	if counts "$file"; then udev_off; else udev_on; fi
	name=${file#test_}
	name=${name%.sh}${variant:+.$variant}
	n=$((n + 1))
	: >"$log"
	start=$SECONDS
	run_one "$file" "$variant" "$n $name"
	if [ -n "$why" ] || { [ $rc -ne 0 ] && [ $rc -ne 4 ]; }; then
		comment <"$log"
		failed=$((failed + 1))
		say "not ok $n $name # ${why:-exit status $rc}"
	elif [ $rc -eq 4 ]; then
		skipped=$((skipped + 1))
		say "ok $n $name # SKIP $(sed -n 's/^.*SKIP *//p' "$log" | tail -n 1)"
	else
		results "$log"
		passed=$((passed + 1))
		say "ok $n $name"
	fi
	[ -z "${RLOOP_TIMES:-}" ] || say "# $((SECONDS - start)) s"
	if [ $rc -eq 255 ]; then
		say "Bail out! $name $why"
		break
	fi
done
rm -f "$log"
say "# $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
