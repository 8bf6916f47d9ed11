#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole run through every other control: each segment ends where it is asked to, the history follows the imposed
rates and temperatures, the hash is the same on 1 to 4 ranks, and a run stopped on the way goes on to the same end."""
import os
import re
import tempfile

import h5py
import numpy as np

from harness import expect, finish, run, stop, write

INPUT = """
lattice: { cells = [16, 24, 16]; };
protocol = (
  { type = "rate-jump"; rates_per_s = [1.0e-6, 1.0e-4]; strain_each = 0.02; until_strain = 0.05; },
  { type = "unload"; rate_per_s = 1.0e-4; until_stress_GPa = 1.0; },
  { type = "cyclic"; mode = "shear"; rate_per_s = 1.0e-4; cycles = 1; turn_strains = [0.04, 0.0]; },
  { type = "mixed"; control = ["stress", "strain", "stress", "stress", "stress", "strain"]; duration_s = 300.0;
    stress_rates_GPa_per_s = [0.01, 0.0, 0.0, 0.0, 0.0, 0.0]; strain_rates_per_s = [0.0, 0.0, 0.0, 0.0, 0.0, 5.0e-5]; },
  { type = "relaxation"; temperature_K = 400.0; temperature_end_K = 300.0; duration_s = 1000.0; },
  { type = "age"; temperature_K = 400.0; temperature_end_K = 600.0; duration_s = 20.0; }
);
output: { history_strain_step = 0.002; };
run: { seed = 6L; };
"""
# Cold at first, when no event would come in an age: what follows comes by the rates' growth within the segment.
WARMING = """
lattice: { cells = [16, 16, 16]; };
protocol = ( { type = "age"; temperature_K = 200.0; temperature_end_K = %s; duration_s = 20.0; } );
run: { seed = 6L; };
"""
XX, YY, XY = 0, 1, 5


def near(name, value, expected, tolerance):
    expect(name, np.all(np.abs(np.asarray(value) - expected) <= tolerance), (value, expected))


def final_hash(path, cwd):
    found = re.search(r"^state_hash: ([0-9a-f]{16})$", run(["info", path], 1, cwd).stdout, re.MULTILINE)
    return found and found.group(1)


def segments(path):
    """Time since the segment's begin, and the columns, a segment."""
    with h5py.File(path, "r") as file:
        columns = {name: data[()] for name, data in file["history"].items()}
        begins = [file[f"protocol/segment_{i:02d}"].attrs["begin_s"] for i in range(6)]
    found = []
    for i, begin in enumerate(begins):
        rows = columns["segment"] == i
        part = {name: column[rows] for name, column in columns.items()}
        part["elapsed"] = part["time_s"] - begin
        found.append(part)
    return found


def check(path):
    jump, unload, cyclic, mixed, cooled, aged = segments(path)
    expect("enough happens", aged["events"][-1] > 100, aged["events"][-1])
    for i, part in enumerate((jump, unload, cyclic, mixed, cooled, aged)):
        expect(f"events in segment {i}", part["events"][-1] > part["events"][0] or i == 1, part["events"])

    strain, time = jump["strain_axial"], jump["elapsed"]
    legs = np.interp(time, [0.0, 2e4, 2e4 + 200.0, 3e4 + 200.0], [0.0, 0.02, 0.04, 0.05])
    near("strain by two rates", strain, legs, 1e-12)
    expect("jumps end exactly", strain[-1] == 0.05, strain[-1])

    near("unloading ends exactly", unload["stress_axial_GPa"][-1], 1.0, 1e-10)
    near("unloading at its rate", unload["strain_axial"], 0.05 - 1e-4 * unload["elapsed"], 1e-12)

    start = cyclic["strain"][0, XY]
    turn = (0.04 - start) / 1e-4
    near("a triangle of shear", cyclic["strain"][:, XY],
         np.interp(cyclic["elapsed"], [0.0, turn, turn + 400.0], [start, 0.04, 0.0]), 1e-9)
    expect("the cycle returns", cyclic["strain"][-1, XY] == 0.0 and cyclic["strain"][:, XY].max() <= 0.04,
           cyclic["strain"][-1, XY])
    near("other strains are held in shear", cyclic["strain"][:, :5], cyclic["strain"][0, :5], 1e-15)

    near("mixed: stress", mixed["stress_GPa"][:, XX], mixed["stress_GPa"][0, XX] + 0.01 * mixed["elapsed"], 1e-9)
    near("mixed: held strain", mixed["strain"][:, YY], mixed["strain"][0, YY], 1e-15)
    near("mixed: shear", mixed["strain"][:, XY], 5e-5 * mixed["elapsed"], 1e-12)
    expect("mixed: it yields", abs(mixed["plastic_strain"][-1] - mixed["plastic_strain"][0]).max() > 1e-3)

    near("cooling", cooled["temperature_K"], 400.0 - 0.1 * cooled["elapsed"], 1e-9)
    near("heating", aged["temperature_K"], 400.0 + 10.0 * aged["elapsed"], 1e-9)
    near("no stress in age", aged["stress_GPa"], 0.0, 0.0)
    near("constant temperature", jump["temperature_K"], 295.0, 0.0)


with tempfile.TemporaryDirectory() as folder:
    write(os.path.join(folder, "in.cfg"), INPUT)
    for ranks in (1, 2, 3, 4):
        done = run(["run", "in.cfg", "-o", f"{ranks}.h5", "-q"], ranks, folder, 120)
        expect(f"runs on {ranks}", done.returncode == 0, done.stderr)
        expect(f"same hash on {ranks}", final_hash(f"{ranks}.h5", folder) == final_hash("1.h5", folder) is not None)
    if os.path.exists(os.path.join(folder, "1.h5")):
        check(os.path.join(folder, "1.h5"))
    for end, some in ((250.0, False), (650.0, True)):
        write(os.path.join(folder, "warming.cfg"), WARMING % end)
        done = run(["run", "warming.cfg", "-o", "warming.h5", "-q", "--force"], 1, folder, 120)
        expect(f"warming to {end:g} K", done.returncode == 0, done.stderr)
        with h5py.File(os.path.join(folder, "warming.h5"), "r") as file:
            events = int(file["history/events"][-1])
        expect("events when it has become warm alone", (events > 0) == some, events)
    stops = 0
    for _ in range(20):  # on and on, from one stop to the next
        done = stop(["run", "in.cfg", "-o", "parts.h5", "-q", "--restart"], 300, 1, folder)
        if done.returncode != 75:
            break
        stops += 1
    expect("stopped and resumed", stops >= 2 and done.returncode == 0, (stops, done.stderr))
    expect("the same end", final_hash("parts.h5", folder) == final_hash("1.h5", folder), stops)
finish()
