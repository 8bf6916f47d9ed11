#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The input reference is the program's own. The pages are carried out by test_pages.py."""
import os

from harness import SOURCE, expect, finish, run

with open(os.path.join(SOURCE, "docs", "input.md"), encoding="utf-8") as page:
    expect("docs/input.md is what check --reference prints", run(["check", "--reference"]).stdout == page.read())
finish()
