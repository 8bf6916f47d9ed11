#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The references of input and output are the program's own. The pages are carried out by test_pages.py."""
import os

from harness import SOURCE, expect, finish, run


def page(name):
    with open(os.path.join(SOURCE, "docs", name), encoding="utf-8") as file:
        return file.read()


expect("docs/input.md is what check --reference prints", run(["check", "--reference"]).stdout == page("input.md"))
begin, end = "<!-- printed by: stzkmc check --output-reference -->\n", "\n<!-- end of what is printed -->\n"
printed = page("output.md").partition(begin)[2].partition(end)[0]
expect("docs/output.md has what check --output-reference prints", run(["check", "--output-reference"]).stdout == printed)
finish()
