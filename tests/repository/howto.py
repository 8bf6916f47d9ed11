#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/adding.md, tried by following it: its diffs apply to the sources one after the other; with --build the result is
built, its input runs, and its Python finds what the page says."""
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


def main():
    page = (TOP / "docs" / "adding.md").read_text(encoding="utf-8")
    diffs = blocks(page, "diff")
    if len(diffs) != 3:
        sys.exit(f"docs/adding.md: {len(diffs)} diffs, not 3")
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "copy"
        copy.mkdir()
        for name in ("src", "models", "CMakeLists.txt", "CMakePresets.json"):
            (shutil.copytree if (TOP / name).is_dir() else shutil.copy)(TOP / name, copy / name)
        for number, diff in enumerate(diffs):
            must(f"diff {number + 1}", "patch", "-p1", "--fuzz=2", input=diff, cwd=copy)
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
