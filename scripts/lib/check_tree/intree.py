# SPDX-License-Identifier: GPL-2.0
"""each file of the driver, its abstractions and its tests is in one patch of packaging/intree/series"""
import fnmatch
import glob
import os

from .tree import read, tree

# As scripts/intree has them.
LEFT_OUT = ("tools/testing/selftests/rloop/test_autoload.sh", "tools/testing/selftests/rloop/module/*")


def check():
    named = {}
    for patch in sorted(glob.glob("packaging/intree/series/*")):
        for line in read(patch).partition("\n---\n")[2].splitlines():
            if line.startswith("edit "):
                continue
            named[line] = patch
            if not os.path.exists(line) and not os.path.exists(f"packaging/intree/tree/{line}"):
                yield f"{patch}: there is no {line}"
    for path in sorted(tree()):
        if not path.startswith(("rust/", "drivers/", "include/", "tools/testing/selftests/rloop/")):
            continue
        if any(fnmatch.fnmatch(path, p) for p in LEFT_OUT):
            continue
        patches = [p for line, p in named.items() if path == line or line.endswith("/") and path.startswith(line)]
        if len(patches) != 1:
            yield f"{path}: is in {len(patches)} patches of packaging/intree/series, not in one"
