# SPDX-License-Identifier: GPL-2.0
"""What the checks share: the files of the tree, and their text."""
import functools
import os
import re

DRIVER = "drivers/block/rloop"


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def line_of(text, match):
    return text.count("\n", 0, match.start()) + 1


def blank(text):
    return re.sub(r"[^\n]", " ", text)


@functools.cache
def tree():
    """The files that belong to the tree, without what is built."""
    files = []
    for top, dirs, here in os.walk("."):
        dirs[:] = [d for d in dirs if d not in (".git", "__pycache__") and not (top == "." and d == "build")]
        files += [f"{top}/{name}"[2:] for name in here]
    return files


@functools.cache
def written():
    """The documents."""
    return [p for p in tree() if p == "README.md" or p.startswith("Documentation/") and not p.endswith(".svg")]


@functools.cache
def sources():
    """What has comments: Rust and C, scripts and makefiles."""
    return [p for p in tree() if re.match(r"(rust|drivers|include|tools|scripts|packaging|debian)/|Makefile$|Kbuild$", p) and
            not p.endswith((".ko", ".o", ".config", "testing/guards", "/differences", "/pin.operations"))]


def is_code(path):
    return path.endswith((".rs", ".c", ".h"))


def prose(path, code=False):
    """A file without what leads its comments, and without its code, with all lines where they were."""
    text = read(path)
    if path in written():
        return text
    if not code:
        comments = r"//[^\n]*|/\*.*?\*/" if is_code(path) else r"(?<!\S)#[^\n]*"
        if path.endswith(".litmus"):
            comments = r"\(\*.*?\*\)"
        parts = re.split(f"({comments})", text, flags=re.S)
        text = "".join(part if i % 2 else blank(part) for i, part in enumerate(parts))
    return re.sub(r"^[ \t]*(//[/!]?|/?\*+(?!/)|#)", lambda m: blank(m[0]), text, flags=re.M)
