# SPDX-License-Identifier: GPL-2.0
"""the table of pinned files in the admin guide is that of
tools/testing/selftests/rloop/pin.operations"""
from .tables import generated, table
from .tree import read


def check():
    """Operations that follow each other with the same answers share a row."""
    source = "tools/testing/selftests/rloop/pin.operations"
    rows = [("operation on the file", "ext4", "xfs", "btrfs")]
    for line in read(source).rstrip("\n").split("\n"):
        if line.startswith("#"):
            continue
        name, *answers = line.split("\t")
        answers = tuple({"0": "works", "-": "--"}.get(a, a) for a in answers)
        if answers == rows[-1][1:]:
            rows[-1] = (f"{rows[-1][0]}; {name}",) + answers
        else:
            rows.append((name,) + answers)
    yield from generated("Documentation/admin-guide/rloop.rst", "operations", source, table(rows, (52, 10, 10, 10)))
