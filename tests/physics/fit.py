#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Intervals of `stz-post fit` on measurements made of runs whose parameters are known.

A sweep of 48 points over mean barrier and STZ volume, 100 other runs as specimens (drawn from the inner 0.7 of the box),
of each three files with 14 readings of the relaxation, an error of 20 MPa each, in hours and MPa. Null hypothesis:
intervals of 95 % hold the truth in 95 of 100. Asked: 90 to 99 of the 100 for every parameter that the data determine (90
or more of the specimens have it determined), with no offset and with one of 0.3 GPa that is left free; at least 90 for
others. Below 90 by chance: 1.1 % for each; fixed seeds. Found: 100 of 100 (mean determined in 43, volume in 85): the
scatter of such small boxes, and what a quadratic misses at the corners of the sweep, make intervals wide, not wrong.

usage: fit.py STZKMC SOURCE_DIR
"""
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

PROGRAM, SOURCE = map(os.path.abspath, sys.argv[1:3])
sys.path.insert(0, os.path.join(SOURCE, "postprocess"))
import stzpost  # noqa: E402
from stzpost.analysis import activation  # noqa: E402
from stzpost.analysis.inference import DROP  # noqa: E402
from stzpost.io.sweep import read_manifest  # noqa: E402
from stzpost.studies import design as designs, fit as study  # noqa: E402

BOX = {"barriers.mean_eV": (2.1, 2.6), "stz.volume_nm3": (1.2, 2.2)}
INNER = 0.15
SPECIMENS = 100
OFFSET_GPA = 0.3
ERROR_GPA = 0.02
TIMES = np.geomspace(600.0, 4.3e6, 14)


def sweep(name, points, seed, margin):
    """Carried out; the folder."""
    axes = []
    for key, (low, high) in BOX.items():
        cut = margin * (high - low)
        axes.append(f'{{ key = "{key}"; from = {low + cut:.6g}; to = {high - cut:.6g}; }}')
    with open(f"{name}.cfg", "w", encoding="utf-8") as file:
        file.write(f"""input = "{SOURCE}/inputs/relaxation.cfg";
set = [ "lattice.cells=[16, 16, 16]", "output.nbed_strains=[]" ];
axes = ( {", ".join(axes)} );
design = "sobol"; points = {points}; seed = {seed}L;
""")
    subprocess.run([PROGRAM, "sweep", f"{name}.cfg", "-o", name, "-q"], check=True)
    return name


def specimen(folder, run, offset, rng):
    """Files of one run."""
    stress, _ = activation.observations(stzpost.open_result(os.path.join(folder, run["file"])), TIMES)
    names = ["a.csv", "b.csv", "c.csv"]
    for name in names:
        read = stress + offset + ERROR_GPA * rng.standard_normal(len(TIMES))
        rows = [f"{t / 3600:.6f};{1e3 * s:.2f};{1e3 * ERROR_GPA:g}\n" for t, s in zip(TIMES, read)]
        with open(name, "w", encoding="utf-8") as file:
            file.write("Time [h];Stress [MPa];Error [MPa]\n" + "".join(rows))
    return names


def covered(design, folder, runs, offset):
    """{parameter: (held, determined)} of the specimens."""
    names = [one.name for one in design.parameters]
    rng, held, determined = np.random.default_rng(20), np.zeros(len(names), int), np.zeros(len(names), int)
    settings = study.Settings(offset_GPa=study.FREE_GPA if offset else 0.0)
    for run in runs:
        files = [study.load(path, settings) for path in specimen(folder, run, offset, rng)]
        inference = study.fitted(design, files, settings).inference
        for i, name in enumerate(names):
            held[i] += inference.profile_at(name, run["parameters"][name]) >= DROP
        determined += [name not in inference.undetermined() for name in names]
    return {name: (int(a), int(b)) for name, a, b in zip(names, held, determined)}


with tempfile.TemporaryDirectory() as place:
    os.chdir(place)
    design = designs.read(sweep("glass", 48, 5, 0.0), {})
    truth = sweep("truth", SPECIMENS, 6, INNER)
    runs = [run for _, run in sorted(read_manifest(truth)[1].items())]
    good = True
    for offset in (0.0, OFFSET_GPA):
        began = time.process_time()
        for name, (held, determined) in covered(design, truth, runs, offset).items():
            fine = held >= 90 and (determined < 90 or held <= 99)
            good &= fine
            print(f"offset {offset:g} GPa, {name}: {held} of {SPECIMENS} intervals hold the truth, determined in {determined}"
                  f"{'' if fine else ': NOT 90 to 99'}")
        print(f"  {(time.process_time() - began) / SPECIMENS:.2f} s of processor time for each fit", flush=True)
    os.chdir("/")
sys.exit(not good)
