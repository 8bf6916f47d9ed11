#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The references of input and output are the program's own, the tables of the study of shear bands are those of its record,
and the README's example prints what it says. The pages are carried out by test_pages.py."""
import itertools
import os
import re
import subprocess
import tempfile

from harness import SOURCE, expect, finish, run


def page(name):
    with open(os.path.join(SOURCE, "docs", name), encoding="utf-8") as file:
        return file.read()


def same(what, page, printed):
    lines = itertools.zip_longest(page.splitlines(), printed.splitlines(), fillvalue="(the end)")
    first = next(((n, *two) for n, two in enumerate(lines, 1) if two[0] != two[1]), None)
    expect(what, page == printed, first and "line {}\n  of the page:    {}\n  of the program: {}".format(*first))


same("docs/input.md is what check --reference prints", page("input.md"), run(["check", "--reference"]).stdout)


def part(name, command):
    """What a page says that the command prints."""
    begin, end = f"<!-- printed by: {command} -->\n", "\n<!-- end of what is printed -->\n"
    return page(name).partition(begin)[2].partition(end)[0]


printed = run(["check", "--output-reference"]).stdout
same("docs/output.md has what check --output-reference prints", part("output.md", "stzkmc check --output-reference"), printed)
command = ["bands", "--markdown", "-o", "docs"]
done = subprocess.run([os.path.join(SOURCE, "postprocess", "stz-post"), *command], cwd=SOURCE, capture_output=True, text=True)
same("docs/bands.md has what stz-post bands --markdown prints", part("bands.md", " ".join(["stz-post", *command])), done.stdout)


def check_example():
    """README.md: lines of `info`, then that of its script."""
    text = page(os.path.join("..", "README.md"))
    script, shown = re.search(r"^```python\n(.*?)^```\n.*?^```text\n(.*?)^```\n", text, re.M | re.S).groups()
    with tempfile.TemporaryDirectory() as folder:
        done = run(["run", os.path.join(SOURCE, "inputs", "smoke.cfg"), "-o", "smoke.h5", "-q"], cwd=folder)
        expect("the README's run", done.returncode == 0, done.stderr)
        printed = run(["info", "smoke.h5"], cwd=folder).stdout.splitlines()
        printed += subprocess.run(["/usr/bin/python3", "-c", script], cwd=folder, capture_output=True, text=True).stdout.splitlines()
    lines = shown.splitlines()
    expect("the README's excerpt", lines == [line for line in printed if line in lines] and lines[-1] == printed[-1], printed)


check_example()
finish()
