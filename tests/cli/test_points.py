#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The points engine from outside: a run that was stopped and went on, which lays out its points anew, is the run that was
never interrupted, bit for bit, through several segments, damage that recovers, a ramp of temperature and a long age; how
finely the history looks changes no event."""
import os
import tempfile

import h5py

from harness import SOURCE, expect, finish, run, stop, write

PROTOCOL = """protocol = (
  { type = "age"; duration_s = 1.0e9; temperature_K = 295.0; },
  { type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.052; },
  { type = "creep"; stress_GPa = 3.2; duration_s = 2.0e4; temperature_end_K = 310.0; },
  { type = "relaxation"; duration_s = 4.0e6; }
);"""
SETTINGS = ["--set", 'kmc.engine="points"', "--set", "barriers.softening_eV=0.3", "--set", "barriers.recovery_rate_per_s=1e9",
            "--set", "barriers.recovery_eV=0.7", "-q"]


def outcome(path):
    with h5py.File(path) as file:
        engine = dict(file["engine"].attrs)
        return file.attrs["state_hash"], engine, file["events/time_s"][()]


def check_restarts(source, whole, broken):
    """Stops after a growing number of looks at the clock, until the run is over."""
    state, engine, _ = outcome(whole)
    looks, stops = 100, 0
    for part in range(60):
        done = stop(["run", source, "-o", broken, "--restart"] + SETTINGS, looks)
        expect(f"part {part}", done.returncode in (0, 75), f"exit {done.returncode}: {done.stderr}")
        if done.returncode == 0:
            break
        stops += 1
        looks += looks // 5
    print(f"{stops} stops")
    expect("stops", stops >= 3, stops)
    expect("goes on bit for bit", outcome(broken)[0] == state)
    expect("counts on", outcome(broken)[1]["folds"] == engine["folds"])


def main():
    with tempfile.TemporaryDirectory() as folder:
        source, whole, finer = (os.path.join(folder, name) for name in ("in.cfg", "whole.h5", "finer.h5"))
        model = os.path.join(SOURCE, "models", "zr65ni35.cfg")
        write(source, f'model = "{model}"; lattice: {{ cells = [32, 40, 32]; }};\n{PROTOCOL}\noutput: {{ events = true; }};\n')
        done = run(["run", source, "-o", whole] + SETTINGS)
        expect("runs", done.returncode == 0, done.stderr)
        _, engine, times = outcome(whole)
        print(engine)
        expect("names itself", engine["name"] in ("points", b"points"), engine)
        expect("events", engine["events"] > 1000 and engine["passes"] < engine["events"] / 2, engine)
        expect("bounds hold", engine["missed"] <= 1e-3 * engine["events"] + 1, engine)
        expect("in order", (times[1:] >= times[:-1]).all())
        check_restarts(source, whole, os.path.join(folder, "broken.h5"))
        done = run(["run", source, "-o", finer, "--set", "output.history_strain_step=0.0003"] + SETTINGS)
        expect("runs with more rows", done.returncode == 0, done.stderr)
        expect("rows change no event", outcome(finer)[0] == outcome(whole)[0] and (outcome(finer)[2] == times).all())
    finish()


main()
