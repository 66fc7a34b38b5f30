#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Requests of every shape, direct and buffered: see io.c.
# variants: tmpfs ext4 xfs btrfs block
# stock: ext4 block
# prev: block
# timeout: 120
. "${0%/*}/common.sh"

backing "$1" 16
RLOOP_IMG=$IMG "$HERE/io" -V pinned
