#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages, followed from top to bottom as a reader does: each in a folder of its own outside the repository, with what
the guide's first lines set and nothing else prepared. With --all the pages that take minutes too."""
import glob
import os
import subprocess
import sys
import tempfile
import time

import pages
from harness import PROGRAM, SOURCE, expect, finish

QUICK = ("README", "docs/guide", "docs/measured", "docs/nbed")
LONG = (
    "docs/experiment", "docs/fit", "docs/gallery", "docs/own-glass", "docs/postprocessing", "docs/sweeps", "docs/synthetic"
)


def environment(folder):
    """Of a reader who has typed the guide's first block."""
    path = f"{os.path.dirname(PROGRAM)}:{SOURCE}/postprocess:/usr/local/bin:/usr/bin:/bin"
    kept = {name: value for name, value in os.environ.items() if name.startswith(("OMPI_", "HWLOC_", "ASAN_", "LSAN_"))}
    return {**kept, "PATH": path, "PYTHONPATH": f"{SOURCE}/postprocess", "STZKMC_SOURCE": SOURCE, "HOME": folder,
            "LC_ALL": "C.UTF-8", "MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1"}


def follow(name):
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        done = subprocess.run(["bash", "-c", pages.script(os.path.join(SOURCE, name + ".md"))], cwd=folder,
                              env=environment(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        print(f"{name}: {time.monotonic() - began:.0f} s")
        at = [line for line in done.stderr.splitlines() if line.startswith("== ")]
        expect(name, done.returncode == 0, f"after {at[-1:]}: {done.stderr[-1500:]}")


for page in QUICK + (LONG if sys.argv[4:] == ["--all"] else ()):
    follow(page)
ELSEWHERE = ("docs/adding",)  # tests/repository/howto.py
for path in glob.glob(os.path.join(SOURCE, "docs", "*.md")) + [os.path.join(SOURCE, "README.md")]:
    left = pages.untagged(path)
    expect(f"{os.path.basename(path)}: commands are tagged", not left, left)
    name = os.path.relpath(path, SOURCE).removesuffix(".md")
    expect(f"{name} is followed", name in QUICK + LONG + ELSEWHERE or pages.script(path) == pages.HEAD)
finish()
