#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `check` says of the memory against the most that the run had: with all engines, with and without levels, several
of which need no more than one, and in a tall film, of which the set-up needs most."""
import os
import re
import subprocess
import sys
import tempfile

from harness import PROGRAM, SOURCE, expect, finish, run, write

INPUT = """model = "{source}/models/zr65ni35.cfg";
lattice: {{ cells = {cells}; boundary = "{boundary}"; }};
kmc: {{ engine = "{engine}"; }};
protocol = ( {{ type = "strain-rate"; rate_per_s = 1e-4; until_strain = {strain}; temperature_K = 295.0; }} );
output: {{ nbed_strains = [{levels}]; }};
"""
WITHIN = 0.15
CASES = (  # box, engine, levels of diffraction, boundary, strain
    ([48, 48, 48], "multilevel", "", "periodic", 0.003),
    ([64, 64, 64], "multilevel", "0.0, 0.001, 0.002, 0.003", "periodic", 0.003),
    ([96, 96, 96], "multilevel", "", "periodic", 0.003),
    ([96, 96, 96], "points", "", "periodic", 0.055),  # its points are most about the first events
    ([64, 64, 64], "direct", "0.0", "periodic", 0.003),
    ([96, 96, 96], "direct", "", "periodic", 0.003),
    ([32, 32, 624], "multilevel", "", "film", 1e-4),
)


def peak(folder, path):
    """The largest resident set of the run's own process, bytes."""
    code = ("import os, resource, subprocess, sys; code = subprocess.call(sys.argv[1:]); "
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)")
    out = os.path.join(folder, "out.h5")
    done = subprocess.run([sys.executable, "-c", code, PROGRAM, "run", path, "-o", out, "--force", "-q"],
                          capture_output=True, text=True, check=False)
    expect(f"{path}: runs", done.returncode == 0, done.stderr[-500:])
    return 1024.0 * float(done.stdout.split()[-1])


def main():
    with tempfile.TemporaryDirectory() as folder:
        for cells, engine, levels, boundary, strain in CASES:
            name = f"{engine}, {boundary} {cells}, levels [{levels}]"
            path = os.path.join(folder, "memory.cfg")
            write(path, INPUT.format(source=SOURCE, cells=cells, boundary=boundary, engine=engine, levels=levels, strain=strain))
            said = re.search(r"# memory: about ([\d.e+]+) MB per rank", run(["check", path]).stdout)
            expect(f"{name}: check says so", said)
            if not said:
                continue
            ratio = 1e6 * float(said[1]) / peak(folder, path)
            print(f"{name}: {said[1]} MB said, {ratio:.2f} of what it had")
            expect(f"{name}: within {WITHIN:.0%}", 1 - WITHIN < ratio < 1 + WITHIN, ratio)
    finish()


main()
