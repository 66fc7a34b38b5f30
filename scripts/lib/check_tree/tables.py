# SPDX-License-Identifier: GPL-2.0
"""What is made from a list and put between markers of a document."""
import sys
import textwrap

from .tree import read


def generated(path, what, source, lines):
    """Between its markers, the document has these lines."""
    begin, end = f".. begin {what} (made from {source})\n", f".. end {what}\n"
    text = read(path)
    if text.count(begin) != 1 or text.count(end) != 1:
        yield f"{path}: the lines '{begin[:-1]}' and '{end[:-1]}' are not there once each"
        return
    head, _, rest = text.partition(begin)
    new = head + begin + "\n" + "".join(f"{line}\n" for line in lines) + "\n" + end + rest.partition(end)[2]
    if new != text and sys.argv[1] == "--write":
        with open(path, "w", encoding="utf-8") as f:
            f.write(new)
    elif new != text:
        yield f"{path}: {what} differ from those in {source}: run {sys.argv[0]} --write {what}"


def table(rows, widths):
    """A table of reStructuredText; the first row is its head."""
    rule = " ".join("=" * w for w in widths)
    lines = [rule]
    for n, row in enumerate(rows):
        cells = [textwrap.wrap(c, w, break_on_hyphens=False) for c, w in zip(row, widths)]
        for i in range(max(map(len, cells))):
            lines.append(" ".join((c[i] if i < len(c) else "").ljust(w) for c, w in zip(cells, widths)).rstrip())
        if not n:
            lines.append(rule)
    return lines + [rule]
