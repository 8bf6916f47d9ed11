#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""All ranks of a node share the work over the sites of a run of the multilevel engine: every dataset and attribute of its
result, its snapshots and what a checkpoint leads to are the same on 1, 2, 3, 4 and 8 ranks, bit for bit, also of each
event's, which the environment has them do on fewer cores than ranks. A rank that is killed ends the job.
`test_team.py PROGRAM MPIRUN SOURCE [--all]`: all inputs and 50 kills."""
import os
import random
import signal
import subprocess
import sys
import tempfile

import numpy as np

from content import content, files_of
from harness import MPIRUN, PROGRAM, expect, finish, kill_session, rank_of_job, run, write

os.environ["STZKMC_TEAM_BRISK"] = "5"  # some events are shared in part: the answer must not matter
ALL = "--all" in sys.argv[4:]
BASE = """
lattice: { cells = [32, 40, 32]; boundary = "%s"; };
nbed: { foil_nm = 15.0; scans = 2; };
output: { nbed_strains = [0.0, 0.045]; %s };
%s
protocol = ( %s );
"""
PULL = '{ type = "strain-rate"; rate_per_s = 1.0e-4; until_strain = 0.055; }'
SNAPSHOTS = "snapshots = true; snapshot_strains = [0.0, 0.045];"
INPUTS = {  # name: (output keys, further keys, protocol)
    "tension": (SNAPSHOTS, "avalanches: { window = 0.1; reach_nm = 3.0; };", PULL),
    "coarse": ("", "", PULL),  # in a box with a coarse part
    "points": ("", "", PULL),  # by the points engine
    "film": ("", "", PULL),
    "relaxation": ("", 'stz: { quenched_strain = 0.01; };',
                   PULL + ', { type = "relaxation"; duration_s = 1.0e3; }'),
    "layers": ("events = true;", 'microstructure: { type = "layers"; layer_period_nm = 4.64; };\n'
               "barriers: { softening_eV = 0.2; recovery_rate_per_s = 1e9; recovery_eV = 0.7; };", PULL),
    "creep": ("", "", '{ type = "creep"; stress_GPa = 3.6; duration_s = 20.0; }'),
    "actuator": ("", "", '{ type = "actuator"; stiffness_GPa = 72.0; mismatch_strain = 0.105; release_s = 60.0; '
                 'duration_s = 100.0; }'),
    "cyclic": ("", "", '{ type = "cyclic"; rate_per_s = 1.0e-3; turn_strains = [0.054, -0.054]; cycles = 1; }'),
    "uniform": ("", 'microstructure: { type = "uniform"; };', PULL.replace("0.055", "0.075")),
    "histogram": ("", 'microstructure: { control = "equal-histogram"; };', PULL),
    "cahn-hilliard": ("", 'microstructure: { type = "cahn-hilliard"; };', PULL),
    "aligned": ("", 'stz: { orientation = "aligned"; };\nbarriers: { redraw = "centre"; };', PULL.replace("0.055", "0.065")),
}
RANKS = (1, 2, 3, 4, 8) if ALL else (1, 3)


def check_ranks(folder, name):
    output, more, protocol = INPUTS[name]
    engine, boundary = "points" if name == "points" else "multilevel", "film" if name == "film" else "periodic"
    text = BASE % (boundary, output, more, protocol)
    if name == "coarse":
        text = text.replace("[32, 40, 32]", "[72, 72, 72]" if ALL else "[72, 32, 40]")
    write(os.path.join(folder, "in.cfg"), f'kmc: {{ engine = "{engine}"; }};\n' + text)
    first = None
    for ranks in RANKS:
        stem = f"{name}{ranks}"
        done = run(["run", "in.cfg", "-o", stem + ".h5", "-q"], ranks, folder)
        expect(f"{name} on {ranks}", done.returncode == 0, done.stderr)
        if done.returncode:
            return
        found = [content(os.path.join(folder, file)) for file in files_of(folder, stem)]
        first = first or found
        events = np.frombuffer(found[0]["history/events"])[-1]
        expect(f"{name}: enough happens on {ranks}", events > 30, events)
        differing = [key for one, other in zip(first, found) for key in one if one[key] != other.get(key)]
        expect(f"{name}: same numbers on {ranks}",
               len(found) == len(first) and not differing and len(first[0]) > 60, differing[:9])


def check_kills(folder, count):
    """Killed at any moment, on any number of ranks, and gone on with on another."""
    write(os.path.join(folder, "kill.cfg"), 'kmc: { engine = "multilevel"; };\nrun: { checkpoint_every_wall_s = 0.05; };\n' +
          BASE % ("periodic", "", "", PULL))
    whole = run(["run", "kill.cfg", "-o", "whole.h5", "-q"], 2, folder)
    expect("whole run", whole.returncode == 0, whole.stderr)
    times, killed = random.Random(7), 0
    for attempt in range(count):
        ranks = 1 + attempt % 4
        job = subprocess.Popen([MPIRUN, "--bind-to", "none", "-n", str(ranks), PROGRAM, "run", "kill.cfg", "-o", "broken.h5",
                                "-q", "--restart"], cwd=folder, stderr=subprocess.PIPE, start_new_session=True)
        try:
            job.wait(timeout=times.uniform(0.1, 3.0))
        except subprocess.TimeoutExpired:
            kill_session(job)
            killed += 1
        job.stderr.close()
    done = run(["run", "kill.cfg", "-o", "broken.h5", "-q", "--restart"], 3, folder)
    expect("goes on to the end", done.returncode == 0, done.stderr)
    one, other = (content(os.path.join(folder, name)) for name in ("whole.h5", "broken.h5"))
    differing = [key for key in one if one[key] != other.get(key)]
    expect(f"{killed} kills leave no trace", not differing, differing[:9])


def check_lost_rank(folder):
    """A rank that dies ends the job: nobody is left in a collective."""
    write(os.path.join(folder, "long.cfg"),
          'kmc: { engine = "multilevel"; };\n' + BASE % ("periodic", "", "", PULL.replace("0.055", "1.0")))
    job = subprocess.Popen([MPIRUN, "--bind-to", "none", "-n", "3", PROGRAM, "run", "long.cfg", "-o", "long.h5"],
                           cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True)
    said = ""
    while "threads" not in said and (line := job.stderr.readline()):
        said += line
    lost = rank_of_job(job, 2)
    expect("the rank is found", lost is not None, said)
    if lost:
        os.kill(lost, signal.SIGKILL)
    try:
        said += job.communicate(timeout=480)[1]
        expect("the job ends", job.returncode not in (0, 75), f"exit {job.returncode}: {said}")
    except subprocess.TimeoutExpired:
        kill_session(job)
        expect("the job ends", False, said)


with tempfile.TemporaryDirectory() as scratch:
    for case in INPUTS if ALL else list(INPUTS)[:4]:
        check_ranks(scratch, case)
    check_kills(scratch, 50 if ALL else 4)
    check_lost_rank(scratch)
finish()
