#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the history against the fields and events of the same file: what running sums say must be what a look at all
voxels says. With quenched-in strain, whose energy no event has made."""
import math
import os
import tempfile

import h5py
import numpy as np

from harness import SOURCE, expect, finish, run, write

CELLS, SPACING = np.array([16, 16, 16]), 0.58
INPUT = f"""
model = "{SOURCE}/models/zr65ni35.cfg";
lattice: {{ cells = [16, 16, 16]; spacing_nm = {SPACING}; }};
stz: {{ quenched_strain = 0.01; }};
protocol = (
  {{ type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.12; temperature_K = 295.0; }},
  {{ type = "relaxation"; duration_s = 1.0e4; }}
);
output: {{ nbed_strains = []; events = true; }};
run: {{ seed = 3L; }};
"""


def localisation(strain):
    """Each layer is cut into as many pieces as there are slabs; a slab has as many pieces as there are layers."""
    place = np.indices(strain.shape)
    largest = 1.0
    for axis in 1, 2:
        period = math.gcd(strain.shape[0], strain.shape[axis])
        slabs = max(1, round(period * SPACING / (math.sqrt(2) * 1.2)))
        for sign in 1, -1:
            layers = np.bincount(((place[0] + sign * place[axis]) % period).ravel(), strain.ravel(), period)
            sums = np.repeat(layers / slabs, slabs).reshape(slabs, period).sum(axis=1)
            largest = max(largest, sums.max() * slabs / strain.sum())
    return largest


def check(name, file):
    history, events = file["history"], file["events"]
    strain = file["microstructure/plastic_strain_axial"][()].astype(float)
    expect(f"{name}: events", len(events["site"]) == history["events"][-1] > 100, history["events"][-1])
    twin = localisation(strain)
    expect(f"{name}: localisation", abs(history["localisation"][-1] / twin - 1) < 1e-4, (history["localisation"][-1], twin))
    sheared = len(np.unique(events["site"][()], axis=0)) / CELLS.prod()
    expect(f"{name}: sheared voxels", abs(history["sheared_fraction"][-1] / sheared - 1) < 1e-12, sheared)
    mean = history["plastic_strain_axial"][-1]
    expect(f"{name}: the field's mean", abs(strain.mean() / mean - 1) < 1e-5, (strain.mean(), mean))
    internal, elastic = history["internal_energy_MJ_per_m3"][()], history["elastic_energy_MJ_per_m3"][()]
    expect(f"{name}: quenched-in energy", internal[0] > 1.0 and internal[0] == elastic[0], internal[0])
    work, heat = history["work_MJ_per_m3"][()], history["heat_MJ_per_m3"][()]
    gap = np.abs(work - heat - (elastic - elastic[0])).max()
    expect(f"{name}: work = elastic energy + heat", gap < 1e-4 * work.max(), gap / work.max())


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.cfg")
        write(path, INPUT)
        out = os.path.join(folder, "out.h5")
        for ranks in 1, 3:
            done = run(["run", path, "-o", out, "--force"], ranks=ranks)
            expect(f"{ranks} ranks: runs", done.returncode == 0, done.stderr[-500:])
            with h5py.File(out) as file:
                check(f"{ranks} ranks", file)
    finish()


main()
