#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The multilevel engine from outside: where it runs and where it says that it does not, what it writes, and that a run
that was stopped and went on is the run that was never interrupted, bit for bit."""
import os
import tempfile

import h5py

from harness import SOURCE, expect, expect_failure, finish, run

INPUT = os.path.join(SOURCE, "inputs", "tension.cfg")
SETTINGS = ["kmc.engine=\"multilevel\"", "lattice.cells=[32,40,32]", "protocol[0].until_strain=0.062",
            "barriers.softening_eV=0.05", "barriers.recovery_rate_per_s=1e6", "barriers.recovery_eV=0.7",
            "output.nbed_strains=[]", "output.snapshots=false", "run.checkpoint_every_wall_s=0.1"]
ARGUMENTS = [word for setting in SETTINGS for word in ("--set", setting)] + ["-q"]


def attributes(path):
    with h5py.File(path) as file:
        engine = dict(file["engine"].attrs)
        return file.attrs["state_hash"], engine, file["history/stress_axial_GPa"][()]


def main():
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = os.path.join(folder, "whole.h5"), os.path.join(folder, "broken.h5")
        done = run(["run", INPUT, "-o", whole] + ARGUMENTS)
        expect("runs", done.returncode == 0, done.stderr)
        if done.returncode == 0:
            state, engine, stress = attributes(whole)
            print(engine)
            expect("names itself", engine["name"] in ("multilevel", b"multilevel"), engine)
            expect("events", engine["events"] > 300 and engine["refreshes"] >= 1, engine)
            expect("bounds hold", engine["missed"] <= 1e-3 * engine["events"] + 1, engine)
            expect("does not look at every site", engine["passes"] < engine["events"] / 2, engine)
            expect("flows", stress.max() > 2.0, stress.max())
            parts = 0
            done = run(["run", INPUT, "-o", broken, "--max-walltime", "0.25"] + ARGUMENTS)
            while done.returncode == 75 and parts < 40:
                parts += 1
                done = run(["run", INPUT, "-o", broken, "--restart", "--max-walltime", str(0.25 + 0.1 * parts)] + ARGUMENTS)
            expect("restarts", done.returncode == 0 and parts >= 1, f"{parts} parts: {done.stderr}")
            expect("goes on bit for bit", attributes(broken)[0] == state, f"{attributes(broken)[0]} and {state}")
            expect("counts on", attributes(broken)[1]["candidates"] == engine["candidates"])
        expect_failure("two ranks", run(["run", INPUT, "-o", os.path.join(folder, "two.h5")] + ARGUMENTS, ranks=2), 2,
                       "kmc.engine: got \"multilevel\" on 2 ranks, takes one rank a run", ranks=2)
        done = run(["check", INPUT, "--set", "kmc.engine=\"multilevel\"", "--set", "lattice.cells=[16,32,32]"])
        expect("small box", done.returncode == 2 and "at least 32 an axis" in done.stderr, done.stderr)
    finish()


main()
