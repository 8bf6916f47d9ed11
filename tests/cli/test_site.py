#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation site and the man pages build without a warning, and a broken link is one. Needs Sphinx
(Debian: python3-sphinx, python3-myst-parser)."""
import os
import shutil
import subprocess
import sys
import tempfile

from harness import PROGRAM, SOURCE, expect, finish, run


def build(top, out, *more):
    words = [sys.executable, os.path.join(top, "docs", "site", "build"), out, *more]
    return subprocess.run(words, capture_output=True, text=True, timeout=300)


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


with tempfile.TemporaryDirectory() as folder:
    copy = os.path.join(folder, "copy")
    os.makedirs(copy)
    for name in ("docs", "postprocess"):
        shutil.copytree(os.path.join(SOURCE, name), os.path.join(copy, name), ignore=shutil.ignore_patterns("*.min.js"))
    for name in ("CMakeLists.txt", "CONTRIBUTING.md", "CHANGELOG.md"):
        shutil.copy(os.path.join(SOURCE, name), copy)
    done = build(copy, os.path.join(folder, "out"))
    expect("the site builds", done.returncode == 0, done.stdout + done.stderr)
    pages = os.listdir(os.path.join(folder, "out", "html"))
    for name in os.listdir(os.path.join(SOURCE, "docs")):
        if name.endswith(".md"):
            expect("a page of " + name, name.replace(".md", ".html") in pages, pages)
    told = run(["--help"]).stdout
    expect("the program says what it can", "stzkmc run INPUT.cfg" in told)
    manual = read(folder, "out", "man", "stz-post.1")
    expect("the manual of stz-post", all(word in manual for word in ("synth", "figure", "movie")), manual[:300])
    with open(os.path.join(copy, "docs", "nbed.md"), "a", encoding="utf-8") as page:
        page.write("\nSee [what is not there](nowhere.md).\n")
    done = build(copy, os.path.join(folder, "out"))
    expect("a broken link stops it", done.returncode != 0 and "nowhere" in done.stderr, done.stderr)
finish()
