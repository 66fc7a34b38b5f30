# SPDX-License-Identifier: GPL-2.0
"""a number that a document or a comment quotes is that of the code, which has it once"""
import os
import re

from .tree import is_code, line_of, prose, read, sources, written


# Numbers that documents and comments quote: a phrase, in which # is a number in digits or words, and
# for each # the constants of the code of which it must be one. Spaces match line ends, too.
QUOTES = [
    ("# (?:bvecs|fit into)", "INLINE_BVECS"),
    # Parameters and device numbers.
    (r"``max_loop`` \(0 to # less with ``max_part``, default #\)", "1 << MINOR_BITS", "CONFIG_BLK_DEV_RLOOP_MIN_COUNT"),
    (r"EINVAL from # on", "1 << MINOR_BITS"),
    (r"``max_part`` \(0 to #, default #\)", "MAX_PARTITIONS", "MAX_PART"),
    (r"At least 1, at most #", "MAX_PARTITIONS + 1"),
    (r"scanned for always\. Default: #", "MAX_PART"),
    (r"``hw_queue_depth`` \(# to #, default #\)", "DEPTH_MIN", "DEPTH_MAX", "DEPTH"),
    (r"in flight per device\. Default: #", "DEPTH"),
    (r"above #: EINVAL", "DEPTH_MAX"),
    (r"``poll_queues`` \(0 to #, default #\)", "POLL_QUEUES_MAX", "POLL_QUEUES"),
    (r"as by io_uring\. Default: #", "POLL_QUEUES"),
    (r"(?:up to # letters|stores # bytes|more than # bytes)", "NAME_MAX"),
    (r"block[ -]major[ -]#", "LOOP_MAJOR"),
    (r"(?:\(10:#\)|char-major-10-#)", "CONTROL_MINOR"),
    # Requests.
    (r"buffered writes of up to # KiB", "MAX_NOWAIT_COPY >> 10"),
    (r"# and no limit: 1 MiB", "SEGMENTS"),
    (r"(?:more than #|# requests), or # KiB in the first", "KX_PLUG_IOS", "KX_PLUG_BYTES >> 10"),
    (r"# KiB on x86-64 and arm64, which the deepest", "KX_STACK_ROOM >> 10"),
    (r"# KiB on x86-64 and arm64\) must hold", "KX_END_ROOM >> 10"),
    # Tests.
    (r"# tasks submit batches of up to # requests", "PLUG_TASKS", "PLUG_BATCH"),
    (r"switched to for # s", "PLUG_STUCK"),
    (r"in state D for # s", "PLUG_STUCK"),
    (r"tries one in # or #", "FAILSLAB_CALLS", "FAILSLAB_LOAD"),
    (r"# random walks", "WALKS"),
    (r"grown by more than # %", "COST_PERCENT"),
    (r"where it is # % more", "COST_PERCENT"),
    (r"(?:`SECONDS=` \(#\)|\[SECONDS=#)", "SECONDS"),
    (r"(?:`MINUTES=` \(#\)|(?:\[|\s\s)MINUTES=#)", "MINUTES"),
    (r"(?:`CUTS=` \(#\)|(?:\[|\s\s)CUTS=#)", "CUTS"),
    (r"in turns, # rounds", "ROUNDS"),
    (r"the core of it, # rounds", "QUICK_ROUNDS"),
    (r"repetitions \(#; with `QUICK=1` #\)", "ROUNDS", "QUICK_ROUNDS"),
    (r"how often each \(#\)", "GUARD_ROUNDS"),
    (r"default #G \(debug: #G\), # and 1", "MEM", "DEBUG_MEM", "SMP"),
]
NOT_QUOTED = "INLINE_BVECS"  # Of these no text has the number today.
# Where the code has those that are no constants of that name.
HOMES = {
    "MAX_PART": r"MAX_PART: IntParam = IntParam::new\(#\)",
    "DEPTH": r"HW_QUEUE_DEPTH: IntParam = IntParam::new\(#\)",
    "DEPTH_MIN": r'in_range\("hw_queue_depth", HW_QUEUE_DEPTH\.get\(\), #',
    "DEPTH_MAX": r'in_range\("hw_queue_depth", HW_QUEUE_DEPTH\.get\(\), \d+, #\)',
    "POLL_QUEUES": r"POLL_QUEUES: IntParam = IntParam::new\(#\)",
    "POLL_QUEUES_MAX": r'in_range\("poll_queues", POLL_QUEUES\.get\(\), 0, #\)',
    "NAME_MAX": r"\(1\.\.=#\)\.contains\(&name\.len\(\)\)",
    "SEGMENTS": r"RequestSize = RequestSize \{\s+sectors: \d+,\s+segments: #,",
    "PLUG_TASKS": r"enum \{ TARGETS = \d+, CHANGERS = \d+, SLOTS = # \};",
    "PLUG_BATCH": r"LONGEST = \d+, BATCH = #,",
    "PLUG_STUCK": r'"\$HERE/stuck" #',
    "FAILSLAB_CALLS": r'failslab" calls "\$\(step #\)"',
    "FAILSLAB_LOAD": r'failslab" load .*"\$\(step #\)"',
    "WALKS": r"for \(\(i = 1; i <= #; i\+\+\)\); do\n\t\ttests\+=\(\"fuzz",
    "COST_PERCENT": r"limit = 1\.0# \* float\(expected",
    "SECONDS": r'FUZZ_SECONDS="\$\(or \$\(SECONDS\),#\)"',
    "MINUTES": r"MINUTES=\$\{MINUTES:-#\}",
    "CUTS": r"CUTS=\$\{CUTS:-#\} RUNS=\S+ KERNEL",
    "ROUNDS": r"\|\| ROUNDS=#",
    "QUICK_ROUNDS": r"&& ROUNDS=#",
    "GUARD_ROUNDS": r"round < \$\{ROUNDS:-#\}",
    "MEM": r"\|\| MEM=#G",
    "DEBUG_MEM": r"&& MEM=#G",
    "SMP": r" SMP=\$\{SMP:-#\}",
}
FIXED = {"THREAD_SIZE": 16 << 10}  # of the kernel, on x86-64
WORDS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen " \
    "seventeen eighteen nineteen twenty".split() + ["thirty-two"]
