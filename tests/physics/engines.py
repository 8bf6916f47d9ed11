#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds an engine, the multilevel one by default, against the direct one: the same inputs with many seeds through both,
distribution by distribution (two-sample Kolmogorov-Smirnov), and means with their errors. Both run the same samples, so
that the means are also compared sample by sample (t test of the differences), which sees smaller changes. Counts of the
shear modes and signs of all events are compared by chi square.

usage: engines.py PROGRAM SOURCE_DIR [--engine NAME] [--seeds N] [--first SEED] [--cells N]
       [--scenario NAME]... [--jobs N] [--alpha P] [--keep FILE]

Null hypothesis: both engines draw from the same distributions. The test fails if any p-value is below alpha divided by
the number of comparisons (Bonferroni), so that alpha bounds the false-alarm rate; seeds are fixed, the same N for
both engines, which share the samples but not the order in which random numbers are used.

With --keep, a line of FILE holds what was observed of a run, and a run that has one is not repeated: a comparison of many
hours can be stopped and gone on with. A line counts for the same program (by its bytes) and the same input only."""
import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np
from scipy import stats

TENSION = '{ type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.052; temperature_K = 295.0; }'
FILM = 'boundary="film"'
ALPHA = 1e-3  # over the number of comparisons
HELD = 1e-9  # of a measure: what spreads less is held by the protocol, and its last digits are rounding
SCENARIOS = {
    "relaxation": [f'protocol=( {TENSION}, {{ type = "relaxation"; duration_s = 4.4064e6; }} )'],
    "onset": [f"protocol=( {TENSION.replace('0.052', '0.0478')} )"],
    "creep": ['protocol=( { type = "creep"; stress_GPa = 3.3; duration_s = 3.0e4; temperature_K = 295.0; } )'],
    "reversal": [f'protocol=( {TENSION}, {{ type = "unload"; rate_per_s = 1.0e-5; until_stress_GPa = -2.9; }} )'],
    "heating": ['protocol=( { type = "creep"; stress_GPa = 3.0; duration_s = 4.0e3; temperature_K = 280.0; '
                'temperature_end_K = 330.0; } )'],
    "softening": [f"protocol=( {TENSION} )", "barriers.softening_eV=0.3", "barriers.recovery_rate_per_s=1e6",
                  "barriers.recovery_eV=0.75"],
    "aligned": [f"protocol=( {TENSION} )", 'stz.orientation="aligned"'],
    "pressed": [f"protocol=( {TENSION.replace('0.052', '0.045')} )", "stz.normal_stress_coefficient=0.12"],
    "moduli": [f"protocol=( {TENSION} )", "elasticity.contrast=0.3"],
    "stretched": [f"protocol=( {TENSION.replace('0.052', '0.065')} )", 'elasticity.finite_strain="box"'],
    "cooperative": [f"protocol=( {TENSION} )", 'stz.barrier_law="cooperative"', "stz.tau_c_GPa=4.0"],
    "film": [f'protocol=( {TENSION}, {{ type = "relaxation"; duration_s = 4.4064e6; }} )', f"lattice.{FILM}"],
}


def override(text):
    return ["--set", text]


def write_input(path, cells, scenario, model):
    settings = dict(setting.split("=", 1) for setting in SCENARIOS[scenario])
    protocol = settings.pop("protocol")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'# of {bytes_of(model)}\nmodel = "{model}";\n'
                   f"lattice: {{ cells = [{cells}, {cells}, {cells}]; }};\nprotocol = {protocol};\n"
                   "output: { events = true; };\n")
    return [word for key, value in settings.items() for word in override(f"{key}={value}")]


def observe(path, film):
    """What is compared: named numbers of one run; of a film also the shares of its outer layers in the events."""
    with h5py.File(path) as file:
        time, site = file["events/time_s"][()], file["events/site"][()].astype(int)
        mode, sign = file["events/mode"][()].astype(int), file["events/sign"][()]
        stress, strain = file["history/stress_axial_GPa"][()], file["history/plastic_strain_axial"][()]
        cells = file["config"].attrs["cells"]
        found = {"events": len(time), "stress_end_GPa": float(stress[-1]), "stress_largest_GPa": float(stress.max()),
                 "plastic_end": float(strain[-1]), "localisation_end": float(file["history/localisation"][-1]),
                 "participation_end": float(file["history/participation_ratio"][-1]),
                 "missed": float(file["engine"].attrs.get("missed", 0.0))}
    for k in (1, 30, 100, 300):
        if len(time) >= k:
            found[f"time_of_event_{k}_s"] = float(time[k - 1])
    step = np.abs(np.diff(site, axis=0))
    step = np.where([True, True, not film], np.minimum(step, cells - step), step)
    distance = np.sqrt((step ** 2).sum(axis=1))
    for radius in (4, 8):
        found[f"next_within_{radius}"] = float((distance <= radius).mean())
    found["repeats"] = float((distance == 0).mean())
    found["modes"] = np.bincount(2 * mode + (sign < 0), minlength=30).tolist()
    if film:
        depth = np.minimum(site[:, 2], cells[2] - 1 - site[:, 2])
        found.update({f"share_of_layers_to_{layers}": float((depth < layers).mean()) for layers in (1, 2, 4)})
    return found


class Kept:
    """What was observed of runs before, by program, input, engine and seed; in a file, or nowhere if it has no name."""

    def __init__(self, path):
        self.path, self.runs = path, {}
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.runs = dict(json.loads(line) for line in file if line.endswith("\n"))

    def one(self, job):
        """The run of a job: the kept one, or a new one, which is kept unless it failed."""
        key = job_key(job)
        if key not in self.runs:
            found = one(job)
            if not self.path or "failure" in found:
                return found
            self.runs[key] = found
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps([key, found]) + "\n")
        return self.runs[key]


@functools.lru_cache
def bytes_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:16]


def job_key(job):
    program, folder, scenario, words, engine, seed = job
    return f"{bytes_of(program)} {bytes_of(os.path.join(folder, scenario + '.cfg'))} {' '.join(words)} {engine} {seed}"


def one(job):
    program, folder, scenario, words, engine, seed = job
    output = os.path.join(folder, f"{scenario}_{engine}_{seed}.h5")
    done = subprocess.run([program, "run", os.path.join(folder, scenario + ".cfg"), "-o", output, "-q", "--seed", str(seed)]
                          + words + override(f'kmc.engine="{engine}"'), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {"failure": done.stderr.strip()}
    found = observe(output, f"lattice.{FILM}" in SCENARIOS[scenario])
    os.unlink(output)
    return found


def compare_modes(scenario, direct, other, comparisons):
    """Chi square of homogeneity of the events by mode and sign; kinds of fewer than 20 events count as one."""
    counts = np.array([np.sum([run["modes"] for run in runs], axis=0) for runs in (direct, other)])
    rare = counts.sum(axis=0) < 20
    table = np.column_stack([counts[:, ~rare], counts[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    chi2, p_value, freedom, _ = stats.chi2_contingency(table)
    print(f"{scenario:12} {'modes and signs':22} {table.shape[1]} kinds, chi square {chi2:.1f} of {freedom}  p {p_value:.3g}")
    comparisons.append((p_value, scenario, "modes and signs"))


def compare(scenario, engine, direct, other, comparisons):
    compare_modes(scenario, direct, other, comparisons)
    for name in direct[0]:
        if name == "modes":
            continue
        pair = [np.array([run[name] for run in runs if np.isfinite(run.get(name, np.nan))]) for runs in (direct, other)]
        if name == "missed":
            print(f"{scenario:12} missed events, by estimate: {pair[1].sum():.3g} of "
                  f"{sum(run['events'] for run in other)}")
            continue
        if min(len(p) for p in pair) < 0.8 * len(direct):
            print(f"{scenario:12} {name:22} {len(pair[0])} and {len(pair[1])} runs have it: not compared")
            continue
        if np.ptp(np.concatenate(pair)) <= HELD * np.abs(pair[0]).max():
            print(f"{scenario:12} {name:22} held: not compared")
            continue
        means, errors = [p.mean() for p in pair], [p.std(ddof=1) / np.sqrt(len(p)) for p in pair]
        p_value = stats.ks_2samp(*pair).pvalue
        sigma = (means[1] - means[0]) / np.hypot(*errors)
        print(f"{scenario:12} {name:22} direct {means[0]:12.6g} +- {errors[0]:8.2g}  {engine} {means[1]:12.6g} +- "
              f"{errors[1]:8.2g}  ({sigma:+.1f} sigma)  KS p {p_value:.3g}")
        comparisons.append((p_value, scenario, name))
        pairs = np.array([(d[name], m[name]) for d, m in zip(direct, other)
                          if np.isfinite(d.get(name, np.nan)) and np.isfinite(m.get(name, np.nan))])
        change = pairs[:, 1] - pairs[:, 0]
        if np.ptp(change) <= HELD * np.abs(pairs).max():
            continue
        p_value = stats.ttest_1samp(change, 0.0).pvalue
        print(f"{'':12} {'sample by sample':22} {change.mean():+.4g} +- {change.std(ddof=1) / np.sqrt(len(change)):.2g}  "
              f"t p {p_value:.3g}")
        comparisons.append((p_value, scenario, name + " by sample"))


def verdict(comparisons, alpha):
    """What fails, in lines; and prints the least p."""
    limit = alpha / max(1, len(comparisons))
    if not comparisons:
        return ["nothing compared"]
    print(f"{len(comparisons)} comparisons, least p {min(comparisons)[0]:.3g} ({' '.join(min(comparisons)[1:])}), fails below {limit:.2g}")
    return [f"{scenario}: {name}: p {p_value:.3g}" for p_value, scenario, name in comparisons if not p_value >= limit]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("source")
    parser.add_argument("--engine", default="multilevel", help="that is compared with the direct one")
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--first", type=int, default=1, help="first seed")
    parser.add_argument("--cells", type=int, default=32)
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--alpha", type=float, default=ALPHA)
    parser.add_argument("--keep", help="file that keeps what was observed, to go on with")
    arguments = parser.parse_args()
    comparisons, failures, kept = [], [], Kept(arguments.keep)
    with tempfile.TemporaryDirectory() as folder:
        for scenario in arguments.scenario or list(SCENARIOS):
            words = write_input(os.path.join(folder, scenario + ".cfg"), arguments.cells, scenario,
                                os.path.abspath(os.path.join(arguments.source, "models", "zr65ni35.cfg")))
            jobs = [(os.path.abspath(arguments.program), folder, scenario, words, engine, seed)
                    for engine in ("direct", arguments.engine) for seed in range(arguments.first, arguments.first + arguments.seeds)]
            with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
                runs = list(pool.map(kept.one, jobs))
            failures += [f"{scenario}: {run['failure']}" for run in runs if "failure" in run]
            half = arguments.seeds
            if not any("failure" in run for run in runs):
                compare(scenario, arguments.engine, runs[:half], runs[half:], comparisons)
            sys.stdout.flush()
    print(f"{arguments.seeds} + {arguments.seeds} runs at {arguments.cells}^3")
    failures += verdict(comparisons, arguments.alpha)
    print("\n".join(failures))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
