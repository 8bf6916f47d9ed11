#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Studies are sweeps: `stzkmc sweep` and the job scripts take the files that stz-post writes; nothing is lost or done
twice when a study is stopped, killed, or carried out by two calls at once; a failed run is named with its log."""
import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

import h5py

from harness import PROGRAM, SOURCE, expect, finish, read, run, write

# A study of two small sweeps: DRIVER DIR JOBS STRAIN SPARE
DRIVER = f"""
import sys
sys.path.insert(0, {os.path.join(SOURCE, "postprocess")!r})
from stzpost.errors import StzPostError
from stzpost.studies import launch
from stzpost.studies.sweeps import CONSECUTIVE, Axis, Sweep
directory, jobs, strain, spare = sys.argv[1:]
settings = ("lattice.cells=[16, 16, 16]", "nbed.foil_nm=9.0", "output.nbed_strains=[]", "output.history_strain_step=0.01",
            f"protocol[0].until_strain={{strain}}")
sweeps = [Sweep("widths", "tension.cfg", settings, (Axis("barriers.width_eV", (0.05, 0.1)),), (3, 5, 7)),
          Sweep("numbered", "tension.cfg", settings, (Axis("barriers.width_eV", (0.05, 0.07, 0.1)),), CONSECUTIVE)]
try:
    for one in launch.carry_out(sweeps, {PROGRAM!r}, {os.path.join(SOURCE, "inputs")!r}, directory, int(jobs),
                                spare=float(spare)):
        print(one.sweep, one.number, one.seed, one.values["width_eV"], one.path)
except StzPostError as error:
    print(f"stz-post: {{error}}", file=sys.stderr)
    sys.exit(error.code)
