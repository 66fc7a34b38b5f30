# SPDX-License-Identifier: GPL-2.0
"""no two files of the driver, or of rust/, import each other"""
import glob
import re

from .tree import DRIVER, read


def uses(text):
    """The paths that a file's `use` declarations name."""
    def expand(tree, prefix):
        depth, item, items = 0, "", []
        for c in tree:
            depth += (c == "{") - (c == "}")
            if c == "," and depth == 0:
                items.append(item)
                item = ""
            else:
                item += c
        for item in filter(None, map(str.strip, items + [item])):
            head, brace, rest = item.partition("{")
            if brace:
                yield from expand(rest.rstrip("} "), prefix + head)
            else:
                yield prefix + item
    for decl in re.findall(r"^\s*(?:pub(?:\([^)]*\))? )?use ([^;]+);", re.sub(r"//[^\n]*", "", text), re.M):
        yield from expand(" ".join(decl.split()), "")


def modules(top, root):
    """The files of a crate, by the paths of their modules."""
    files = {}
    for path in glob.glob(f"{top}/**/*.rs", recursive=True):
        name = path[len(top) + 1:-3].replace("/", "::")
        files["crate" if name == root else f"crate::{name}"] = path
    return files


def check():
    """The modules of a crate are files; what a file imports from a module makes an edge."""
    for top, root in (DRIVER, "rloop_main"), ("rust", "lib"):
        yield from circles_of(modules(top, root))


def circles_of(files):
    edges = {}
    for module, path in files.items():
        for use in uses(read(path)):
            if use == "super::*":  # of a module of tests
                continue
            if use.startswith("self::"):
                use = module + use[4:]
            elif use.startswith("super::"):
                use = module.rpartition("::")[0] + use[5:]
            elif not use.startswith("crate::") and f"{module}::{use.split('::')[0]}" in files:
                use = f"{module}::{use}"
            while use and use not in files:
                use = use.rpartition("::")[0]
            # `crate` itself has the macros.
            if use and use not in (module, "crate"):
                edges.setdefault(module, set()).add(use)

    def below(module, seen):
        for m in edges.get(module, ()):
            if m not in seen:
                seen.add(m)
                below(m, seen)
        return seen
    for module in sorted(edges):
        for other in sorted(edges[module]):
            if module < other and module in below(other, set()):
                yield f"{files[module]} and {files[other]} import each other"
