#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/adding.md, tried by following it: its changes fit the sources one after the other; with --build the result is
built, its input runs, and its Python finds what the page says. A change is a diff, or a block of C below one of

    New file `PATH`:
    In `PATH`, after `TEXT`:        (below the one line that holds TEXT)

or the sentence "In `PATH`, `OLD` becomes `NEW`." (OLD stands once)."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def must(what, *command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"docs/adding.md: {what} failed:\n{done.stdout[-3000:]}")
    return done.stdout


CHANGE = re.compile(r"^```diff\n(?P<diff>.*?)^```$"
                    r"|^New file `(?P<new>[^`]+)`:\n\n```c\n(?P<whole>.*?)^```$"
                    r"|^In `(?P<file>[^`]+)`, after `(?P<anchor>[^`]+)`:\n\n```c\n(?P<lines>.*?)^```$"
                    r"|^In `(?P<edited>[^`]+)`, `(?P<old>[^`]+)` becomes `(?P<changed>[^`]+)`\.$", re.M | re.S)
LEAST = 7  # changes on the page


def once(path, text, what):
    if text.count(what) != 1:
        sys.exit(f"docs/adding.md: `{what}` stands {text.count(what)} times in {path}, needs once")


def insert_after(copy, file, anchor, lines):
    text = (copy / file).read_text(encoding="utf-8")
    once(file, text, anchor)
    end = text.index("\n", text.index(anchor)) + 1
    (copy / file).write_text(text[:end] + lines + text[end:], encoding="utf-8")


def make(copy, change):
    if change["diff"]:
        must(f"the diff `{change['diff'].splitlines()[0]}`", "patch", "-p1", "--fuzz=2", input=change["diff"], cwd=copy)
    elif change["new"]:
        if (copy / change["new"]).exists():
            sys.exit(f"docs/adding.md: {change['new']} is there already")
        (copy / change["new"]).write_text(change["whole"], encoding="utf-8")
    elif change["file"]:
        insert_after(copy, change["file"], change["anchor"], change["lines"])
    else:
        text = (copy / change["edited"]).read_text(encoding="utf-8")
        once(change["edited"], text, change["old"])
        (copy / change["edited"]).write_text(text.replace(change["old"], change["changed"]), encoding="utf-8")


def main():
    page = (TOP / "docs" / "adding.md").read_text(encoding="utf-8")
    changes = list(CHANGE.finditer(page))
    if len(changes) < LEAST:
        sys.exit(f"docs/adding.md: {len(changes)} changes, not {LEAST}")
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "copy"
        copy.mkdir()
        for name in ("src", "models", "CMakeLists.txt", "CMakePresets.json"):
            (shutil.copytree if (TOP / name).is_dir() else shutil.copy)(TOP / name, copy / name)
        for change in changes:
            make(copy, change)
        if sys.argv[1:] == ["--build"]:
            follow(page, copy)


def follow(page, copy):
    for name in ("postprocess", "inputs", "docs"):
        shutil.copytree(TOP / name, copy / name)
    must("cmake", "cmake", "--preset", "release", "-DBUILD_TESTING=OFF", cwd=copy)
    must("the build", "cmake", "--build", "build", "-j2", cwd=copy)
    (copy / "try.cfg").write_text(blocks(page, "text")[0], encoding="utf-8")
    must("the run", "build/src/stzkmc", "run", "try.cfg", "-o", "try.h5", "-q", cwd=copy)
    must("what the page says of it", sys.executable, "-c", blocks(page, "python")[0], cwd=copy)


main()
