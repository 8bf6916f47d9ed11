#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation site and the man pages build without a warning, and a broken link is one; every page can be shown
by a browser, on a desk and on a phone. Needs python3-sphinx, python3-myst-parser, libjs-mathjax and chromium."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

from harness import SOURCE, expect, finish, run

sys.path.insert(0, os.path.join(SOURCE, "tests", "browser"))
from chrome import Chrome  # noqa: E402

TYPESET = "typeof MathJax === 'undefined' || new Promise((done) => MathJax.Hub.Queue(() => done(true)))"
# Text that a reader sees, without code, scripts and what MathJax has set.
UNSET = r"""(() => {
  const copy = document.querySelector("div.body").cloneNode(true);
  copy.querySelectorAll("pre, code, script, .MathJax_CHTML, .MJX_Assistive_MathML").forEach((one) => one.remove());
  return copy.textContent.split("\n").filter((line) => /\$|\\\(|\\\[|\\[a-z]+/.test(line)).slice(0, 3);
})()"""
# Words of tables that are broken in two, and where the page's title stands.
BROKEN = """(() => [...document.querySelectorAll("div.body td p, div.body th p")].filter((one) => {
  const text = document.createRange();
  text.selectNodeContents(one);
  const rows = new Set([...text.getClientRects()].map((box) => Math.round(box.top)));
  return /^\\w{2,12}$/.test(one.textContent) && rows.size > 1;
}).map((one) => one.textContent))()"""
TITLE_AT = "(document.querySelector('div.body h1') || document.body).getBoundingClientRect().top"
FAULTS = "[...document.querySelectorAll('.mjx-merror, .MathJax_Error')].map((one) => one.textContent)"


def show(html):
    """Opens every page at two widths."""
    pages = sorted(glob.glob(os.path.join(html, "**", "*.html"), recursive=True))
    with Chrome() as chrome:
        for path in pages:
            name = os.path.relpath(path, html)
            page = chrome.open("file://" + path, 1280)
            page.evaluate(TYPESET)
            for width in (1280, 400):
                page.resize(width)
                expect(f"{name} fits {width} px", page.overflow() <= 0, f"{page.overflow()} px too wide")
                broken, top = page.evaluate(BROKEN), page.evaluate(TITLE_AT)
                expect(f"{name}, {width} px: no word of a table is broken", not broken, broken)
                expect(f"{name}, {width} px: begins with its title", top < 300, top)
            if name == "theory.html":
                expect("equations are set", page.evaluate("document.querySelectorAll('.MathJax_CHTML').length") > 100)
            expect(f"{name}: no raw equation", not page.evaluate(UNSET), page.evaluate(UNSET))
            expect(f"{name}: no faulty equation", not page.evaluate(FAULTS), page.evaluate(FAULTS))
            expect(f"{name}: no error of the browser", not page.errors, page.errors)
            page.close()


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
    show(os.path.join(folder, "out", "html"))
    result, picture = os.path.join(folder, "chip.h5"), os.path.join(folder, "picture.png")
    small = ["--set", "lattice.cells=[16,16,16]", "--set", "nbed.foil_nm=9.0"]
    done = run(["run", os.path.join(SOURCE, "inputs", "onchip.cfg"), "-o", result, *small])
    expect("a run for the picture", done.returncode == 0, done.stderr)
    drawn = subprocess.run([sys.executable, os.path.join(SOURCE, "docs", "site", "picture"), result, picture],
                           capture_output=True, text=True)
    expect("the front page's picture can be drawn", drawn.returncode == 0 and os.path.exists(picture), drawn.stderr)
    told = run(["--help"]).stdout
    expect("the program says what it can", "stzkmc run INPUT.cfg" in told)
    manual = read(folder, "out", "man", "stz-post.1")
    expect("the manual of stz-post", all(word in manual for word in ("synth", "figure", "movie")), manual[:300])
    with open(os.path.join(copy, "docs", "nbed.md"), "a", encoding="utf-8") as page:
        page.write("\nSee [what is not there](nowhere.md).\n")
    done = build(copy, os.path.join(folder, "out"))
    expect("a broken link stops it", done.returncode != 0 and "nowhere" in done.stderr, done.stderr)
finish()
