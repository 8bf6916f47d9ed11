#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The multilevel engine from outside: when it is chosen, that it runs on one rank of several with the same result, that
nothing there is left hanging, what it writes, and that a run that was stopped and went on is the run that was never
interrupted, bit for bit."""
import os
import re
import signal
import subprocess
import tempfile

import h5py

from harness import (
    MPIRUN, PROGRAM, SOURCE, expect, expect_failure, finish, kill_session, napping, rank_of_job, run, stop, write,
)

INPUT = os.path.join(SOURCE, "inputs", "tension.cfg")
SECONDS = 55  # processor time of inputs/cube-75nm.cfg on the processor of sim/estimate.c


def words(*settings):
    return [word for setting in settings for word in ("--set", setting)]


# Damage recovers within a row of the history: what is taken from the last look at the sample instead of the moment shows.
SETTINGS = words("kmc.engine=\"multilevel\"", "lattice.cells=[32,40,32]", "protocol[0].until_strain=0.06",
                 "barriers.softening_eV=0.3", "barriers.recovery_rate_per_s=1e9", "barriers.recovery_eV=0.7",
                 "output.history_strain_step=0.005", "output.nbed_strains=[]", "run.checkpoint_every_wall_s=1e6")
ARGUMENTS = SETTINGS + ["-q"]
SHORT = words("protocol[0].until_strain=0.05", "output.nbed_strains=[]")
SHARED = "the multilevel engine: the first rank draws the events, {} threads share the work"


def attributes(path):
    with h5py.File(path) as file:
        engine = dict(file["engine"].attrs)
        return file.attrs["state_hash"], engine, file["history/stress_axial_GPa"][()], int(file.attrs["ranks"])


def check_whole(whole):
    done = run(["run", INPUT, "-o", whole] + ARGUMENTS)
    expect("runs", done.returncode == 0, done.stderr)
    _, engine, stress, _ = attributes(whole)
    print(engine)
    expect("names itself", engine["name"] in ("multilevel", b"multilevel"), engine)
    expect("events", engine["events"] > 300 and engine["refreshes"] >= 1, engine)
    expect("bounds hold", engine["missed"] <= 1e-3 * engine["events"] + 1, engine)
    expect("does not look at every site", engine["passes"] < engine["events"] / 2, engine)
    expect("flows", stress.max() > 2.0, stress.max())


def check_slip(engine, seed, most, result):
    """Slip in a band, whose events add up in the blocks around: bounds that may be as loose there as elsewhere cost 2.8 of
    the 6,300 events of seed 6, and of seed 2 by the points engine 9.3 of 8,300, by estimate."""
    done = run(["run", INPUT, "-o", result, "--seed", seed, "-q"] + words(
        f"kmc.engine=\"{engine}\"", "lattice.cells=[64,64,32]", "protocol[0].until_strain=0.07",
        "microstructure.type=\"uniform\"", "barriers.softening_eV=0.3", "output.nbed_strains=[]",
        "output.history_strain_step=0.001"))
    expect("slips", done.returncode == 0, done.stderr)
    _, engine, stress, _ = attributes(result)
    expect("it softens", engine["events"] > 5000 and stress[-1] < 0.95 * stress.max(), engine)
    expect("bounds hold in slip bands", engine["missed"] < most, engine)


def rows(path):
    with h5py.File(path) as file:
        return len(file["history/time_s"])


def check_restarts(whole, broken):
    """Stops amid the events, between rows of its history. Then to the end, on two ranks."""
    state, engine, _, _ = attributes(whole)
    for looks in 1200, 500, 300:
        done = stop(["run", INPUT, "-o", broken, "--restart"] + ARGUMENTS, looks)
        expect(f"after {looks} looks", done.returncode == 75 and rows(broken) > 3, f"exit {done.returncode}: {done.stderr}")
    done = run(["run", INPUT, "-o", broken, "--restart"] + ARGUMENTS, ranks=2)
    expect("restarts", done.returncode == 0, done.stderr)
    expect("goes on bit for bit", attributes(broken)[0] == state, f"{attributes(broken)[0]} and {state}")
    expect("counts on", attributes(broken)[1]["candidates"] == engine["candidates"])


def check_ranks(folder):
    """`auto` takes the engine for its box alone: one trajectory on any number of ranks."""
    states = []
    for ranks in 1, 2, 3, 4:
        path = os.path.join(folder, f"{ranks}.h5")
        done = run(["run", INPUT, "-o", path] + SHORT, ranks=ranks)
        lines = [line[line.find("  ") + 2:] for line in done.stderr.splitlines()]  # without their dates
        expect(f"runs on {ranks}", done.returncode == 0 and lines.count("engine: multilevel (auto)") == 1, done.stderr)
        expect(f"threads of {ranks}", lines.count(SHARED.format(ranks)) == (ranks > 1) and "idle" not in done.stderr,
               done.stderr)
        states.append(attributes(path)[0])
        expect(f"one of {ranks} computes", attributes(path)[3] == 1)
    expect("same hash", len(set(states)) == 1, states)


def check_signals(whole, output):
    """SIGUSR1 to the idle rank alone, then through mpirun: each time a checkpoint, exit 75 and no rank left behind. Then to
    the end."""
    launch = [MPIRUN, "--bind-to", "none", "-n", "2", PROGRAM, "run", INPUT, "-o", output, "--restart"]
    for name in "idle rank", "mpirun":
        job = subprocess.Popen(launch + SETTINGS, stderr=subprocess.PIPE, text=True, start_new_session=True, env=napping())
        said = ""
        while "threads" not in said and (line := job.stderr.readline()):  # now the signals are caught
            said += line
        target = rank_of_job(job, 1) if name == "idle rank" else job.pid
        expect(f"{name} is found", target is not None, said)
        os.kill(target or job.pid, signal.SIGUSR1)
        try:
            said += job.communicate(timeout=1920)[1]
        except subprocess.TimeoutExpired:
            kill_session(job)
        expect(f"SIGUSR1 to {name}", job.returncode == 75 and "stopped by SIGUSR1" in said, f"exit {job.returncode}: {said}")
    done = run(["run", INPUT, "-o", output, "--restart"] + ARGUMENTS, ranks=3)
    expect("end after signals", done.returncode == 0, done.stderr)
    expect("signals leave no trace", attributes(output)[0] == attributes(whole)[0])


def check_failures(folder, whole):
    """What the working rank alone finds out ends all of them, with one message."""
    other = ["run", INPUT, "-o", whole, "--restart", "--seed", "9"] + ARGUMENTS
    expect_failure("another input", run(other, ranks=2), 2,
                   f"{whole}: of another input: it has `run.seed = 1L;`, this one `run.seed = 9L;`", ranks=2)
    nowhere = os.path.join(folder, "nowhere", "x.h5")
    expect_failure("no folder", run(["run", INPUT, "-o", nowhere] + ARGUMENTS, ranks=2), 3,
                   f"{nowhere}: cannot be written: the folder {os.path.dirname(nowhere)} is not there; make it first", ranks=2)


def check_sweep(folder):
    """A sweep gives each run of it one rank; what that means is told once."""
    write(os.path.join(folder, "s.cfg"), f"""input = "{INPUT}"; seed = 3;
