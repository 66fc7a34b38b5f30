# SPDX-License-Identifier: GPL-2.0
"""what the text must not claim, as it is not so"""
import glob
import os
import re

from .numbers import NUMBER
from .tree import DRIVER, line_of, prose, read, sources, written


# What documents and comments said and must not say again: files, a regex, and why it is not so.
CLAIMS = [
    (r"Documentation/.*|README.md", r"What can't fail:(?:(?!\n\d\.).)*(?:GFP|limits|sysfs|memory)",
     "these steps of configure() return errors"),
    (r"Documentation/.*|README.md|rust/.*", r"(?<!Most\s)(?:helpers|shims) (?:\S+ ){0,3}decides? nothing(?!, with)",
     "those at the head of rust/helpers/helpers.h decide something"),
    (r"Documentation/.*|README.md|rust/.*", r"(?:each|every|any) file (?:\S+ )?(?:can|could|may|might) be (?:proposed|sent|submitted)",
     "rust/lib.rs has the list of those whose API is another"),
    (r"Documentation/.*|README.md|drivers/.*", rf"{NUMBER} (?:spare )?(?:workers?|slots?|cgroup slots|worker threads)\b(?! per| or)",
     "only io/workers.rs has the numbers of workers and slots"),
]


def check():
    for path in written() + sources():
        for files, regex, why in CLAIMS:
            if re.fullmatch(files, path):
                text = prose(path)
                for m in re.finditer(regex.replace(" ", r"\s+"), text, re.S | re.I):
                    yield f"{path}:{line_of(text, m)}: '{' '.join(m[0].split())}': {why}"
    listed = read("rust/helpers/helpers.h").partition("*/\n#")[0]
    for path in glob.glob("rust/helpers/*.c"):
        for m in re.finditer(r"\* Decides (?:(?!\*/).)*\*/\n[^(\n]*?(\w+)\(", read(path), re.S):
            if not re.search(rf"- {os.path.basename(path)}: (?:(?! - ).)*\b{m[1]}\(\)", listed, re.S):
                yield f"rust/helpers/helpers.h: {m[1]}() in {path} decides something and is not in the list"
    path = f"{DRIVER}/config/configure.rs"
    begin, _, rest = read(path).partition("    // Nothing fails from here on.\n")
    if not rest:
        yield f"{path}: no comment says from where on nothing fails"
    for line in rest.partition("\n}\n")[0].split("\n"):
        if re.search(r"\?[;.)]|return Err", line.partition("//")[0]):
            yield f"{path}: '{line.strip()}' after the comment that nothing fails"
    statements = re.split(r"\n    (?=\w)", begin.rpartition(" fn configure(")[2])
    can_fail = {name for s in statements if "?" in s for name in re.findall(r"\w+(?=\()", s)}
    step = re.search(r"What can't fail:(.*?)\n\d\.", read("Documentation/tour.rst"), re.S)
    for name in re.findall(r"``[\w:]*?(\w+)``", step[1]) if step else ():
        if name in can_fail:
            yield f"Documentation/tour.rst: {name} can fail in configure()"