NUMBER = rf"(?<![\w.,])(\d+(?:,\d{{3}})*|(?:{'|'.join(WORDS)})\b)"


def number(text):
    text = text.lower().replace(",", "")
    return int(text) if text.isdigit() else 32 if text == "thirty-two" else WORDS.index(text)


def check():
    texts = {p: read(p) for p in sources() if not os.path.samefile(p, __file__)}

    def value(name):
        """What the code has for a name, which it must have in one place."""
        if name in FIXED:
            return FIXED[name]
        if name in HOMES:
            home, code = HOMES[name].replace("#", r"(\d+)"), texts
        else:
            home = rf"\bconst {name}: [^=;]+= ([^;]+);|^#define {name}\s+(.+)$"
            code = {p: t for p, t in texts.items() if is_code(p) and not p.startswith("tools/")}
        found = [(p, next(filter(None, m.groups()))) for p, t in code.items() for m in re.finditer(home, t, re.M)]
        if len(found) != 1:
            raise LookupError(f"{name} is in {len(found)} places of the code, not in one: " +
                              " ".join(p for p, _ in found))
        return calculate(found[0][1])

    def calculate(formula):
        formula = re.sub(r"[A-Z]\w+", lambda m: str(value(m[0])), formula.replace(".len()", ""))
        return eval(formula.replace(" / ", " // "))  # of this tree alone

    texts_quoting = {p: prose(p, code=is_code(p) or p == "Makefile") for p in written() + list(texts)}
    for phrase, *constants in QUOTES:
        regex = re.compile(phrase.replace(" ", r"\s+").replace("#", NUMBER), re.I)
        try:
            values = [{v: calculate(v) for v in c.split("|")} for c in constants]
        except LookupError as e:
            yield f"{e} (which '{phrase}' quotes)"
            continue
        missing = phrase
        for path, text in texts_quoting.items():
            for m in regex.finditer(text):
                missing = ""
                for quoted, allowed in zip(filter(None, m.groups()), values):
                    if number(quoted) not in allowed.values():
                        yield f"{path}:{line_of(text, m)}: '{' '.join(m[0].split())}', but " + \
                            ", ".join(f"{n} is {v}" for n, v in allowed.items())
        if missing and constants[0] not in NOT_QUOTED:
            yield f"{os.path.relpath(__file__)}: no document and no comment has the phrase '{missing}'"
