# SPDX-License-Identifier: GPL-2.0
"""code that differs by kernel series is marked, and listed in contributing.rst"""
import glob
import re

from .tree import read


def check():
    marked = {p for top in ("rust", "drivers", "include") for p in glob.glob(f"{top}/**/*.*", recursive=True)
              if re.search(r"^\W*Series: ", read(p), re.M)}
    listed = set(re.findall(r"^``((?:rust|drivers|include)/[^`]*)``  ", read("Documentation/contributing.rst"), re.M))
    for path in sorted(marked - listed):
        yield f"{path} differs by series, and is not in Documentation/contributing.rst"
    for path in sorted(listed - marked):
        yield f"{path} is in Documentation/contributing.rst, but has no comment 'Series:'"
