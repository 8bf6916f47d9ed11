#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkpoints: a run that was stopped or killed, and went on, is the run that was never interrupted, bit for bit."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

import h5py
import numpy as np

from harness import (
    MPIRUN, PROGRAM, SOURCE, checkpoints, expect, expect_failure, finish, kill_session, napping, read, run, stop,
    wait_for_progress, write,
)

INPUT = os.path.join(SOURCE, "inputs", "tension.cfg")
SETTINGS = ["lattice.cells=[32,24,24]", "protocol[0].until_strain=0.062", "output.nbed_strains=[0.0,0.05]",
            "output.snapshot_strains=[0.0,0.045,0.06]", "nbed.foil_nm=13.0", "nbed.scans=4",
            "output.snapshots=true", "output.events=true", "output.avalanches=true",
            "run.checkpoint_every_wall_s=0.15"]
ARGUMENTS = [word for setting in SETTINGS for word in ("--set", setting)] + ["-q"]
KILLS = 20


def contents(path):
    """Every dataset of a result, and its state hash."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
        return found, file.attrs.get("state_hash"), int(file.attrs["complete"])


def snapshots(path):
    """Every dataset of its three snapshots, and their list."""
    found, stem = {}, path.removesuffix(".h5")
    for i in range(3):
        with h5py.File(f"{stem}.{i:04}.hdf") as file:
            found.update({f"snapshot {i} {name}": array[()] for name, array in file["VTKHDF/PointData"].items()})
    listed = json.loads(read(stem + ".hdf.series"))["files"]
    found["list"] = np.array([entry["time"] for entry in listed])
    return found


def expect_same(name, path, whole):
    ours, theirs = contents(path), contents(whole)
    expect(name + ": hash", ours[1] == theirs[1] and ours[1], f"{ours[1]} and {theirs[1]}")
    expect(name + ": complete", ours[2] == 1)
    expect(name + ": datasets", ours[0].keys() == theirs[0].keys())
    ours[0].update(snapshots(path))
    theirs[0].update(snapshots(whole))
    expect(name + ": snapshots", ours[0].keys() == theirs[0].keys())
    for key, value in theirs[0].items():
        if not key.startswith("config/"):
            same = np.array_equal(ours[0].get(key), value, equal_nan=value.dtype.kind == "f")
            expect(f"{name}: {key}", same, "differs from the unbroken run")


def check_kills(folder, whole):
    """SIGKILL twenty times, on one rank to three; then to the end. What a run has written decides when it is killed, and
    where it gets to its end meanwhile, which depends on the machine, it is looked at and begun again."""
    chance = random.Random(7)
    output = os.path.join(folder, "killed.h5")
    kills, trials = 0, 0
    while kills < KILLS and trials < 5 * KILLS:
        ranks = (1, 1, 2, 1, 3)[trials % 5]
        trials += 1
        launch = [MPIRUN, "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
        job = subprocess.Popen(launch + [PROGRAM, "run", INPUT, "-o", output, "--restart"] + ARGUMENTS,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                               env=napping(0.001))
        wait_for_progress(job, output, chance)
        kills += job.poll() is None
        kill_session(job)
        if job.returncode == 0:
            expect_same(f"ended after {kills} kills", output, whole)
            os.remove(output)
        else:
            expect(f"trial {trials}: killed", job.returncode == -signal.SIGKILL, f"exit {job.returncode}")
        if os.path.exists(output):
            try:
                h5py.File(output).close()
            except OSError as error:
                expect(f"result after kill {kills}", False, str(error))
    expect("kills", kills == KILLS, f"only {kills} of {trials} met a running job")
    done = run(["run", INPUT, "-o", output, "--restart"] + ARGUMENTS)
    expect("end after kills", done.returncode == 0, done.stderr)
    expect_same("killed", output, whole)
    expect("no checkpoint is left", not any(map(os.path.exists, checkpoints(folder, "killed"))))


def check_stops(folder, whole):
    """Exit 75 at the wall time and at each signal, and a checkpoint each time."""
    output = os.path.join(folder, "stopped.h5")
    done = stop(["run", INPUT, "-o", output] + ARGUMENTS, 50)
    expect("walltime", done.returncode == 75, f"exit {done.returncode}")
    done = run(["run", INPUT, "-o", os.path.join(folder, "short.h5"), "--max-walltime", "1e-9"] + ARGUMENTS[:-1])
    expect("walltime below the set-up", done.returncode == 75 and
           re.search(r"no step was taken in this part, as its set-up took \S+ s: allow far more than --max-walltime 1e-09\n",
                     done.stderr), f"exit {done.returncode}: {done.stderr}")
    for name in signal.SIGTERM, signal.SIGINT, signal.SIGUSR1:
        job = subprocess.Popen([PROGRAM, "run", INPUT, "-o", output, "--restart"] + ARGUMENTS[:-1],
                               stderr=subprocess.PIPE, text=True, env=napping())
        said = ""
        while "going on from" not in said and (line := job.stderr.readline()):  # the run is under way
            said += line
        job.send_signal(name)
        said += job.stderr.read()
        expect(f"{name.name}", job.wait(timeout=480) == 75 and "going on from" in said, f"exit {job.returncode}: {said}")
    done = run(["run", INPUT, "-o", output, "--restart"] + ARGUMENTS, ranks=2)
    expect("end after stops", done.returncode == 0, done.stderr)
    expect_same("stopped", output, whole)
    before = read(output)
    done = run(["run", INPUT, "-o", output, "--restart"] + ARGUMENTS)
    expect("restart of a finished run", done.returncode == 0 and read(output) == before, "touched")
    done = run(["run", INPUT, "-o", output, "--restart", "--seed", "9"] + ARGUMENTS)
    expect_failure("restart of another input", done, 2,
                   f"{output}: of another input: it has `run.seed = 1L;`, this one `run.seed = 9L;`")
    expect("the finished result is kept", read(output) == before)


def check_between_snapshots(folder, whole):
    """A run that is stopped between two snapshots lists the first, with its time, when it goes on. Where it gets to its
    end meanwhile, which depends on the machine, it is begun again."""
    output = os.path.join(folder, "between.h5")
    files = [os.path.join(folder, f"between.{i:04}.hdf") for i in range(3)]
    for _ in range(20):
        for path in filter(os.path.exists, [output, *files]):
            os.remove(path)
        job = subprocess.Popen([PROGRAM, "run", INPUT, "-o", output, "--force"] + ARGUMENTS, stderr=subprocess.DEVNULL,
                               env=napping(0.01))
        while job.poll() is None and not os.path.exists(files[1]):
            time.sleep(0.002)
        job.send_signal(signal.SIGTERM)
        if job.wait(timeout=480) == 75 and not os.path.exists(files[2]):
            break
    expect("stopped between snapshots", job.returncode == 75 and not os.path.exists(files[2]), f"exit {job.returncode}")
    done = run(["run", INPUT, "-o", output, "--restart"] + ARGUMENTS)
    expect("end after a stop between snapshots", done.returncode == 0, done.stderr)
    expect_same("stopped between snapshots", output, whole)


def stopped(folder, stem):
    """A stopped run with both its checkpoints."""
    output = os.path.join(folder, stem + ".h5")
    for part in "first", "second":
        done = stop(["run", INPUT, "-o", output, "--restart"] + ARGUMENTS, 80)
        expect(f"stopped {stem}, {part} part", done.returncode == 75, f"exit {done.returncode}")
    return output


def check_damage(folder, whole):
    """A checkpoint cut short, with a flipped bit, or foreign is ignored; the previous one, or the start, serves."""
    output = stopped(folder, "damaged")
    newest, previous = checkpoints(folder, "damaged")
    good = read(newest)
    expect("two checkpoints", os.path.exists(previous))
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 4
    for name, data in (("cut", good[:len(good) // 3]), ("flipped", bytes(flipped)), ("foreign", b"something else\n"),
                       ("empty", b"")):
        write(newest, data)
        done = stop(["run", INPUT, "-o", output, "--restart"] + ARGUMENTS[:-1], 80)
        expect(name, done.returncode == 75 and "cut short, damaged, or not a checkpoint; kept as" in done.stderr
               and "going on from " + previous in done.stderr, done.stderr)
        shutil.copy(newest, previous)  # what was just saved is whole
    done = run(["run", INPUT, "-o", output, "--restart"] + ARGUMENTS)
    expect("end after damage", done.returncode == 0, done.stderr)
    expect_same("damaged", output, whole)

    output = stopped(folder, "lost")
    for path in checkpoints(folder, "lost"):
        if os.path.exists(path):
            os.remove(path)
    done = run(["run", INPUT, "-o", output, "--restart"] + ARGUMENTS[:-1])
    expect("no checkpoint", done.returncode == 0 and "starting from the beginning" in done.stderr, done.stderr)
    expect_same("lost", output, whole)

    output = stopped(folder, "other")
    before = read(output)
    for ranks in 1, 3:
        done = run(["run", INPUT, "-o", output, "--restart"] + ARGUMENTS + ["--set", "barriers.width_eV=0.11"], ranks)
        expect_failure(f"unfinished run of another input on {ranks}", done, 2,
                       f"{output}: of another input: it has `barriers.width_eV = 0.1;`, this one `barriers.width_eV = 0.11;`", ranks)
    os.remove(output)
    done = run(["run", INPUT, "-o", output, "--restart"] + ARGUMENTS + ["--set", "barriers.width_eV=0.11"])
    expect_failure("checkpoint of another input", done, 2,
                   f"{checkpoints(folder, 'other')[0]}: of another input: it has `barriers.width_eV = 0.1;`, "
                   "this one `barriers.width_eV = 0.11;`")
    write(output, before)
    write(output, "not a result\n")
    done = run(["run", INPUT, "-o", output, "--restart"] + ARGUMENTS)
    aside = os.path.join(folder, "other.torn.h5")
    expect("a foreign output is kept aside", done.returncode == 0 and read(aside) == b"not a result\n", done.stderr)
    expect_same("made again from the checkpoint", output, whole)
    write(output, "not a result\n")
    done = run(["run", INPUT, "-o", output, "--restart"] + ARGUMENTS)
    expect("without a checkpoint it is left", done.returncode == 3 and read(output) == b"not a result\n", done.stderr)


def check_softening(folder):
    """Damage and its recovery go on as if nothing had happened."""
    soft = ARGUMENTS + ["--set", "barriers.softening_eV=0.1", "--set", "stz.quenched_strain=0.01", "--set", "barriers.recovery_rate_per_s=1e10",
                        "--set", "barriers.recovery_eV=0.9"]
    whole, output = os.path.join(folder, "soft_whole.h5"), os.path.join(folder, "soft.h5")
    done = run(["run", INPUT, "-o", whole] + soft)
    expect("unbroken run with softening", done.returncode == 0, done.stderr)
    for ranks in 1, 2:
        done = stop(["run", INPUT, "-o", output, "--restart"] + soft, 300, ranks)
        expect("stopped run with softening", done.returncode == 75, f"exit {done.returncode}")
    done = run(["run", INPUT, "-o", output, "--restart"] + soft)
    expect("end of the run with softening", done.returncode == 0, done.stderr)
    expect_same("softening", output, whole)


def main():
    with tempfile.TemporaryDirectory() as folder:
        whole = os.path.join(folder, "whole.h5")
        done = run(["run", INPUT, "-o", whole] + ARGUMENTS)
        expect("unbroken run", done.returncode == 0, done.stderr)
        check_kills(folder, whole)
        check_softening(folder)
        check_stops(folder, whole)
        check_between_snapshots(folder, whole)
        check_damage(folder, whole)
    finish()


main()
