#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An NBED level, a snapshot, a set of statistics is left inside when the run is to stop, and taken again on restart.

Called as: inside.py PROGRAM MPIRUN SOURCE_DIR RUN, where RUN is the program of run.c, which asks to stop at a look:
no clock plays a part.
"""
import os
import re
import subprocess
import sys
import tempfile

import h5py
import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from harness import MPIRUN, SOURCE, expect, finish, run, write  # noqa: E402

RUN = sys.argv[4]
CELLS = 16
INPUT = """model = "%s";
lattice: { cells = [16, 16, 16]; spacing_nm = 0.58; };
protocol = ( { type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.05; temperature_K = 295.0; } );
output: { nbed_strains = [0.0, 0.045]; snapshots = true; statistics_strains = [0.0, 0.045]; };
nbed: { foil_nm = 9.0; };
run: { seed = 1L; };
"""
# Of each: where it is in the result or beside it, and the least number of looks within both of its levels on one rank.
PIECES = {
    "scanning the foils": ("nbed", 2 * (1 + CELLS + 8 + 2 * 23)),  # its begin, planes, scans, rows of probes of two foils
    "writing a snapshot": (None, 2 * (1 + 7)),  # fields that are computed
    "taking statistics": ("distributions", 2 * (1 + 3)),  # histograms
}


def looks(folder, output, piece, when, rank, ranks):
    """How it ended on all ranks, and of each rank the looks in the piece and those after it was asked to stop."""
    launch = [MPIRUN, "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    done = subprocess.run(launch + [RUN, "s.cfg", output, piece, str(when), str(rank)], cwd=folder, timeout=600,
                          capture_output=True, text=True)
    found = re.findall(r"rank (\d+): (\d+) looks, (\d+) after, (\w+)", done.stdout)
    ends = {end for *_, end in found}
    expect(f"{output}: all ranks end alike", done.returncode == 0 and len(found) == ranks and len(ends) == 1,
           f"exit {done.returncode}: {done.stdout}{done.stderr}")
    return "".join(ends), {int(number): (int(many), int(after)) for number, many, after, _ in found}


def contents(path):
    """Every dataset of a file, in bytes, but for the input and the rows, which are of other tests."""
    found = {}

    def keep(name, item):
        if isinstance(item, h5py.Dataset) and not name.startswith("config"):
            found[name] = numpy.asarray(item[()]).tobytes()
    with h5py.File(path) as file:
        file.visititems(keep)
        return found, file.attrs.get("state_hash")


def files(folder, stem):
    return sorted(name[len(stem):] for name in os.listdir(folder) if name.startswith(stem + "."))


def check(folder, piece, ranks, whole):
    group, least = PIECES[piece]
    name = f"{piece} on {ranks}"
    asked = ranks - 1
    output = f"{piece.split()[-1]}{ranks}_all.h5"
    end, counts = looks(folder, output, piece, 0, asked, ranks)
    expect(f"{name}: the whole run", end == "done" and contents(os.path.join(folder, output)) == whole, end)
    many = counts.get(asked, (0, 0))[0]
    expect(f"{name}: looks", many >= least if ranks == 1 else many >= 6, counts)
    for when in (2, many // 2, many // 2 + 2, many) if ranks == 1 else (many // 2, many):
        output = f"{piece.split()[-1]}{ranks}_{when}.h5"
        path, where = os.path.join(folder, output), f"{name}, look {when} of {many}"
        end, counts = looks(folder, output, piece, when, asked, ranks)
        expect(f"{where}: stopped", end == "stopped", end)
        expect(f"{where}: at once", counts.get(asked) == (when, 0), counts)
        expect(f"{where}: nothing half written", not any(".writing" in entry for entry in files(folder, output[:-3])),
               files(folder, output[:-3]))
        if group:
            with h5py.File(path) as file:
                taken = len(file.get(group, ()))
            expect(f"{where}: left inside", taken == (when > many // 2), f"{taken} levels")
        else:
            taken = [entry for entry in files(folder, output[:-3]) if entry.endswith(".hdf")]
            expect(f"{where}: left inside", len(taken) == (when > many // 2), taken)
        done = run(["run", "s.cfg", "-o", output, "--restart"], cwd=folder)
        expect(f"{where}: goes on", done.returncode == 0 and "no checkpoint" not in done.stderr, done.stderr)
        expect(f"{where}: the unbroken run", contents(path) == whole)
        for index in range(2):
            snapshots = [contents(os.path.join(folder, f"{stem}.000{index}.hdf")) for stem in ("whole", output[:-3])]
            expect(f"{where}: snapshot {index}", snapshots[0] == snapshots[1])


def main():
    with tempfile.TemporaryDirectory() as folder:
        write(os.path.join(folder, "s.cfg"), INPUT % os.path.join(SOURCE, "models", "zr65ni35.cfg"))
        done = run(["run", "s.cfg", "-o", "whole.h5"], cwd=folder)
        expect("the unbroken run", done.returncode == 0, done.stderr)
        whole = contents(os.path.join(folder, "whole.h5"))
        for piece in PIECES:
            for ranks in 1, 3:
                check(folder, piece, ranks, whole)
    finish()


if __name__ == "__main__":
    main()
