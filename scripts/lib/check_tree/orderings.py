# SPDX-License-Identifier: GPL-2.0
"""unsafe.rst has the atomic operations and barriers of each file, with their orderings; and each
litmus test, which has a result and one beside it in which the order is broken"""
import glob
import os
import re

from .tree import read

DOCUMENT, TESTS = "Documentation/unsafe.rst", "tools/testing/litmus"
ATOMIC = r"(\w+)\s*(?:\.\s*0\s*)?\.\s*(load|store|xchg|cmpxchg|add|fetch_\w+)" \
    r"\((?:[^;{}()]|\([^()]*\))*?\b(Relaxed|Acquire|Release|Full)\)"
ONCE = r"(\w+)\s*\.\s*((?:read|write)_once)(?=\()"
OTHER = r"\b(?:READ_ONCE|WRITE_ONCE|smp_\w+|barrier|this_cpu_\w+|(?:set|clear)_bit|synchronize_s?rcu\w*|" \
    r"rcu_read_lock|rcu::read_lock|(?:read|write)_volatile)(?=\()"


def operations(path):
    """Those of a file, as `field.xchg(Full)`, without the field if it has no name."""
    code = re.sub(r"//[^\n]*|/\*.*?\*/", "", read(path), flags=re.S)
    found = re.findall(ATOMIC, code)
    for field, name, ordering in found:
        field = "" if field in ("self", "0") else field + "."
        yield f"{field}{name}({ordering})"
    if len(found) != len(re.findall(r"\b(?:Relaxed|Acquire|Release|Full)\)", code)):
        yield "an operation that this check can't read"
    for field, name in re.findall(ONCE, code):
        yield f"{'' if field == '0' else field + '.'}{name}()"
    for name in re.findall(OTHER, code):
        yield f"{name}()"


def check():
    section = re.search(r"\nOrderings\n=+\n(.*?)\n(?=[^\n]+\n=+\n)", read(DOCUMENT), re.S)[1]
    lines = dict(re.findall(r"^\* ``((?:rust|drivers)/\S+)``: (.*(?:\n(?:  .*)?)*)", section, re.M))
    files = [p for top in ("rust", "drivers") for p in glob.glob(f"{top}/**/*.*", recursive=True) if
             p.endswith((".rs", ".c", ".h"))]
    for path in sorted(set(files) | set(lines)):
        there = set(operations(path)) if path in files else set()
        named = set(re.findall(r"``([\w.:]+\(\w*\))``", lines.get(path, "")))
        for name in sorted(there - named):
            yield f"{DOCUMENT}: {path}: the section Orderings does not have {name}"
        for name in sorted(named - there):
            yield f"{DOCUMENT}: {path}: {name} of the section Orderings is not there"
    tests = {os.path.basename(p)[:-len(".litmus")]: p for p in glob.glob(f"{TESTS}/*.litmus")}
    for name, path in sorted(tests.items()):
        right = name.removesuffix("-broken")
        result = "Never" if name == right else "Sometimes(?: DATARACE)?"
        if not re.match(rf"C {name}\n\n\(\*\n \* Result: {result}\n", read(path)):
            yield f"{path}: does not begin with its name and the result {result}"
        if right not in tests or right + "-broken" not in tests:
            yield f"{path}: the one with or without the order is not there"
        if f"``{right}.litmus``" not in section:
            yield f"{DOCUMENT}: the section Orderings does not have {right}.litmus"
    for name in set(re.findall(r"``([\w-]+)\.litmus``", section)) - set(tests):
        yield f"{DOCUMENT}: there is no {TESTS}/{name}.litmus"
