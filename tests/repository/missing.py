#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""cmake says what is missing, all at once, a line for each, with the name of the package in Debian."""
import os
import pathlib
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ["libopenmpi-dev", "libhdf5-openmpi-dev", "pkg-config"]
MODULES = {"libfftw3-dev": "fftw3f", "libconfig-dev": "libconfig", "libcmocka-dev": "cmocka", "libgsl-dev": "gsl"}
failed = []


def configure(*options, libraries=None):
    """What is missing, by Debian's names; `libraries`: the folder where pkg-config looks, in place of its own."""
    environment = {**os.environ, **({"PKG_CONFIG_LIBDIR": libraries, "PKG_CONFIG_PATH": ""} if libraries else {})}
    with tempfile.TemporaryDirectory() as folder:
        words = ["cmake", "-S", str(TOP), "-B", folder, "-G", "Ninja", *options]
        done = subprocess.run(words, capture_output=True, text=True, env=environment)
    lines = [line for line in done.stderr.splitlines() if "missing: " in line]
    return done.returncode, sorted(line.partition("(Debian: ")[2].rstrip(")") for line in lines)


def expect(what, found, packages):
    if found != (1, sorted(packages)):
        failed.append(f"{what}: {found}, not {packages}")


def without(module, folder):
    """pkg-config's descriptions but for one."""
    where = subprocess.run(["pkg-config", "--variable", "pc_path", "pkg-config"], capture_output=True, text=True).stdout
    for place in where.strip().split(":"):
        for entry in pathlib.Path(place).glob("*.pc"):
            link = pathlib.Path(folder) / entry.name
            if entry.stem != module and not link.exists():
                link.symlink_to(entry)


expect("nothing of it", configure(*(f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in ("MPI", "HDF5", "PkgConfig"))), PACKAGES)
for package, module in MODULES.items():
    with tempfile.TemporaryDirectory() as place:
        without(module, place)
        expect(module, configure("-DBUILD_TESTING=ON", libraries=place), [package])
sys.exit("\n".join(failed) or 0)