set = [ "protocol[0].until_strain=0.047", "output.nbed_strains=[]" ];
axes = ( {{ key = "barriers.width_eV"; values = [0.10, 0.11]; }} );
""")
    found = []
    for each in 1, 2:
        name = f"sweep{each}"
        done = run(["sweep", "s.cfg", "-o", name, "--ranks-per-run", str(each)], 2, folder)
        expect(name, done.returncode == 0 and done.stderr.count("2 of 2 runs take the multilevel engine") == each - 1,
               done.stderr)
        found.append([attributes(os.path.join(folder, name, "runs", f"{i:06d}.h5"))[::3] for i in (0, 1)])
    expect("sweeps agree", found[0] == found[1] and found[0][0] != found[0][1] and found[0][0][1] == 1, found)


def check_choice(folder):
    for cells, asked, told in (([32, 40, 32], None, "multilevel (auto)"), ([32, 40, 32], "direct", "direct (as chosen)"),
                               ([32, 24, 32], None, "direct (auto, as multilevel needs 32 voxels per axis and the box has "
                                                    "32 x 24 x 32)")):
        chosen = words(f"lattice.cells={cells}", "nbed.foil_nm=13.0", *([f'kmc.engine="{asked}"'] if asked else []))
        done = run(["check", INPUT] + chosen, ranks=2)
        expect(f"check: {told}", f"\n# engine: {told}\n" in done.stdout and
               f'engine = "{told.split()[0]}";' in done.stdout, done.stdout + done.stderr)
        alone = told.startswith("multilevel")
        expect(f"cost: {told}", ("on 1 rank\n" if alone else "on 2 ranks\n") in done.stdout, done.stdout)
    done = run(["check", INPUT] + words("kmc.engine=\"multilevel\"", "lattice.cells=[16,32,32]"))
    expect("small box", done.returncode == 2 and "at least 32 per axis" in done.stderr, done.stderr)
    done = run(["info", os.path.join(folder, "1.h5")])
    expect("info", "\nengine: multilevel\n" in done.stdout, done.stdout)


def check_cost():
    """The estimate of inputs/cube-75nm.cfg: 399,156 events within 1.5, and a time of events, rows, levels and set-up."""
    done = run(["check", os.path.join(SOURCE, "inputs", "cube-75nm.cfg")])
    found = re.search(r"^# cost: about (\S+) events, (\S+) s on 1 rank$", done.stdout, re.MULTILINE)
    expect("cost of the cube", found and 399156 / 1.5 < float(found[1]) < 399156 * 1.5 and
           SECONDS / 1.5 < float(found[2]) < SECONDS * 1.5, done.stdout[-400:])
    cost = []
    for step in "0.01", "0.0001":  # rows alone differ, of a ramp in which little happens
        done = run(["check", INPUT, "--set", "output.history_strain_step=" + step] + SHORT +
                   words("protocol[0].until_strain=0.03", "lattice.cells=[64,64,64]"))
        cost.append(float(re.search(r" events, (\S+) s on", done.stdout)[1]))
    expect("cost of rows", cost[1] > 1.5 * cost[0], cost)


def main():
    with tempfile.TemporaryDirectory() as folder:
        whole = os.path.join(folder, "whole.h5")
        check_whole(whole)
        check_slip("multilevel", "6", 0.1, os.path.join(folder, "slip.h5"))
        check_slip("points", "2", 1.0, os.path.join(folder, "points.h5"))
        check_restarts(whole, os.path.join(folder, "broken.h5"))
        check_signals(whole, os.path.join(folder, "signals.h5"))
        check_failures(folder, whole)
        check_ranks(folder)
        check_sweep(folder)
        check_choice(folder)
        check_cost()
    finish()


main()
