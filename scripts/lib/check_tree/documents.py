# SPDX-License-Identifier: GPL-2.0
"""every file that a document or a comment names, and every function that it cites as
`file: function()`, is there or in the kernel's source"""
import os
import re
import sys

from .tree import line_of, prose, read, sources, tree, written


def check():
    kernel = sys.argv[-1]
    named = {}
    for path in tree():
        parts = path.split("/")
        for i in range(len(parts)):
            named.setdefault("/".join(parts[i:]), []).append(path)

    def found(name):
        name = name.removeprefix("srctree/")
        below = ("", "include/", "include/uapi/", "arch/x86/include/uapi/", "tools/testing/selftests/")
        return named.get(name) or [p for p in (f"{kernel}/{d}{name}" for d in below) if os.path.exists(p)]

    for path in written() + sources():
        text = prose(path)
        document = path in written()
        for m in re.finditer(r"(?<![\w/.*-])(?:\w[\w-]*/)*\w[\w-]*\.(?:rs|sh|py|c|h)\b(?::\s+`*(\w+)\(\))?", text):
            name = m[0].partition(":")[0]
            if document and not re.search(r"`[^`\s]*$", text[max(m.start() - 80, 0):m.start()]):
                continue
            if name == "asm-offsets.h" or name.startswith("test_NAME"):
                continue
            if not found(name):
                yield f"{path}:{line_of(text, m)}: there is no {name}"
            elif m[1] and not any(re.search(rf"\b{m[1]}\b", read(p)) for p in found(name)):
                yield f"{path}:{line_of(text, m)}: there is no {m[1]}() in {name}"
