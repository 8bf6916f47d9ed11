#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""summary.py JUNIT: what a run of the tests was made with, its slowest tests, and ctest's last line again. Every random
number of the tests comes from seeds in their sources, so that the commit names them."""
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

SLOWEST = 10
PROGRAMS = {
    "compiler": ("cc", "--version"),
    "cmake": ("cmake", "--version"),
    "mpi": ("mpirun", "--version"),
    "python": ("/usr/bin/python3", "--version"),
    "commit": ("git", "describe", "--always", "--dirty"),
}
LIBRARIES = ("hdf5", "fftw3", "libconfig")
MODULES = ("numpy", "scipy", "h5py", "matplotlib", "xarray")


def first_line(words):
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError:
        return "not there"
    return (done.stdout or done.stderr).strip().splitlines()[0] if done.returncode == 0 else "not told"


def versions():
    for name, words in PROGRAMS.items():
        yield name, first_line(words)
    found = ((name, first_line(("pkg-config", "--modversion", name))) for name in LIBRARIES)
    yield "libraries", ", ".join(f"{name} {version}" for name, version in found)
    script = f"import importlib\nprint(*(m + ' ' + importlib.import_module(m).__version__ for m in {MODULES}), sep=', ')"
    yield "modules", first_line(("/usr/bin/python3", "-c", script))


def main():
    tests = list(ElementTree.parse(sys.argv[1]).getroot().iter("testcase"))
    ran = [one for one in tests if one.get("status") not in ("notrun", "disabled")]
    failed = [one for one in ran if one.get("status") != "run"]
    slowest = sorted(ran, key=lambda one: -float(one.get("time")))[:SLOWEST]
    print("\n".join(f"{name:<9} {value}" for name, value in versions()))
    print("seeds     fixed, in the tests' sources")
    print("slowest   " + ", ".join(f"{one.get('name')} {float(one.get('time')):.0f} s" for one in slowest))
    print(f"report    {sys.argv[1]}")
    share = re.sub(r"\.\d+", "", f"{100 * (1 - len(failed) / max(1, len(ran)))}")
    print(f"\n{share}% tests passed, {len(failed)} tests failed out of {len(ran)}")


main()
