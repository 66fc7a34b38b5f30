#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the kernel answers to each operation on a pinned file, as pin.operations has it, of which the
# table in the admin guide is made; and that the pin is what refuses it. Prints the answers.
# variants: ext4 xfs btrfs
# stock: all
# prev: all
. "${0%/*}/common.sh"
. "$HERE/pin.sh"

need_fs "$1"
disk 512
case $1 in
ext4) mkfs.ext4 -q -F -b "$BLOCK" -E nodiscard,lazy_itable_init=0 "$DISK" ;;
xfs) mkfs.xfs -q -K -f -b size="$BLOCK" -i exchange=1 "$DISK" ;;
btrfs) mkfs.btrfs -q -K -f -s "$BLOCK" "$DISK" ;;
esac
mounted "$DISK" "$T/mnt"
case $1 in
ext4) column=2 ;;
xfs) column=3 ;;
btrfs) column=4 ;;
esac

# An ordinary device has the first file, a pinned one the second.
if [ "$1" = btrfs ]; then
	btrfs subvolume create "$MNT/ordinary" >/dev/null
else
	mkdir "$MNT/ordinary"
fi
for IMG in "$MNT/ordinary/img" "$MNT/img"; do
	written "$IMG" 1
	attach "$IMG"
	[ "$IMG" = "$MNT/ordinary/img" ] || pin
done
pattern write "$LOOP" 0 $MIB 2 -d
"$HERE/fileop" "$1" "$MNT/ordinary/img" >"$T/ordinary"
"$HERE/fileop" "$1" "$IMG" >"$T/pinned"
pattern check "$LOOP" 0 $MIB 2 -d
pattern check "$IMG" 0 $MIB 2
in_effect
detach "$LOOP"
pattern check "$IMG" 0 $MIB 2
free "$IMG"
rm "$IMG"

cat "$T/pinned"
grep -v '^#' "$HERE/pin.operations" | cut -f "1,$column" >"$T/want"
diff "$T/want" "$T/pinned" || fail "answers that pin.operations does not have"
# What is refused is refused because of the pin: an ordinary file gives another answer.
join -t $'\t' <(sort "$T/pinned") <(sort "$T/ordinary") | awk -F '\t' '
	$2 == $3 && $2 !~ /^(0|-|EOPNOTSUPP)$/ && $1 !~ /^(umount of|remount)/ { print; bad = 1 }
	END { exit bad }' || fail "answers that have nothing to do with the pin"
