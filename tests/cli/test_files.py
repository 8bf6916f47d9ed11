#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose files are whose: an output in use is locked, nothing that the run did not write is replaced, a torn result is
made again, and a run goes on with what it has read or not at all."""
import os
import shutil
import subprocess
import tempfile
import time

import h5py
import numpy as np

from harness import PROGRAM, SOURCE, expect, expect_failure, finish, read, run, write

SETTINGS = ["lattice.cells=[16,16,16]", "nbed.foil_nm=7.0", "nbed.probe_nm=0.6", "nbed.scans=1",
            "protocol[0].until_strain=0.05", "output.nbed_strains=[0.0,0.03]", "kmc.engine=direct"]
ARGUMENTS = [word for setting in SETTINGS for word in ("--set", setting)] + ["-q"]
STOP = ["--max-walltime", "0.001"]
LONG = ["--set", "protocol[0].until_strain=0.3"]


def state_hash(path):
    with h5py.File(path) as file:
        return file.attrs["state_hash"]


def check_lock(folder):
    """A second run of an output in use is refused, and the first ends as if nothing had been."""
    long = LONG
    run(["run", "inputs/a.cfg", "-o", "alone.h5"] + ARGUMENTS + long, cwd=folder)
    job = subprocess.Popen([PROGRAM, "run", "inputs/a.cfg", "-o", "l.h5"] + ARGUMENTS + long, cwd=folder)
    while not os.path.exists(os.path.join(folder, "l.lock")) and job.poll() is None:
        time.sleep(0.005)
    job.send_signal(19)  # SIGSTOP: it holds the lock as long as is needed
    for option in "--restart", "--force":
        done = run(["run", "inputs/a.cfg", "-o", "l.h5", option] + ARGUMENTS + long, cwd=folder)
        expect_failure(f"{option} of an output in use", done, 3, "l.h5: in use by another run, which goes on")
    done = run(["nbed", "snap.h5", "-o", "l.h5", "--force"], cwd=folder)
    expect("nbed -o of an output in use", done.returncode == 3 and "l.h5: in use by" in done.stderr, done.stderr)
    job.send_signal(18)
    expect("the first goes on", job.wait(timeout=120) == 0)
    expect("its hash", state_hash(f"{folder}/l.h5") == state_hash(f"{folder}/alone.h5"))
    expect("no lock is left", not os.path.exists(os.path.join(folder, "l.lock")))
    write(os.path.join(folder, "k.lock"), "")
    done = run(["run", "inputs/a.cfg", "-o", "k.h5"] + ARGUMENTS, cwd=folder)
    expect("a lock file of a crashed run", done.returncode == 0, done.stderr)
    write(os.path.join(folder, "k.lock"), "mine")
    done = run(["run", "inputs/a.cfg", "-o", "k.h5", "--force"] + ARGUMENTS, cwd=folder)
    expect("somebody's file named so", done.returncode == 2 and read(f"{folder}/k.lock") == b"mine", done.stderr)


def check_names(folder):
    """An input or a model named as a file that the run writes, somebody's file in its place, a name too long."""
    text = read(os.path.join(folder, "inputs", "a.cfg")).decode()
    for name in "v.ckpt.h5", "v.ckpt.prev.h5", "v.h5.new", "v.ckpt.h5.writing", "v.0001.hdf", "v.hdf.series":
        path = os.path.join(folder, "inputs", name)
        write(path, text)
        done = run(["run", name, "-o", "v.h5", "--force", "--set", "output.snapshots=true"] + ARGUMENTS,
                   cwd=f"{folder}/inputs")
        expect(f"input {name}", done.returncode == 2 and "is read by this run" in done.stderr
               and len(done.stderr.splitlines()) == 1 and read(path).decode() == text, done.stderr)
        os.remove(path)
    model = os.path.join(folder, "inputs", "m.ckpt.h5")
    shutil.copy(os.path.join(folder, "models", "zr65ni35.cfg"), model)
    done = run(["run", "a.cfg", "-o", "m.h5", "--set", 'model="m.ckpt.h5"'] + ARGUMENTS, cwd=f"{folder}/inputs")
    expect("model m.ckpt.h5", done.returncode == 2 and os.path.exists(model), done.stderr)
    for name in "u.ckpt.h5", "u.ckpt.prev.h5", "u.h5.new":
        write(os.path.join(folder, name), "mine")
        done = run(["run", "inputs/a.cfg", "-o", "u.h5"] + ARGUMENTS, cwd=folder)
        expect_failure(f"somebody's {name}", done, 3, f"{name}: exists already; --force replaces it")
        os.remove(os.path.join(folder, name))
    done = run(["run", "inputs/a.cfg", "-o", "n" * 248 + ".h5"] + ARGUMENTS, cwd=folder)
    expect("too long for its checkpoint", done.returncode == 2 and "too long a name" in done.stderr, done.stderr)
    done = run(["run", "inputs/a.cfg", "-o", "a\nb\x1b/x.h5"] + ARGUMENTS, cwd=folder)
    expect_failure("a newline in a name", done, 3, "a?b?/x.h5: cannot be written: No such file or directory")


