# SPDX-License-Identifier: GPL-2.0
"""the document of the ABI has what drivers/block/rloop/stats.rs says of each counter"""
import re
import textwrap
import time

from .tables import generated
from .tree import DRIVER, read


def check():
    path, source = "Documentation/ABI/sysfs-block-rloop", f"{DRIVER}/stats.rs"
    dates = dict(re.findall(r"/rloop/(\w+)\nDate:\t\t(.*)", read(path)))
    lines = []
    for entry, name, text in re.findall(r'^ +(\w+ c"(\w+)")(?: "([^"\n]+)",$)?', read(source), re.M):
        if not text:
            yield f"{source}: no line '{entry} \"text\",'"
        if name.startswith("worker_"):
            text = "Requests that went to a worker: " + (text[0].lower() if text[1].islower() else text[0]) + text[1:]
        lines += [""] if lines else []
        lines += [f"What:\t\t/sys/block/loopX/rloop/{name}", f"Date:\t\t{dates.get(name, time.strftime('%B %Y'))}",
                  "Contact:\tThe rloop developers", "Description:"]
        lines += ["\t\t" + line for line in textwrap.wrap(f"(RO) {text}", 63, break_on_hyphens=False)]
    if not lines:
        yield f"{source}: there is no counter"
    yield from generated(path, "counters", source, lines)
