#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thermal creep of a published elastoplastic model.

D. F. Castellanos and M. Zaiser (Statistical dynamics of early creep stages in disordered materials, 2019; in two
dimensions) find that under constant stress the rate of events falls as t^-p, Omori's law, and that p depends on the
heterogeneity of the glass alone, not on stress or temperature. Their ingredients are options here: one STZ a voxel,
barriers that fall linearly with stress, thresholds drawn from a Weibull distribution of shape k and drawn anew by an
event, attempt rates per voxel. Time is in units of 1/nu0, the coupling mu gamma0 of an event about 1.5 of a mean threshold.

p is the maximum-likelihood exponent of events in [10, end], a Poisson process of rate ~ t^-p. Null hypothesis: p is the
same within 0.08 for all conditions of a shape. Without stress and interaction the barriers' density ~ E^(k-1) alone gives
p = 1 - (k-1)/ln t, 0.88 and 0.63 at the logarithmic middle of 10 to 10^6: the exponents must lie within 0.15 of these, and
those of the two shapes at least 0.08 apart. A limit is broken when it is exceeded by more than 3.5 standard errors of the
difference: one-sided false-alarm rate below 3e-4 for each of the fourteen comparisons where the limit holds exactly. 3 seeds
of some thousand events leave a standard error of at most 0.02 for each condition (demanded), mostly below 0.01: an exponent
that is off by 0.2 is noticed in more than 9 of 10 cases. 21 other seeds (101 to 121) gave 0.918, 0.898, 0.895 for k = 2 and
0.781, 0.747, 0.707 for k = 4: p does fall a little with stress, and interaction raises it by up to 0.153 (k = 4, 350 K).

usage: omori.py STZKMC
"""
import concurrent.futures
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np
from scipy.optimize import brentq

INPUT = """
lattice: { cells = [16, 16, 16]; spacing_nm = 1.19; };
elasticity: { young_GPa = 72.0; poisson = 0.3; };
stz: { volume_nm3 = 1.7; orientation = "aligned"; attempt_frequency_per_s = 1.0; attempt_density = "voxel"; };
barriers: { mean_eV = 1.2; cutoff_sigma = 8.0; distribution = "weibull"; composition_eV = 0.0; interface_eV = 0.0;
  floor_eV = 0.0; redraw = "centre"; };
microstructure: { type = "uniform"; };
protocol = ( { type = "creep"; duration_s = 1.0e6; until_strain = 0.04; } );
output: { events = true; };
"""
WIDTHS = {2: 1.2 * 0.5227, 4: 1.2 * 0.2805}  # of a Weibull distribution that begins at 0: deviation over mean
CONDITIONS = ((350.0, 0.8), (500.0, 0.8), (350.0, 1.6))  # K, GPa
SEEDS = (11, 12, 13)
BEGIN = 10.0


def event_times(program, folder, shape, temperature, stress, seed):
    path = os.path.join(folder, f"{shape}-{temperature}-{stress}-{seed}.h5")
    command = [program, "run", os.path.join(folder, "omori.cfg"), "-o", path, "--seed", str(seed), "-q"]
    for setting in (f"barriers.weibull_shape={shape:.1f}", f"barriers.width_eV={WIDTHS[shape]:.4f}",
                    f"protocol[0].temperature_K={temperature}", f"protocol[0].stress_GPa={stress}"):
        command += ["--set", setting]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)  # it warns of reversals: detailed balance brings them
    with h5py.File(path) as file:
        return file["events/time_s"][...]


def exponent(samples):
    """p and its standard error from event times of several samples, each up to its own end."""
    ends = [np.log(times[-1] / BEGIN) for times in samples]
    logs = [np.log(times[times >= BEGIN] / BEGIN) for times in samples]
    total, counts = sum(one.sum() for one in logs), [len(one) for one in logs]

    def mean(q, end):  # of ln(t/BEGIN) when its density is ~ exp(q u) on [0, end]
        return end / 2 if abs(q * end) < 1e-6 else end / -np.expm1(-q * end) - 1 / q

    def excess(q):
        return sum(n * mean(q, end) for n, end in zip(counts, ends)) - total

    q = brentq(excess, -3.0, 3.0)
    return 1.0 - q, 1.0 / np.sqrt((excess(q + 1e-3) - excess(q - 1e-3)) / 2e-3)


def beyond(differences, limit):
    """By how much the worst of some differences, each with its standard error, is beyond the limit for certain."""
    return max(difference - 3.5 * error for difference, error in differences) - limit


def main():
    program = os.path.abspath(sys.argv[1])
    found = {}
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        with open(os.path.join(folder, "omori.cfg"), "w", encoding="utf-8") as file:
            file.write(INPUT)
        jobs = {(shape, *condition): [pool.submit(event_times, program, folder, shape, *condition, seed) for seed in SEEDS]
                for shape in WIDTHS for condition in CONDITIONS}
        for (shape, temperature, stress), group in jobs.items():
            samples = [job.result() for job in group]
            p, error = exponent(samples)
            found.setdefault(shape, []).append((p, error))
            print(f"k = {shape}, {temperature:g} K, {stress} GPa: p = {p:.3f} +- {error:.3f}, "
                  f"{sum(map(len, samples))} events")
    good = True
    for shape, values in found.items():
        expected = 1 - (shape - 1) / np.log(10**3.5)
        apart = [(abs(p - q), np.hypot(e, f)) for p, e in values for q, f in values]
        off = [(abs(p - expected), e) for p, e in values]
        fine = beyond(apart, 0.08) <= 0 and beyond(off, 0.15) <= 0
        good &= fine and max(error for _, error in values) <= 0.02
        print(f"k = {shape}: spread {max(apart)[0]:.3f} (allowed 0.08), from {expected:.2f} uncoupled {max(off)[0]:.3f} (0.15): "
              f"{'agrees' if fine else 'DIFFERS'}")
    gaps = [(q - p, np.hypot(e, f)) for p, e in found[2] for q, f in found[4]]
    print(f"shapes apart by {-max(gaps)[0]:.3f} (at least 0.08)")
    return 0 if good and beyond(gaps, -0.08) <= 0 else 1


if __name__ == "__main__":
    sys.exit(main())
