# shellcheck shell=bash disable=SC2034,SC2154  # shares its variables with its users
# SPDX-License-Identifier: GPL-2.0
# How QEMU runs a machine: ACCEL is kvm where that really works, else tcg; ACCEL_WHY says why.

# A /dev/kvm that opens is not enough: some clouds show one that can run nothing.
ACCEL_ICOUNT=0
if [ -n "${ICOUNT:-}" ]; then
	ACCEL_ICOUNT=1 ACCEL=tcg ACCEL_WHY='TCG counting instructions (ICOUNT=1), one CPU'
elif foreign; then
	ACCEL=tcg ACCEL_WHY='TCG (another architecture)'
elif ! [ -r /dev/kvm ] || ! [ -w /dev/kvm ]; then
	ACCEL=tcg ACCEL_WHY='TCG (/dev/kvm is not there or not ours to open)'
elif ! grep -qwE 'vmx|svm' /proc/cpuinfo; then
	ACCEL=tcg ACCEL_WHY='TCG (there is a /dev/kvm, but this CPU shows neither vmx nor svm)'
elif ! echo quit | "$SCRIPTS/in-root" --root "$root" timeout 10 qemu-system-x86_64 -accel kvm -M none -nodefaults \
	-display none -monitor stdio >/dev/null 2>&1; then
	ACCEL=tcg ACCEL_WHY='TCG (KVM is there but cannot make a machine)'
else
	ACCEL=kvm ACCEL_WHY=KVM
fi
