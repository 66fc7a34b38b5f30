# SPDX-License-Identifier: GPL-2.0
"""`use` with braces has one item per line, in the style of the kernel's guidelines"""
import glob
import re

from .tree import read


def check():
    for path in glob.glob("drivers/**/*.rs", recursive=True) + glob.glob("rust/**/*.rs", recursive=True):
        for nr, line in enumerate(read(path).split("\n"), 1):
            if re.match(r"\s*(pub(\([^)]*\))? )?use [^;]*\{[^}]*,", line):
                yield f"{path}:{nr}: {line.strip()}"
