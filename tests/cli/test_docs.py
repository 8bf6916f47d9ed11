#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documents tell users to type works: the input reference is the program's own, the example input is valid, the
commands of the README run, and so does its Python."""
import os
import re
import shlex
import subprocess
import sys
import tempfile

from harness import PROGRAM, SOURCE, expect, finish, run, write


def text(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return file.read()


def blocks(name, language=""):
    return re.findall(rf"^```{language}\n(.*?)^```$", text(name), re.MULTILINE | re.DOTALL)


def commands(name):
    """Command lines of a document that call the program, without mpirun and comments."""
    lines = [line for block in blocks(name) for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines if "stzkmc " in line]
    calls = [w[[os.path.basename(x) for x in w].index("stzkmc") + 1:] for w in words if "stzkmc" in map(os.path.basename, w)]
    return [call for call in calls if call and call[0] in ("run", "check", "info") and "…" not in call]


reference = run(["check", "--reference"])
expect("docs/input.md is what check --reference prints", reference.stdout == text("docs/input.md"))

with tempfile.TemporaryDirectory() as folder:
    for name in ("inputs", "models"):
        os.symlink(os.path.join(SOURCE, name), os.path.join(folder, name))
    example = next(block for block in blocks("docs/guide.md") if "protocol = (" in block)
    write(os.path.join(folder, "inputs.cfg"), example.replace('"zr65ni35"', '"models/zr65ni35.cfg"'))
    done = run(["check", "inputs.cfg"], 1, folder)
    expect("the guide's input", done.returncode == 0, done.stderr)
    found = commands("README.md")
    expect("the README has commands", len(found) >= 3, found)
    for call in found:
        done = run(call, 1, folder, 120)
        expect(" ".join(call), done.returncode == 0, done.stderr)
    for call in commands("docs/guide.md"):
        if call[0] == "run": # may take long: only what the command line itself says
            words = [word for word in call[1:] if word != "--restart"]
            words = [w for i, w in enumerate(words) if w != "-o" and (i == 0 or words[i - 1] != "-o")]
            call = ["check", *words]
        if call[0] == "check":
            done = run(call, 1, folder)
            expect("guide: " + " ".join(call), done.returncode == 0, done.stderr)
    for block in blocks("README.md", "python"):
        done = subprocess.run([sys.executable, "-c", block], cwd=folder, capture_output=True, text=True, timeout=60)
        expect("the README's Python", done.returncode == 0 and "events" in done.stdout, done.stdout + done.stderr)
finish()
