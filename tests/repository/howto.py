#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/adding.md, tried by following it: its changes fit the sources one after the other; with --build the result is
built, its input and its commands run, its Python finds what the page says, its engine draws events as the direct one
does, and the run comes out the same when it is stopped again and again and goes on with other numbers of ranks. A change
is a block of C or Python below one of

    New file `PATH`:
    In `PATH`, after `TEXT`:        (below the one line that holds TEXT; or before)

or the sentence "In `PATH`, `OLD` becomes `NEW`." (OLD stands once)."""
import os
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


CHANGE = re.compile(r"^New file `(?P<new>[^`]+)`:\n\n```(?:c|python)\n(?P<whole>.*?)^```$"
                    r"|^In `(?P<file>[^`]+)`, (?P<where>after|before) `(?P<anchor>[^`]+)`:\n\n"
                    r"```(?:c|python)\n(?P<lines>.*?)^```$"
                    r"|^In `(?P<edited>[^`]+)`, `(?P<old>[^`]+)` becomes `(?P<changed>[^`]+)`\.$", re.M | re.S)
LEAST = 22  # changes on the page
MOST_PARTS = 26


def once(path, text, what):
    """Where `what` stands in the text: once, or once at the beginning of a line."""
    for where in (what, "\n" + what):
        if text.count(where) == 1:
            return text.index(where) + len(where) - len(what)
    sys.exit(f"docs/adding.md: `{what}` stands {text.count(what)} times in {path}, needs once")


def insert(copy, file, where, anchor, lines):
    text = (copy / file).read_text(encoding="utf-8")
    at = once(file, text, anchor)
    end = text.index("\n", at) + 1 if where == "after" else text.rfind("\n", 0, at) + 1
    (copy / file).write_text(text[:end] + lines + text[end:], encoding="utf-8")


def make(copy, change):
    if change["new"]:
        if (copy / change["new"]).exists():
            sys.exit(f"docs/adding.md: {change['new']} is there already")
        (copy / change["new"]).write_text(change["whole"], encoding="utf-8")
    elif change["file"]:
        insert(copy, change["file"], change["where"], change["anchor"], change["lines"])
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
        for name in ("src", "models", "postprocess", "CMakeLists.txt", "CMakePresets.json"):
            (shutil.copytree if (TOP / name).is_dir() else shutil.copy)(TOP / name, copy / name)
        for change in changes:
            make(copy, change)
        if sys.argv[1:] == ["--build"]:
            follow(page, copy)


# Whether two results have the same datasets, bit for bit.
SAME = """
import h5py, sys
def contents(name):
    found = {}
    with h5py.File(name) as file:
        file.visititems(lambda path, node: found.update({path: node[()].tobytes()}) if hasattr(node, "dtype")
                        and node.dtype.kind in "fiu" else None)
    return found
first, second = (contents(name) for name in sys.argv[1:])
sys.exit([path for path in first.keys() | second.keys() if first.get(path) != second.get(path)] or 0)
"""


def follow(page, copy):
    for name in ("inputs", "docs"):
        shutil.copytree(TOP / name, copy / name)
    tried = page[page.index("\n## Try it\n"):]
    settings, commands = blocks(tried, "text")
    must("cmake", "cmake", "--preset", "release", "-DBUILD_TESTING=OFF", cwd=copy)
    must("the build", "cmake", "--build", "build", "-j2", cwd=copy)
    (copy / "try.cfg").write_text(settings, encoding="utf-8")
    must("the run", "build/src/stzkmc", "run", "try.cfg", "-o", "try.h5", "-q", cwd=copy)
    path = f"{copy}/build/src:{copy}/postprocess:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PYTHONPATH": f"{copy}/postprocess"}
    must("what the page says of it", sys.executable, "-c", blocks(tried, "python")[0], cwd=copy, env=env)
    for command in commands.splitlines():
        must(f"`{command}`", *command.split(), cwd=copy, env=env)
    must("the conformance test of the engine", sys.executable, TOP / "tests/physics/engines.py",
         "build/src/stzkmc", ".", "--engine", "plain", "--scenario", "onset", "--seeds", "8",
         "--cells", "16", "--alpha", "0.01", cwd=copy)
    restart(copy)


def restart(copy):
    """The same run in parts, each on another number of ranks and with twice the time of the one before: the first is
    over at its first step, and there are few on any machine."""
    for part in range(MOST_PARTS):
        launch = ["mpirun", "--bind-to", "none", "-n", str(1 + part % 3)]
        words = ["build/src/stzkmc", "run", "try.cfg", "-o", "parts.h5", "-q", "--max-walltime"]
        words += [str(0.001 * 2**part if part else 1e-9)] + ["--restart"] * (part > 0)
        done = subprocess.run(launch + words, capture_output=True, text=True, cwd=copy)
        if done.returncode not in (0, 75):
            sys.exit(f"docs/adding.md: part {part} of the run: exit {done.returncode}: {done.stderr[-2000:]}")
        if done.returncode == 0:
            break
    if part == 0:
        sys.exit("docs/adding.md: the run was not stopped")
    must("a run in parts", sys.executable, "-c", SAME, "try.h5", "parts.h5", cwd=copy)


main()
