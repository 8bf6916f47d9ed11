#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests summary.py: what closes a run of the tests names versions, seeds, the slowest tests and the report, and counts."""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
JUNIT = """<testsuite>
<testcase name="quick_one" time="0.4" status="run"/>
<testcase name="slow_one" time="12.2" status="fail"/>
<testcase name="left_out" time="99" status="notrun"/>
</testsuite>
"""
WANTED = {
    "compiler": r".*\d+\.\d+",
    "cmake": r"cmake version \d+\.\d+",
    "mpi": r".*\d+\.\d+",
    "python": r"Python 3\.\d+",
    "libraries": r"hdf5 .+, fftw3 .+, libconfig .+",
    "modules": r"numpy \d+\.\d+.*, scipy .*, h5py .*, matplotlib .*, xarray \d+",
    "seeds": r"fixed, in the tests' sources",
    "slowest": r"slow_one 12 s, quick_one 0 s$",
    "report": r".*tests\.xml$",
}


def main():
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "tests.xml")
        report.write_text(JUNIT)
        done = subprocess.run([sys.executable, HERE / "summary.py", report], capture_output=True, text=True, check=False)
    lines = dict(line.split(None, 1) for line in done.stdout.splitlines() if line.strip())
    wrong = [f"{name}: {lines.get(name)!r}" for name, text in WANTED.items() if not re.match(text, lines.get(name, ""))]
    if done.stdout.splitlines()[-1:] != ["50% tests passed, 1 tests failed out of 2"]:
        wrong.append(f"last line: {done.stdout!r} {done.stderr}")
    print("\n".join(wrong) or "the summary is whole")
    sys.exit(bool(wrong))


main()
