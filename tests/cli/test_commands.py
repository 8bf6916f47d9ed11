#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command line in a block of the documents is one that some test runs, listed below. Those of `stz-post` are parsed
here, also where test_pages.py, which runs the pages as a reader would, leaves them out."""
import glob
import os
import re
import shlex
import sys

from harness import SOURCE, expect, finish

sys.path.insert(0, os.path.join(SOURCE, "postprocess"))
from stzpost.cli import main as cli  # noqa: E402  (from the source tree)
from stzpost.errors import StzPostError  # noqa: E402

DOCUMENTS = ["README.md", "CONTRIBUTING.md"] + sorted(
    os.path.relpath(path, SOURCE) for path in glob.glob(os.path.join(SOURCE, "docs", "*.md")))
# First words (with the second where it matters) of commands that are not ours to run here.
ELSEWHERE = {
    "stzkmc run": "test_pages.py", "stzkmc check": "test_pages.py", "mpirun": "test_pages.py", "stzkmc sweep": "test_pages.py",
    "stzkmc kernel": "test_kernel.py and test_pages.py", "stzkmc nbed": "test_pages.py", "stzkmc info": "test_pages.py",
    "run/demo": "run by hand and by the demo's own check", "run/test": "this run", "run/setup": "run/test",
    "cpack": "the test `packaged`", "cmake": "run/test, and the test `installed`", "ctest": "run/test", "export": "sets a variable",
    "tests/mutants/check": "the tests mutants_quick and mutants_all", "docs/site/build": "test_site.py",
    "cc": "the test `installed`", "pip": "test_tutorial.py",
    "run/experiment": "run/experiment --quick, by hand", "run/calibrate": "by hand", "run/bands": "by hand",
}
WORD = re.compile(r"^(stz-post|stzkmc|mpirun|cmake|ctest|export|pip|cpack|xvfb-run|cc|postprocess/|run/|build/|tests/|docs/)\S*$")


def lines(name):
    """Command lines of the fenced and the indented blocks of a document."""
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        text = file.read()
    fenced = [body for kind, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S) if kind in ("", "sh", "bash")]
    indented = re.findall(r"(?:^    .*\n)+", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    for line in (line for block in fenced + indented for line in block.splitlines()):
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        if words and WORD.match(words[0]) and not re.search(r"[→|…]|\.\.\.|\[--", line.split(" #")[0]) and not synopsis(words):
            yield words


def synopsis(words):
    return any(re.fullmatch(r"[A-Z]{3,}(\.\w+)?", word) for word in words[1:])


def plain(words):
    """The command without mpirun, xvfb-run and the folder of the program."""
    while words[0] in ("mpirun", "xvfb-run"):
        words = words[1:]
        while words[0].startswith("-"):
            words = words[2 if words[0] in ("-n", "--bind-to") else 1:]
    return [os.path.basename(words[0]) if os.path.basename(words[0]) in ("stzkmc", "stz-post") else words[0], *words[1:]]


def parsed(words):
    try:
        cli.parser().parse_args(words)
    except StzPostError as error:
        return str(error)
    return ""


done_already = set()
for name in DOCUMENTS:
    for original in lines(name):
        words = plain(original)
        key = " ".join(words)
        if key in done_already:
            continue
        done_already.add(key)
        head = words[0] if words[0] != "stzkmc" else " ".join(words[:2])
        if head == "stz-post":
            wrong = parsed(words[1:])
            expect(f"{name}: {key}", not wrong, wrong)
        else:
            expect(f"{name}: somebody runs `{key}`", head in ELSEWHERE, head)
ours = [key for key in done_already if key.startswith("stz-post")]
expect("commands are found", len(ours) >= 15, ours)
finish()
