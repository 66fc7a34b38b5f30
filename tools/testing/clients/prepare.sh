#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the machine's tree, before it boots: the images that its fstab names.
set -e
mkdir -p /srv/data /mnt/ext4 /mnt/squashfs
head -c 300000 /dev/urandom >/srv/data/a
(cd /srv/data && sha256sum a >SHA256SUMS)
truncate -s 16M /srv/fstab.img
mkfs.ext4 -q -d /srv/data /srv/fstab.img
mksquashfs /srv/data /srv/fstab.squashfs -quiet -no-progress
