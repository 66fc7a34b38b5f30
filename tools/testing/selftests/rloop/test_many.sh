#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Many devices at once, each with data of its own. (make scale: more of them, and what they take
# beside the C driver.)
# prev: none
# timeout: 120
. "${0%/*}/common.sh"

count=100
[ "${RLOOP_KERNEL:-}" != debug ] || count=30
filesystem tmpfs size=256m
"$HERE/thousand" $count "$MNT"
