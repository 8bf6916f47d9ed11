#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The points engine finds the events of one sample in windows of time, each rank those of its tile: every dataset and
attribute of the result is the same on 1, 2, 3, 4 and 8 ranks, bit for bit, whatever the windows' length (STZKMC_WINDOW:
events; 0: as without it, windows and shared events in turns, but in any box), also after a kill and on another number
of ranks.
`test_tiles.py PROGRAM MPIRUN SOURCE [--all]`: all inputs, lengths and 50 kills."""
import os
import random
import subprocess
import sys
import tempfile

import numpy as np

from content import content, files_of
from harness import MPIRUN, PROGRAM, expect, finish, kill_session, run, write

ALL = "--all" in sys.argv[4:]
BASE = """
kmc: { engine = "points"; };
lattice: { cells = [%s, 32, 32]; };
nbed: { foil_nm = 15.0; scans = 2; };
output: { nbed_strains = [0.0, 0.045]; %s };
%s
protocol = ( %s );
"""
PULL = '{ type = "strain-rate"; rate_per_s = 1.0e-4; until_strain = 0.055; }'
SOFT = "barriers: { softening_eV = 0.25; };"
INPUTS = {  # name: (output keys, further keys, protocol)
    "tension": ("events = true; snapshots = true; snapshot_strains = [0.0, 0.045];",
                "avalanches: { window = 0.1; reach_nm = 3.0; };", PULL),
    "relaxation": ("", "stz: { quenched_strain = 0.01; };", PULL + ', { type = "relaxation"; duration_s = 1.0e3; }'),
    "soft": ("events = true;", SOFT, PULL),
    "actuator": ("", "", '{ type = "actuator"; stiffness_GPa = 72.0; mismatch_strain = 0.105; release_s = 60.0; '
                 'duration_s = 4.4e6; }'),
    "far": ("", "", PULL.replace("0.055", "0.12")),
    "creep": ("", "", '{ type = "creep"; stress_GPa = 3.6; duration_s = 20.0; until_strain = 0.12; }'),
    "cyclic": ("", "", '{ type = "cyclic"; rate_per_s = 1.0e-3; turn_strains = [0.054, -0.054]; cycles = 1; }'),
    "heating": ("", "", PULL + ', { type = "relaxation"; duration_s = 60.0; temperature_K = 295.0; '
                'temperature_end_K = 340.0; }'),
    "recovering": ("", "barriers: { softening_eV = 0.2; recovery_rate_per_s = 1e9; recovery_eV = 0.7; };", PULL),
    "shear": ("", "", '{ type = "strain-rate"; mode = "shear"; rate_per_s = 1.0e-4; until_strain = 0.09; }'),
    # Activity that ceases: many points below the ground without an event.
    "dry": ("", 'run: { seed = 3; };\nbarriers: { width_eV = 0.4; floor_eV = 0.0; };\nmicrostructure: { type = "cahn-hilliard"; };',
            PULL.replace("1.0e-4", "1.0").replace("0.055", "0.045") + ', { type = "age"; duration_s = 1.0e-3; }'),
    # A site that an event leaves with next to no barrier.
    "flicker": ("", "run: { seed = 1; };\nbarriers: { mean_eV = 1.6; width_eV = 0.15; cutoff_sigma = 5.0; };",
                '{ type = "age"; duration_s = 1.0e3; }'),
    "centre": ("", 'stz: { orientation = "aligned"; };\nbarriers: { redraw = "centre"; };', PULL.replace("0.055", "0.065")),
}
ALL_CASES = ((2, "1000"), (2, "3"), (3, "1000"), (4, "10"), (4, "0"), (4, None), (8, "1000"), (8, "1"))  # ranks, window
USUAL = ((2, "1000"), (3, "1000"), (4, "5"))
QUICK = {"tension": USUAL + ((2, "0"),), "relaxation": USUAL, "soft": USUAL,
         "dry": ((4, "20"),), "flicker": ((2, "1000"),),
         "centre": ((2, "1000"),),  # two events at one site in a window
         "shear": ((4, "1000"),)}   # a layer that is raised in the end of a window that is cut, and has an event there


def environment(window):
    more = {"STZKMC_TEAM_BRISK": "1"} | ({"STZKMC_WINDOW": window} if window else {})
    return dict(os.environ, **more)


def text_of(name, cells):
    output, more, protocol = INPUTS[name]
    return BASE % (cells, output, more, protocol)


def check(folder, name, all_cases):
    """Boxes of 128 for 8 tiles, else of 64."""
    for cells in (64, 128):
        cases = [case for case in all_cases if (case[0] == 8) == (cells == 128)]
        if not cases:
            continue
        write(os.path.join(folder, "in.cfg"), text_of(name, cells))
        first = None
        for ranks, window in [(1, None)] + cases:
            stem = f"{name}-{cells}-{ranks}-{window}"
            done = run(["run", "in.cfg", "-o", stem + ".h5", "-v" if window else "-q"], ranks, folder,
                       env=environment(window))
            expect(f"{stem}: runs", done.returncode == 0, done.stderr)
            expect(f"{stem}: windows", ("windows of time" in done.stderr) == (window is not None and name != "recovering"),
                   done.stderr)
            if done.returncode:
                return
            found = [content(os.path.join(folder, file)) for file in files_of(folder, stem)]
            first = first or found
            events = np.frombuffer(found[0]["history/events"])[-1]
            expect(f"{stem}: enough happens", events > 30, events)
            differing = [key for one, other in zip(first, found) for key in one if one[key] != other.get(key)]
            expect(f"{stem}: same numbers", len(found) == len(first) and not differing and len(first[0]) > 60,
                   differing[:9])


def check_kills(folder, count):
    """Killed at any moment, on 2 and 4 ranks, and gone on with on another number."""
    write(os.path.join(folder, "kill.cfg"), "run: { checkpoint_every_wall_s = 0.05; };\n" + text_of("relaxation", 64))
    whole = run(["run", "kill.cfg", "-o", "whole.h5", "-q"], 1, folder)
    expect("whole run", whole.returncode == 0, whole.stderr)
    times, killed = random.Random(7), 0
    for attempt in range(count):
        job = subprocess.Popen([MPIRUN, "--bind-to", "none", "-n", str(2 + 2 * (attempt % 2)), PROGRAM, "run", "kill.cfg",
                                "-o", "broken.h5", "-q", "--restart"], cwd=folder, stderr=subprocess.PIPE,
                               start_new_session=True, env=environment("1000"))
        try:
            job.wait(timeout=times.uniform(0.1, 2.5))
        except subprocess.TimeoutExpired:
            kill_session(job)
            killed += 1
        job.stderr.close()
    done = run(["run", "kill.cfg", "-o", "broken.h5", "-q", "--restart"], 3, folder, env=environment("7"))
    expect("goes on to the end", done.returncode == 0, done.stderr)
    one, other = (content(os.path.join(folder, name)) for name in ("whole.h5", "broken.h5"))
    differing = [key for key in one if one[key] != other.get(key)]
    expect(f"{killed} kills leave no trace", not differing, differing[:9])


with tempfile.TemporaryDirectory() as scratch:
    for case in INPUTS if ALL else QUICK:
        check(scratch, case, ALL_CASES if ALL else QUICK[case])
    check_kills(scratch, 50 if ALL else 2)
finish()