def check_torn(folder):
    """A torn result beside its checkpoint, by itself and in a sweep."""
    run(["run", "inputs/a.cfg", "-o", "t.h5"] + STOP + ARGUMENTS, cwd=folder)
    path, whole = os.path.join(folder, "t.h5"), read(os.path.join(folder, "t.h5"))
    write(path, whole[:2000])
    done = run(["run", "inputs/a.cfg", "-o", "t.h5", "--restart"] + ARGUMENTS, cwd=folder)
    expect("torn", done.returncode == 0 and "t.h5: cannot be read, kept as t.torn.h5" in done.stderr, done.stderr)
    expect("torn: kept", read(os.path.join(folder, "t.torn.h5")) == whole[:2000])
    expect("torn: hash", state_hash(path) == state_hash(f"{folder}/whole.h5"))


def change(path):
    """Other content; and the time it was changed alone."""
    with open(path, "ab") as file:
        file.write(b"\n# another comment\n")


def check_content(folder):
    """Models, modes and fields that have changed between the parts of a run, or of a sweep."""
    with h5py.File(os.path.join(folder, "inputs", "field.h5"), "w") as file:
        file["x"] = np.random.default_rng(1).uniform(0.3, 0.4, (16, 16, 16))
    field = ["--set", 'microstructure.type="file"', "--set", 'microstructure.file="field.h5"', "--set",
             'microstructure.dataset="x"']
    cases = [("model", "zr65ni35", os.path.join(folder, "models", "zr65ni35.cfg"), []),
             ("stz.modes", "fcc", os.path.join(folder, "models", "modes", "fcc.cfg"), ["--set", 'stz.modes="fcc"']),
             ("microstructure.file", "field.h5", os.path.join(folder, "inputs", "field.h5"), field)]
    for key, name, path, more in cases:
        arguments = ["run", "inputs/a.cfg", "-o", "c.h5"] + ARGUMENTS + more + LONG
        done = run(arguments + STOP + ["--force"], cwd=folder)
        expect(f"{key}: stopped", done.returncode == 75, done.stderr)
        os.utime(path)
        done = run(arguments + STOP + ["--restart"], cwd=folder)
        expect(f"{key}: touched", done.returncode == 75, done.stderr)
        if key == "microstructure.file":
            with h5py.File(path, "r+") as file:
                file["x"][0, 0, 0] += 1e-3
        else:
            change(path)
        for there, of in ((True, "c.h5"), (False, "c.ckpt.h5")):
            if not there:
                os.remove(os.path.join(folder, "c.h5"))
            done = run(arguments + ["--restart"], cwd=folder)
            expect_failure(f"{key}: changed, {of}", done, 2,
                           f'{of}: of another input: the content of {key} "{name}" has changed since')


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "inputs"))
        shutil.copy(os.path.join(SOURCE, "inputs", "tension.cfg"), os.path.join(folder, "inputs", "a.cfg"))
        shutil.copytree(os.path.join(SOURCE, "models"), os.path.join(folder, "models"))
        for name, more in (("whole.h5", []), ("snap.h5", ["--set", "output.snapshots=true"])):
            done = run(["run", "inputs/a.cfg", "-o", name] + ARGUMENTS + more, cwd=folder)
            expect(name, done.returncode == 0, done.stderr)
        check_lock(folder)
        check_names(folder)
        check_torn(folder)
        check_content(folder)
    finish()


main()
