#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other catalogues of shear modes: rates against the closed form, ranks, restart, the resolved input, a file of one's
own."""
import os
import tempfile

import h5py
import numpy as np

from harness import SOURCE, expect, finish, run, stop, write

STRESS_GPA, Q_EV, TEMPERATURE_K, VOLUME, GAMMA0 = 1.5, 1.0, 400.0, 1.7, 0.115
INPUT = f"""lattice: {{ cells = [24, 16, 16]; }};
stz: {{ volume_nm3 = {VOLUME}; gamma0 = {GAMMA0}; orientation = "aligned"; }};
barriers: {{ mean_eV = {Q_EV}; width_eV = 0.0; }};
microstructure: {{ type = "uniform"; }};
protocol = ( {{ type = "creep"; stress_GPa = {STRESS_GPA}; until_strain = 0.024; temperature_K = {TEMPERATURE_K}; }} );
run: {{ checkpoint_every_wall_s = 0.0; }};
"""
OWN = "stz: { mode_axes = [1.0, 1.0, 0.0, 2.0, -2.0, 0.0]; };\n"
# P_xx of each mode: fcc, 8 of (s_x n_x) = 1/sqrt6 and 4 of 0; one's own, 1/2.
SCHMID = {"icosahedral": None, "fcc": [6**-0.5] * 8 + [0.0] * 4, "./own.cfg": [0.5]}


def rate(schmid):
    """1/s of the box: each mode has its rates along and against the stress."""
    work = 0.5 * GAMMA0 * VOLUME * STRESS_GPA * 6.2415091 * np.array(schmid) / (8.617333262e-5 * TEMPERATURE_K)
    return 1e13 * 24 * 16 * 16 * 0.58**3 / VOLUME * np.exp(-Q_EV / (8.617333262e-5 * TEMPERATURE_K)) * (
        2 * np.cosh(work)).sum()


def start(path):
    with h5py.File(path) as result:
        return (result["history/total_rate_per_s"][0], result.attrs["state_hash"], result["history/events"][-1],
                result["config/resolved"][()].decode().rstrip("\0"), float(result["config"].attrs["largest_schmid"]))


def main():
    with tempfile.TemporaryDirectory() as folder:
        write(os.path.join(folder, "in.cfg"), INPUT)
        write(os.path.join(folder, "own.cfg"), OWN)
        os.symlink(os.path.join(SOURCE, "models", "modes"), os.path.join(folder, "modes"))
        hashes = set()
        for name, schmid in SCHMID.items():
            options = ["--set", "stz.modes=" + (name if "/" in name or name == "icosahedral" else "modes/fcc.cfg")]
            done = run(["run", "in.cfg", "-o", "one.h5", "-q", "--force", *options], 1, folder)
            expect(name, done.returncode == 0, done.stderr)
            total, state, events, resolved, largest = start(os.path.join(folder, "one.h5"))
            hashes.add(state)
            expect(f"{name}: something happens", events > 20, events)
            if schmid:
                expect(f"{name}: total rate", abs(total / rate(schmid) - 1) < 1e-5, f"{total}, {rate(schmid)}")
                expect(f"{name}: largest Schmid factor", abs(largest - max(schmid)) < 1e-12, largest)
            done = run(["run", "in.cfg", "-o", "three.h5", "-q", "--force", *options], 3, folder)
            expect(f"{name} on 3 ranks", start(os.path.join(folder, "three.h5"))[1] == state, done.stderr)
            write(os.path.join(folder, "resolved.cfg"), resolved)
            done = run(["run", "resolved.cfg", "-o", "resolved.h5", "-q", "--force"], 1, folder)
            expect(f"{name}: the resolved input", done.returncode == 0 and
                   start(os.path.join(folder, "resolved.h5"))[1] == state, done.stderr)
        expect("catalogues differ", len(hashes) == 3)
        done = run(["check", os.path.join(SOURCE, "inputs", "smoke.cfg"), "--set", "stz.modes=fcc"], 1, folder)
        said = "# shear modes: 12, each with two signs; sum of P x P between 0.6667 and 2 (isotropic: equal)"
        expect("check tells", done.returncode == 0 and said in done.stdout, done.stdout + done.stderr)
        done = stop(["run", os.path.join(SOURCE, "inputs", "smoke.cfg"), "-o", "smoke.h5", "-q", "--set",
                     "stz.modes=cubic"], 50, 1, folder)
        expect("stopped", done.returncode == 75, done.stderr)
        done = run(["run", os.path.join(SOURCE, "inputs", "smoke.cfg"), "-o", "smoke.h5", "-q", "--set",
                    "stz.modes=fcc", "--restart"], 1, folder)
        expect("restart with other modes", done.returncode == 2 and "of another input: it has `stz.modes \"cubic\"" in done.stderr,
               done.stderr)
    finish()


main()
