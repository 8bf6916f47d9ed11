#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Barriers that depend on normal stress, through the whole program: tension and compression of modes at 45 degrees, and
an engine whose bounds must follow a pressure.

Null hypothesis of the second: the engines have the same mean number of events. Runs of 4 seeds each, some 200 events a
run; the difference of the sums is held against 6 of its standard errors, found from the runs themselves and at least
Poisson's: passed by chance less than once in 1,000 (two samples of 4, Student's t)."""
import math
import os
import tempfile

import h5py

from harness import expect, expect_failure, finish, run, write

ALPHA, SEEDS = 0.3, range(1, 5)
ONE_MODE = """model = "zr65ni35";
lattice: {{ cells = [{n}, {n}, {n}]; }};
stz: {{ modes = "axes"; mode_axes = [1, 1, 0, 1, -1, 0]; orientation = "aligned";
       normal_stress_coefficient = {alpha}; normal_stress = "{kind}"; }};
protocol = ( {{ type = "creep"; stress_GPa = {stress}; duration_s = 1.0e-9; }} );
"""
ALL = '["stress", "stress", "stress", "stress", "stress", "stress"]'
RAMP = f"""model = "zr65ni35";
lattice: {{ cells = [32, 32, 32]; }};
stz: {{ normal_stress_coefficient = {ALPHA}; }};
protocol = ( {{ type = "mixed"; control = {ALL}; duration_s = 10.0;
               stress_rates_GPa_per_s = [0.22, -0.05, -0.05, 0.0, 0.0, 0.0]; }},
             {{ type = "mixed"; control = {ALL}; duration_s = 11.0;
               stress_rates_GPa_per_s = [0.09, 0.09, 0.09, 0.0, 0.0, 0.0]; }} );
"""


def first_rate(folder, cells, kind, stress):
    text = ONE_MODE.format(n=cells, alpha=ALPHA, kind=kind, stress=stress)
    source, result = os.path.join(folder, "mode.cfg"), os.path.join(folder, "mode.h5")
    write(source, text)
    done = run(["run", source, "-o", result, "--force", "-q"])
    expect(f"{kind} {stress}", done.returncode == 0, done.stderr)
    with h5py.File(result) as file:
        return file["history/total_rate_per_s"][0]


def check_tension(folder):
    for cells in 16, 32:
        for kind, share in ("plane", ALPHA), ("pressure", ALPHA * 2 / 3):
            pulled = first_rate(folder, cells, kind, 2.0)
            pressed = first_rate(folder, cells, kind, -2.0 * (1 + share) / (1 - share))
            weaker = first_rate(folder, cells, kind, -2.0)
            expect(f"{cells}, {kind}: (1 - a)/(1 + a)", abs(pulled / pressed - 1) < 1e-4, f"{pulled} {pressed}")
            expect(f"{cells}, {kind}: compression is stronger", weaker < 1e-3 * pulled, f"{weaker} {pulled}")


def events(folder, engine, seed):
    source, result = os.path.join(folder, "ramp.cfg"), os.path.join(folder, "ramp.h5")
    write(source, RAMP)
    done = run(["run", source, "-o", result, "--force", "-q", "--set", f'kmc.engine="{engine}"', "--set",
                f"run.seed={seed}"])
    expect(f"{engine}, seed {seed}", done.returncode == 0, done.stderr)
    with h5py.File(result) as file:
        return int(file["history/events"][-1])


def check_pressure(folder):
    counts = {engine: [events(folder, engine, seed) for seed in SEEDS] for engine in ("direct", "multilevel", "points")}
    print(counts)
    mean = {engine: sum(found) / len(found) for engine, found in counts.items()}
    spread = {engine: sum((x - mean[engine])**2 for x in found) / (len(found) - 1) for engine, found in counts.items()}
    for engine in "multilevel", "points":
        error = math.sqrt(max(spread["direct"] + spread[engine], mean["direct"] + mean[engine]) / len(SEEDS))
        expect(f"{engine} as direct under pressure", abs(mean[engine] - mean["direct"]) < 6 * error,
               f"{mean}, error {error}")


with tempfile.TemporaryDirectory() as work:
    check_tension(work)
    check_pressure(work)
    write(os.path.join(work, "bad.cfg"), ONE_MODE.format(n=16, alpha=1.0, kind="plane", stress=1.0))
    expect_failure("a coefficient of 1", run(["check", "bad.cfg"], cwd=work), 2,
                   "bad.cfg:4: stz.normal_stress_coefficient: got 1, needs >= -0.9 and <= 0.9")
finish()
