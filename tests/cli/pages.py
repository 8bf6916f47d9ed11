# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of the documentation as scripts: every block of a page that a reader would type or save, in its order.

A fenced block of `sh` is typed in the reader's folder, one of `python` is run there. A block of another kind is saved when the
line before it ends in "as `NAME`:". A comment on the line before says where else a block belongs:

    <!-- in the source -->        typed in the folder of the sources: installing and building
    <!-- not here: REASON -->     typed elsewhere or when there is time: a cluster, hours
"""
import os
import re
import shlex

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
SKIPPED = re.compile(r"<!-- (in the source|not here: [^>]+) -->\n\Z")
SAVED = re.compile(r"as `([^`]+)`:\n\n?\Z")
HEAD = "set -eu\n"


def blocks(text):
    """Of each block: its language, its text, and what is written before it."""
    for match in FENCE.finditer(text):
        yield match.group(1), match.group(2), text[: match.start()]


def script(path, source=None):
    """The page as a script of bash that stops at the first failure; `source`: also what is typed in that folder."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    lines = [HEAD]
    for language, body, before in blocks(text):
        mark, name = SKIPPED.search(before), SAVED.search(before)
        if mark and (mark.group(1) != "in the source" or not source):
            continue
        if mark:
            typed = f"READER=$PWD; cd {shlex.quote(source)}\n{body}if [ \"$PWD\" = {shlex.quote(source)} ]; then cd \"$READER\"; fi\n"
        elif name:
            typed = f"cat >{shlex.quote(name.group(1))} <<'END OF BLOCK'\n{body}END OF BLOCK\n"
        elif language == "sh":
            typed = body
        elif language == "python":
            typed = f"/usr/bin/python3 - <<'END OF BLOCK'\n{body}END OF BLOCK\n"
        else:
            continue
        line = before.count("\n") + 2
        lines.append(f"echo '== {os.path.basename(path)}:{line}' >&2\n{typed}")
    return "".join(lines)


def untagged(path):
    """First lines of blocks that look like commands and are not tagged `sh`: nobody would run them."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found = [body for language, body, _ in blocks(text) if language == ""]
    found += re.findall(r"(?:^    \S.*\n)+", FENCE.sub("", text), re.M)
    typed = re.compile(r"^ *(stzkmc|stz-post|postprocess/|run/|mpirun|cmake|sbatch|cp|cd|mkdir|pip|python3) ?", re.M)
    synopsis = re.compile(r" [A-Z]{3,}\b")  # a word in capitals stands for another
    return [body.splitlines()[0] for body in found if typed.match(body) and not synopsis.search(body.splitlines()[0])]
