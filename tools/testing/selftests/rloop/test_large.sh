#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A request is as large as the C driver's, whatever the disk below takes at once. One that is
# split on its way down is not tried without waiting.
# variants: ext4 block
# stock: all
# prev: block
. "${0%/*}/common.sh"

# Two pages: a disk takes a page at least.
page=$(($(getconf PAGESIZE) / 1024))
backing "$1" 8 max_sectors=$((page * 4))
[ "$1" = block ] || pattern write "$IMG" 0 8388608 1 -s
attach --direct-io=on "$IMG"
is "the disk below" $((page * 2)) "$(<"/sys/block/${DISK#/dev/}/queue/max_sectors_kb")"
is "the device" 1280 "$(<"$SYS/queue/max_sectors_kb")"
[ "$DRIVER" != rloop ] || before=$(counter write_direct)
pattern write "$LOOP" 0 4194304 2 -d -b 65536
pattern check "$LOOP" 0 4194304 2 -d -b 65536
if [ "$DRIVER" = rloop ]; then
	is "writes of 64 KiB" 64 $(($(counter write_direct) - before))
	unused inline_refused
	used worker_too_long
	# What is within the limit is served at once.
	pattern check "$LOOP" 0 65536 2 -d -b 4096
	used "$([ "$1" = block ] && echo remapped || echo inline)"
	# Nor is one while what it was split from waits: an allocation below could wait for that.
	# (It would stay a limit of the device, whatever is attached to it: 0 is none.)
	defer eval "echo 0 >$SYS/queue/max_sectors_kb"
	echo $page >"$SYS/queue/max_sectors_kb"
	before=$(($(counter remapped) + $(counter inline)))
	pattern check "$LOOP" 0 1048576 2 -d -b 65536
	n=$(($(counter remapped) + $(counter inline) - before))
	[ $n -le 16 ] || fail "$n of $((1024 / page)) pieces of 16 reads were served at once"
	used worker_bio_list
fi
detach "$LOOP"
pattern check "$IMG" 0 4194304 2