"""
RUNS = 9
LOCK_OF_RUN = 2**40 + 1  # src/sweep/manifest.c: the byte that stands for run 0
SEEDS = [3, 5, 7, 3, 5, 7, 1, 2, 3]


def begin(folder, directory, jobs=2, strain=0.06, spare=0.0):
    words = map(str, (directory, jobs, strain, spare))
    return subprocess.Popen([sys.executable, os.path.join(folder, "driver.py"), *words],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def carried_out(folder, directory, **more):
    job = begin(folder, directory, **more)
    out, said = job.communicate(timeout=480)
    return job.returncode, out, said


def until(job, words):
    """What the study says up to a line with these words."""
    said = ""
    while words not in said and (line := job.stderr.readline()):
        said += line
    return said


def states(directory):
    """{(sweep, run): [its states, in order]}."""
    found = {}
    for name in "widths", "numbered":
        path = os.path.join(directory, name, "manifest.jsonl")
        for line in read(path).decode().splitlines() if os.path.exists(path) else ():
            entry = json.loads(line)
            if "run" in entry:
                found.setdefault((name, entry["run"]), []).append(entry["state"])
    return found


def hashes(out):
    found = []
    for line in out.splitlines():
        with h5py.File(line.split()[-1]) as file:
            found.append(file.attrs["state_hash"])
    return found


def processes(directory):
    """Those of `stzkmc sweep` that work there."""
    found = subprocess.run(["pgrep", "-f", re.escape(f"sweep {directory}")], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


@contextlib.contextmanager
def another_call(folder, directory):
    """A study of which run 0 of the first sweep is done, while somebody works on run 1, whose lock ends with the file."""
    os.makedirs(directory)
    run(["sweep", os.path.join(folder, "one", "widths.cfg"), "-o", os.path.join(directory, "widths"), "-q", "--only", "0"])
    with open(os.path.join(directory, "widths", "manifest.jsonl"), "r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX, 1, LOCK_OF_RUN + 1)
        yield


def expect_whole(name, directory, done, reference):
    code, out, said = done
    expect(f"{name}: exit", code == 0, f"{code}: {said}")
    expect(f"{name}: the same runs", hashes(out) == reference, out)
    expect(f"{name}: each done once", all(seen.count("done") == 1 for seen in states(directory).values()),
           states(directory))


def check_runs(folder):
    """Each run is that of `stzkmc run` with its seed; lines of progress; a second time nothing is run."""
    directory = os.path.join(folder, "one")
    code, out, said = carried_out(folder, directory)
    lines = [line.split() for line in out.splitlines()]
    expect("all runs", code == 0 and [int(line[2]) for line in lines] == SEEDS, f"{said}{out}")
    expect("values", [float(line[3]) for line in lines] == [0.05] * 3 + [0.1] * 3 + [0.05, 0.07, 0.1], out)
    expect("progress", said.startswith("0/9 runs done, 2 at a time\n")
           and re.search(r"^9/9, none left; \w+: run \d done after ", said, re.M)
           and len(re.findall(r"^\d/9, [^;]+; \w+: run \d done after ", said, re.M)) == RUNS, said)
    alone = os.path.join(folder, "alone.h5")
    sets = ["lattice.cells=[16, 16, 16]", "nbed.foil_nm=9.0", "output.nbed_strains=[]", "output.history_strain_step=0.01",
            "protocol[0].until_strain=0.06", "barriers.width_eV=0.07"]
    run(["run", os.path.join(SOURCE, "inputs", "tension.cfg"), "-o", alone, "-q", "--seed", "2"]
        + [word for one in sets for word in ("--set", one)])
    expect("a run by hand", hashes(out)[7] == hashes(alone)[0])
    before = states(directory)
    code, _, said = carried_out(folder, directory)
    expect("nothing is run twice", code == 0 and said == "all 9 runs are done\n" and states(directory) == before, said)
    return hashes(out)


def check_stops(folder, reference):
    """Signals stop it with 75, its processes too; killed, its processes or it alone, it goes on as well."""
    directory = os.path.join(folder, "stopped")
    with another_call(folder, directory):  # so that the study cannot come to its end first
        for name in signal.SIGINT, signal.SIGTERM:
            job = begin(folder, directory)
            until(job, " at a time")
            job.send_signal(name)
            said = job.stderr.read()
            expect(name.name, job.wait(timeout=480) == 75
                   and re.search(rf"stopped by {name.name}: \d of 9 runs are done, the same command goes on$", said), said)
            expect(f"{name.name}: no process is left", processes(directory) == [], processes(directory))
    job = begin(folder, directory)
    until(job, "at a time")
    job.kill()  # its processes finish what there is, or go on beside the next call
    job = begin(folder, directory)
    until(job, "done")
    for number in [job.pid, *processes(directory)]:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            pass
    job.communicate()
    expect_whole("stopped and killed", directory, carried_out(folder, directory), reference)


def check_two_calls(folder, reference):
    directory = os.path.join(folder, "both")
    jobs = [begin(folder, directory, jobs=1) for _ in range(2)]
    done = [(*job.communicate(timeout=480), job.returncode) for job in jobs]
    for i, (out, said, code) in enumerate(done):
        expect_whole(f"two calls at once, {i}", directory, (code, out, said), reference)

    directory = os.path.join(folder, "waits")
    with another_call(folder, directory):
        job = begin(folder, directory)
        said = until(job, "waiting")
        expect("waits for another call", "8/9, " in said and "1 run left to another call, waiting" in said, said)
    out, said = job.communicate(timeout=480)
    expect_whole("the other call is gone", directory, (job.returncode, out, said), reference)


def check_failures(folder):
    directory = os.path.join(folder, "failing")
    in_the_way = os.path.join(directory, "widths", "runs", "000004.h5")
    os.makedirs(in_the_way)
    code, out, said = carried_out(folder, directory)
    log = os.path.join(directory, "widths.log")
    expect("a failed run is named with its log", code == 2 and not out and said.splitlines()[-1].startswith(
        f"stz-post: 1 of 9 runs failed, the first: widths, run 4 (seed 5, width_eV 0.1): {in_the_way}: ")
        and said.endswith(f"; its log: {log}\n") and b"run 4 failed" in read(log), said)
    expect("the others went on", sum(seen[-1] == "done" for seen in states(directory).values()) == 8)
    few, many = (carried_out(folder, directory, spare=share) for share in (0.1, 0.12))
    expect("too many failed", few[0] == 2 and not few[1], few)
    expect("few may fail, and are left out", many[0] == 0 and len(many[1].splitlines()) == 8
           and "left out: 1 of 9 runs failed, the first: widths, run 4 (" in many[2], many)
    kept = read(os.path.join(directory, "widths.cfg"))
    code, out, said = carried_out(folder, directory, strain=0.05)
    expect("other settings are refused", code == 2 and said.endswith(
        f"widths/manifest.jsonl: of another input: it has `protocol[0].until_strain = 0.06;`, this one `protocol[0].until_strain = 0.05;`; remove "
        f"{directory}/widths, or give another -o\n"), said)
    expect("and leave the sweep files", read(os.path.join(directory, "widths.cfg")) == kept
           and sorted(name for name in os.listdir(directory) if ".cfg" in name) == ["numbered.cfg", "widths.cfg"])
    os.rmdir(in_the_way)
    expect("mended", carried_out(folder, directory)[0] == 0)
    code, _, said = carried_out(folder, os.path.join(folder, "none"), strain=-1)
    expect("what no sweep takes", code == 2 and "until_strain: got -1" in said
           and not os.path.exists(os.path.join(folder, "none")), said)


def check_the_studies(folder):
    """The files of all studies are accepted, and are as many runs as the pages say; one by the job script."""
    text = b"".join(read(os.path.join(SOURCE, "docs", page)) for page in ("experiment.md", "bands.md")).decode()
    for name in "experiment", "bands", "calibrate":
        for more in [], ["--quick"]:
            said = re.search(rf"run/{name}{' --quick' if more else ' '} +# (\d+) runs", text)
            directory = os.path.join(folder, "-".join([name, *more]))
            command = [os.path.join(SOURCE, "postprocess", "stz-post"), name, *more, "-o", directory, "--dry-run"]
            done = subprocess.run([*command, "--program", PROGRAM], capture_output=True, text=True)
            expect(f"{name} {more}", done.returncode == 0 and said
                   and done.stdout.splitlines()[-1].startswith(f"{said[1]} of {said[1]} runs left, "), done)
            left = [one for one in os.listdir(directory) if not one.endswith(".cfg") and one != "waves"]
            expect(f"{name} {more}: nothing is run", not left, left)
    directory = os.path.join(folder, "calibrate---quick")
    environment = dict(os.environ, STZKMC=PROGRAM, STZKMC_LAUNCH="env", SLURM_SUBMIT_DIR=SOURCE, SLURM_ARRAY_TASK_ID="0",
                       SLURM_ARRAY_TASK_MIN="0", SLURM_ARRAY_TASK_COUNT="40")
    sweep = os.path.join(directory, "elastic")
    done = subprocess.run([os.path.join(SOURCE, "run", "slurm", "array.sbatch"), sweep + ".cfg", sweep], env=environment,
                          capture_output=True, text=True)
    rows = run(["sweep", sweep + ".cfg", "-o", sweep, "--list"]).stdout.splitlines()[1:]
    expect("the job script", done.returncode == 0 and sum(" done " in row for row in rows) == 1 and len(rows) == 40,
           f"{done.stderr}{rows}")


with tempfile.TemporaryDirectory() as scratch:
    write(os.path.join(scratch, "driver.py"), DRIVER)
    hashes_of_runs = check_runs(scratch)
    check_stops(scratch, hashes_of_runs)
    check_two_calls(scratch, hashes_of_runs)
    check_failures(scratch)
    check_the_studies(scratch)
finish()
