# SPDX-License-Identifier: GPL-2.0
"""unsafe.rst has every public item of rust/ in the section of its file, and no other item"""
import glob
import re

from .tree import read


def public_items(path):
    """The items of a file that other crates can use: `name`, or `Type::name` in an impl or trait."""
    outer, is_trait, macro = None, False, False
    for line in read(path).split("\n"):
        if line == "}":
            outer, is_trait = None, False
        elif m := re.match(r"impl(?:<.*?>)? (\w+)(?:<.*>)? \{$", line):
            outer = m[1]
        elif m := re.match(r"pub (?:unsafe )?trait (\w+)", line):
            yield m[1]
            outer, is_trait = m[1], True
        elif m := re.match(r"macro_rules! (\w+)", line):
            if macro:
                yield m[1] + "!"
        elif m := re.match(r"( {4})?(pub )?(?:const |unsafe )*(?:fn|struct|enum|type|static|const) (\w+)", line):
            if m[2] or (m[1] and is_trait):
                yield f"{outer}::{m[3]}" if m[1] else m[3]
        macro = line == "#[macro_export]"


def check():
    """A line for items is `* ``name``, ``Type::{name, other}``: why it is sound`."""
    text, named = read("Documentation/unsafe.rst"), {}
    for path, section in re.findall(r"^``(rust/\S+\.rs)``.*\n=+\n((?:.*\n(?!=+\n))*)", text, re.M):
        for names in re.findall(r"^\* ((?:``[^`]+``,?\s+)*``[^`]+``):", section, re.M):
            for name in re.findall(r"``([^`]+)``", names):
                outer, brace, inner = name.partition("{")
                some = re.split(r",\s*", inner.rstrip("}")) if brace else [""]
                named.setdefault(path, []).extend(outer + one for one in some)
    for path in sorted(set(named) | set(glob.glob("rust/**/*.rs", recursive=True))):
        items, lines = list(public_items(path)), named.get(path, [])
        for item in items:
            if item not in lines:
                yield f"Documentation/unsafe.rst: {path}: {item} has no line"
        for item in lines:
            if item not in items or lines.count(item) > 1:
                yield f"Documentation/unsafe.rst: {path}: {item} is no public item, or has two lines"
