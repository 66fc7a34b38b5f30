# SPDX-License-Identifier: GPL-2.0
"""make calls each script in scripts/, and each there and in scripts/lib/ answers --help"""
import glob
import os
import re
import subprocess

from .tree import read


def check():
    called = set(re.findall(r"\$\(S\)/([\w-]+)", read("Makefile"))) | {"profile"}
    for path in sorted(filter(os.path.isfile, glob.glob("scripts/*") + glob.glob("scripts/lib/*"))):
        if path.startswith("scripts/lib/") and not os.access(path, os.X_OK):
            continue  # a part of another script
        if not path.startswith("scripts/lib/") and os.path.basename(path) not in called:
            yield f"{path}: make does not call it: it belongs in scripts/lib/"
        for option in "--help", "-h":
            help = subprocess.run([path, option], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=30)
            if help.returncode or not help.stdout:
                yield f"{path}: does not answer {option}"
