# SPDX-License-Identifier: GPL-2.0
"""each sed expression in tools/testing/guards changes its file, and the table in
Documentation/tour.rst is that of tools/testing/guards"""
import re
import subprocess

from .tables import generated, table
from .tree import DRIVER, read


def check():
    source = "tools/testing/guards"
    rows, what = [], ""
    for line in read(source).rstrip("\n").split("\n"):
        if line.startswith("# "):
            what = line[2:]
            continue
        name, path, how, tier, tests = line.split("\t")
        text = read(path)
        if subprocess.run(["sed", how, path], check=True, stdout=subprocess.PIPE, text=True).stdout == text:
            yield f"guard {name}: nothing changes in {path}"
        for symbol in re.findall(r"``(\w+)(?:\(\))?``", what):
            if not re.search(rf"\b{symbol}\b", text):
                yield f"guard {name}: there is no {symbol} in {path}"
        if not what:
            yield f"guard {name}: no comment before it says what it does"
        path = path.removeprefix(f"{DRIVER}/").removeprefix("rust/helpers/")
        rows.append((name, what, f"``{path}``", tests.replace(" ", ", ") + ", debug" * (tier == "debug")))
        what = ""
    heads = ("guard", "what it does", "where", "tests")
    widths = [max(len(r[0]) for r in rows), 34, max(len(r[2]) for r in rows), 24]
    yield from generated("Documentation/tour.rst", "guards", source, table([heads] + rows, widths))
