#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The ioctls of 32-bit programs: some of the tests, built for them. compare.sh runs all.
# variants: status bad_status permission control overflow
# uml: none
# stock: all
# prev: permission
. "${0%/*}/common.sh"

# (-l lists what the program tests; 126: the kernel does not know its format.)
rc=0
"$HERE/32/test_$1" -l >/dev/null 2>&1 || rc=$?
[ $rc -ne 126 ] || skip "no 32-bit programs in this kernel"
"$HERE/32/test_$1"
