#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`stzkmc kernel`: the stress of one event by either engine against the vectors in tests/data, at any place, on any
number of ranks; and what it refuses."""
import json
import os
import tempfile

from harness import expect, expect_failure, finish, run, write
from interaction import kernel, off_by, vectors, words

INPUT = """model = "glass";
protocol = ( { type = "relaxation"; duration_s = 1.0; } );
lattice: { cells = [%d, %d, %d]; spacing_nm = 0.58; };
stz: { volume_nm3 = 1.7; gamma0 = 0.12; };
kmc: { engine = "%s"; };
"""
MODEL = "elasticity: { young_GPa = 72.0; poisson = 0.4; };\n"
GAMMA0 = 0.12


def check_vectors(folder):
    """Direct: single precision. Multilevel: what its splitting leaves out, 140 MPa^2 over all sites."""
    for cells, (place, mode), points in vectors("elastic_vectors.txt"):
        strain = [GAMMA0 * p for p in mode]
        for engine, allowed in (("direct", 2e-6), ("multilevel", 4e-3)):
            if engine == "multilevel" and cells < 32:
                continue
            write(os.path.join(folder, f"{engine}{cells}.cfg"), INPUT % (cells, cells, cells, engine))
            for move in ([0, 0, 0], [5, 14, 9]):
                event = [(p + m) % cells for p, m in zip(place, move)]
                sites = [[(o + m) % cells for o, m in zip(offset, move)] for offset, _ in points]
                found = kernel(folder, f"{engine}{cells}.cfg", event, strain, sites)
                worst = off_by(found, points)
                expect(f"{engine} {cells} {mode} at {move}", worst < allowed, f"{worst:.3g} GPa off")


def check_ranks(folder):
    sites = [[x, 3, 7] for x in range(0, 16, 3)]
    one = kernel(folder, "direct16.cfg", [1, 2, 3], [0, 0, 0, 0.05, 0, 0], sites)
    expect("same on 3 ranks", one == kernel(folder, "direct16.cfg", [1, 2, 3], [0, 0, 0, 0.05, 0, 0], sites, 3), one)
    one = kernel(folder, "multilevel32.cfg", [1, 2, 3], [0, 0, 0, 0.05, 0, 0], sites)
    expect("multilevel on 2 ranks",
           one == kernel(folder, "multilevel32.cfg", [1, 2, 3], [0, 0, 0, 0.05, 0, 0], sites, 2), one)


def check_sample(folder):
    """Neither structure nor quenched-in stress is in the kernel; the table has the same numbers."""
    more = ["--set", "stz.quenched_strain=0.02", "--set", 'microstructure.type="uniform"']
    call = words([0, 0, 0], [0, 0, 0, 0, 0, 0.05], [[1, 1, 0]])
    plain, other = (run(["kernel", "direct16.cfg", *call, *m], 1, folder) for m in ([], more))
    expect("sample does not matter", plain.stdout == other.stdout and other.returncode == 0, other.stderr)
    exact = json.loads(run(["kernel", "direct16.cfg", *call, "--json"], 1, folder).stdout)["stress_GPa"][0]
    line = plain.stdout.splitlines()[1].split()
    rounded = [float(f"{v:.6g}") for v in exact]
    expect("table", line[:3] == ["1", "1", "0"] and [float(word) for word in line[3:]] == rounded, line)


GOOD = {"--event": "0,0,0", "--strain": "0,0,0,0,0,0.05", "--at": "1,0,0"}
BOX = "needs X,Y,Z, integers from 0,0,0 to 15,15,15, a voxel of the box"
SIX = "needs six numbers XX,YY,ZZ,YZ,XZ,XY of at most 1000"
BAD = [
    ("--event", "16,0,0", "--event: got `16,0,0`, " + BOX),
    ("--event", "0,0", "--event: got `0,0`, " + BOX),
    ("--event", None, "kernel: got no --event, needs the site X,Y,Z of the event"),
    ("--at", "0,0,-1", "--at: got `0,0,-1`, " + BOX),
    ("--at", "0,0.5,1", "--at: got `0,0.5,1`, " + BOX),
    ("--at", "0,0,nan", "--at: got `0,0,nan`, " + BOX),
    ("--at", "0,0,1,", "--at: got `0,0,1,`, " + BOX),
    ("--at", None, "kernel: got no --at, needs a site X,Y,Z where to find the stress"),
    ("--strain", "0,0,0,0,0", "--strain: got `0,0,0,0,0`, " + SIX),
    ("--strain", "0,0,0,0,0,1e9", "--strain: got `0,0,0,0,0,1e9`, " + SIX),
    ("--strain", "0,0,0,0,0,x", "--strain: got `0,0,0,0,0,x`, " + SIX),
    ("--strain", "0.1,0,0,0,0,0",
     "--strain: got `0.1,0,0,0,0,0`, needs XX + YY + ZZ = 0, as a shear keeps the volume; it is 0.1"),
    ("--strain", None, "kernel: got no --strain, needs the event's XX,YY,ZZ,YZ,XZ,XY"),
]


def check_bad(folder):
    for option, value, message in BAD:
        given = {**GOOD, option: value}
        call = [word for name, text in given.items() if text is not None for word in (name, text)]
        expect_failure(f"{option} {value}", run(["kernel", "direct16.cfg", *call], 1, folder), 2, message)
    call = [word for pair in {**GOOD, "--at": "0,0,99"}.items() for word in pair]
    expect_failure("on 2 ranks", run(["kernel", "direct16.cfg", *call], 2, folder), 2,
                   "--at: got `0,0,99`, " + BOX, 2)
    expect_failure("no file", run(["kernel", *call], 1, folder), 2, "kernel: got nothing, needs an input file")


with tempfile.TemporaryDirectory() as folder:
    write(os.path.join(folder, "models", "glass.cfg"), MODEL)
    check_vectors(folder)
    check_ranks(folder)
    check_sample(folder)
    check_bad(folder)
finish()
