#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A second insmod is refused, and the first goes on.
# prev: none
. "${0%/*}/common.sh"

own_module
load
backing tmpfs 4
attach "$IMG"
refused "File exists" insmod "$KO"
refused "File exists" insmod "$KO" name=loopr
pattern write "$LOOP" 0 65536 1 -d
pattern check "$IMG" 0 65536 1
