#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The references of input and output are the program's own. The pages are carried out by test_pages.py."""
import itertools
import os

from harness import SOURCE, expect, finish, run


def page(name):
    with open(os.path.join(SOURCE, "docs", name), encoding="utf-8") as file:
        return file.read()


def same(what, page, printed):
    lines = itertools.zip_longest(page.splitlines(), printed.splitlines(), fillvalue="(the end)")
    first = next(((n, *two) for n, two in enumerate(lines, 1) if two[0] != two[1]), None)
    expect(what, page == printed, first and "line {}\n  of the page:    {}\n  of the program: {}".format(*first))


same("docs/input.md is what check --reference prints", page("input.md"), run(["check", "--reference"]).stdout)
begin, end = "<!-- printed by: stzkmc check --output-reference -->\n", "\n<!-- end of what is printed -->\n"
printed = page("output.md").partition(begin)[2].partition(end)[0]
same("docs/output.md has what check --output-reference prints", printed, run(["check", "--output-reference"]).stdout)
finish()
