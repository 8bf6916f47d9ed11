#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs from Python: `stzpost.run` gives what the command gives, says the program's one line as an exception, and is stopped
by Ctrl-C with a checkpoint from which it goes on to the same state."""
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile

from harness import PROGRAM, SOURCE, expect, finish, napping, run

sys.path.insert(0, os.path.join(SOURCE, "postprocess"))
import stzpost  # noqa: E402

INPUT = {
    "model": "zr65ni35",
    "lattice": {"cells": [16, 16, 16]},
    "protocol": [{"type": "strain-rate", "rate_per_s": 1e-6, "until_strain": 0.06, "temperature_K": 295.0}],
    "run": {"seed": 3},
}


LONG = {"protocol": {0: {"until_strain": 0.12}}}


CHILD = f"""
import sys
sys.path.insert(0, {os.path.join(SOURCE, "postprocess")!r})
import stzpost
try:
    stzpost.run({INPUT!r}, "Ctrl-C.h5", program={PROGRAM!r}, progress=lambda now: print(now.share, flush=True), **{LONG!r})
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def refused(name, message, code, *words, **settings):
    try:
        stzpost.run(*words, program=settings.pop("program", PROGRAM), **settings)
        expect(name, False, "was not refused")
    except stzpost.StzPostError as error:
        expect(name, re.search(message, str(error)) and "\n" not in str(error) and error.code == code,
               f"{error.code}: {error}")


def check_runs():
    said = []
    found = stzpost.run(INPUT, "dict.h5", program=PROGRAM, progress=said.append)
    expect("a Dataset", abs(float(found.strain_axial[-1]) - 0.06) < 1e-9 and found.attrs["complete"] == 1, found.attrs)
    expect("progress", said and said[-1].share == 1.0 and said[-1].type == "strain-rate" and said[-1].segments == 1
           and abs(said[-1].strain - 0.06) < 1e-5 and said[-1].events == int(found.events[-1]), said)
    expect("no input is left behind", not [name for name in os.listdir() if name.startswith(".run-")], os.listdir())
    text = """model = "zr65ni35";\nlattice: { cells = [16, 16, 16]; };\nprotocol = ({ type = "strain-rate"; until_strain = 0.02;
    rate_per_s = 1.0e-6; temperature_K = 295.0; });\n"""
    with open("file.cfg", "w", encoding="utf-8") as file:
        file.write(text)
    sets = {"protocol": [{"until_strain": 0.06}], "run": {"seed": 3}}
    by_file, by_text = (stzpost.run(one, to, program=PROGRAM, **sets) for one, to in (("file.cfg", None), (text, "t.h5")))
    run(["run", "file.cfg", "-o", "command.h5", "-q", "--set", "protocol[0].until_strain=0.06", "--seed", "3"])
    hashes = {one.attrs["state_hash"] for one in (found, by_file, by_text, stzpost.open_run("command.h5"))}
    expect("the same run in four ways", len(hashes) == 1 and os.path.exists("file.h5"), hashes)
    several = stzpost.run(INPUT, "two.h5", program=PROGRAM, ranks=2)
    expect("on two ranks", several.attrs["state_hash"] in hashes and several.attrs["ranks"] == 2, several.attrs)
    again = stzpost.run(INPUT, "dict.h5", program=PROGRAM, restart=True)
    expect("a finished one is taken as it is", again.attrs["created_utc"] == found.attrs["created_utc"])


def check_refusals():
    refused("exists", "dict.h5.*exists", 3, INPUT, "dict.h5")
    refused("key", r"barriers.with_eV", 2, INPUT, "new.h5", barriers={"with_eV": 0.1})
    refused("on two ranks", r"barriers.with_eV", 2, INPUT, "new.h5", barriers={"with_eV": 0.1}, ranks=2)
    refused("value", r"width_eV.*-1", 2, INPUT, "new.h5", barriers={"width_eV": -1.0})
    refused("no file", "nothing.cfg", 3, "nothing.cfg", "new.h5")
    refused("no program", "no such program; build it", 2, INPUT, "new.h5", program="no-such-program")
    for ranks in 0, 10**9:
        refused("ranks", f"ranks: got {ranks}, needs a whole number from 1 to 65536", 2, INPUT, "new.h5", ranks=ranks)
    refused("early", "restart=True", 75, INPUT, "early.h5", max_walltime_s=1e-9, **LONG)
    odd = "needs a text without NUL and half characters"
    for text in "a\0b", "\ud800":
        refused("odd value", odd, 2, {**INPUT, "model": text}, "new.h5")
        refused("odd setting", odd, 2, INPUT, "new.h5", barriers={"law": text})
        refused("odd output", odd, 2, INPUT, f"new{text}.h5")
        refused("odd input", odd, 2, f"{text}.cfg", "new.h5")
    refused("an input like an option", r"\./--force: cannot be opened", 3, "--force", "new.h5")
    expect("nothing is written", not os.path.exists("new.h5"))


def by_signal():
    """Ctrl-C at a Python process of its own, once its run is under way."""
    job = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, env=napping(0.05))
    job.stdout.readline()
    job.send_signal(signal.SIGINT)
    said = job.communicate(timeout=480)[0]
    expect("Ctrl-C", said.endswith("interrupted\n"), said)


def by_callback(name, ranks):
    def fail(now):
        raise KeyboardInterrupt

    before = dict(os.environ)
    os.environ.update(napping(0.05))
    try:
        stzpost.run(INPUT, f"{name}.h5", program=PROGRAM, ranks=ranks, progress=fail, **LONG)
        expect(name, False, "goes on")
    except KeyboardInterrupt:
        pass
    finally:
        os.environ.clear()
        os.environ.update(before)


def check_stop(name, whole, stop, ranks=1):
    """A checkpoint, and on to the same state."""
    stop()
    expect(f"{name}: a checkpoint", glob.glob(f"{name}.ckpt*.h5"), os.listdir())
    on = stzpost.run(INPUT, f"{name}.h5", program=PROGRAM, ranks=ranks, restart=True, **LONG)
    expect(f"{name}: goes on to the same state", on.attrs["state_hash"] == whole.attrs["state_hash"])


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.argv[2]), os.environ["PATH"]])
    check_runs()
    check_refusals()
    whole = stzpost.run(INPUT, "whole.h5", program=PROGRAM, **LONG)
    check_stop("Ctrl-C", whole, by_signal)
    for ranks in (1, 2):
        check_stop(f"called{ranks}", whole, lambda: by_callback(f"called{ranks}", ranks), ranks)
    os.chdir("/")
finish()
