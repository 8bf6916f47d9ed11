#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILLs without end: `soak.py PROGRAM MPIRUN SOURCE_DIR [KILLS [SEED]]`, 40 by default, a thousand in some hours.

Runs of every engine on one rank to four, of the points engine also in windows of several lengths, and a sweep on two are
killed in random moments, as whole jobs or one rank of them, and go on from what is left. Now and then one rank is
stopped for a second. A job whose rank was killed ends within a minute, says so, and is no success. Whatever gets to its
end is the unbroken run."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from harness import (
    MPIRUN, PROGRAM, SOURCE, expect, finish, kill_session, napping, rank_of_job, read, run, wait_for_progress, write,
)

KILLS, SEED = [int(word) for word in (sys.argv[4:] + ["40", "1"][len(sys.argv[4:]):])]
MINUTE = 60.0
SETTINGS = ["protocol[0].until_strain=0.062", "output.nbed_strains=[0.0,0.05]", "nbed.foil_nm=13.0", "nbed.scans=4",
            "output.events=true", "run.checkpoint_every_wall_s=0.15"]
WINDOWS = {2: ("0", "5", "1000"), 3: ("1000",), 4: ("20",)}  # ranks: STZKMC_WINDOW
ENGINES = {"direct": "[16,24,24]", "multilevel": "[32,32,32]", "points": "[64,32,32]"}
SWEEP = """input = "%s";
set = [ "lattice.cells=[16,16,16]", "nbed.foil_nm=9.0", "protocol[0].until_strain=0.06" ];
axes = ( { key = "barriers.width_eV"; values = [0.05, 0.1]; } );
replicas = 3;
""" % os.path.join(SOURCE, "inputs", "tension.cfg")


class Run:
    """One engine on a number of ranks: the command, and whether its end is that of the unbroken run."""

    def __init__(self, engine, ranks, whole, window=None):
        """`window`: STZKMC_WINDOW, the events of a window of the points engine; None: as usual, without it."""
        self.name, self.ranks, self.whole, self.window = f"{engine} on {ranks}", ranks, whole, window
        self.output = f"{engine}{ranks}.h5"
        if window:
            self.name, self.output = f"{self.name}, windows {window}", f"{engine}{ranks}-{window}.h5"
        settings = [*SETTINGS, f"lattice.cells={ENGINES[engine]}", f"kmc.engine={engine}"]
        self.words = ["run", os.path.join(SOURCE, "inputs", "tension.cfg"), "-q"] + [word for one in settings for word in ("--set", one)]

    def arguments(self):
        return [*self.words, "-o", self.output, "--restart"]

    def watched(self):
        return self.output

    def state(self, folder, output=None):
        return re.search(r"state_hash: (\w+)", run(["info", output or self.output], cwd=folder).stdout + "state_hash: none")[1]

    def find_whole(self, folder):
        if self.whole not in os.listdir(folder):
            done = run([*self.words, "-o", self.whole], cwd=folder)
            expect(f"{self.name}: the unbroken run", done.returncode == 0, done.stderr)
        return self.state(folder, self.whole)

    def begin_again(self, folder):
        os.remove(os.path.join(folder, self.output))


class Sweep:
    """A sweep on two ranks."""

    name, ranks, output, window = "sweep", 2, "sweep", None

    def arguments(self):
        return ["sweep", "s.cfg", "-o", self.output, "--resume", "-q"]

    def watched(self):
        return "sweep/manifest.jsonl"

    def state(self, folder, output=None):
        """The hashes that the manifest's last lines have, of runs that are all done."""
        last = {}
        for line in read(os.path.join(folder, output or self.output, "manifest.jsonl")).decode().splitlines()[1:]:
            if line.endswith("}"):  # not torn
                entry = json.loads(line)
                last.setdefault(entry["run"], {}).update(entry)
        return {number: (entry["state"], entry.get("state_hash")) for number, entry in last.items()}

    def find_whole(self, folder):
        write(os.path.join(folder, "s.cfg"), SWEEP)
        done = run(["sweep", "s.cfg", "-o", "whole", "-q"], cwd=folder)
        expect("the unbroken sweep", done.returncode == 0, done.stderr)
        return self.state(folder, "whole")

    def begin_again(self, folder):
        shutil.rmtree(os.path.join(folder, self.output))


def environment(case):
    return {"STZKMC_TEAM_BRISK": "1", "STZKMC_WINDOW": case.window} if case.window else {}


def kill_rank(case, job, chance):
    """One rank of a job: mpirun ends the others. Whether the rank was there."""
    process = rank_of_job(job, chance.randrange(case.ranks))
    if process is None:
        return False
    os.kill(process, signal.SIGKILL)
    try:
        said = job.communicate(timeout=MINUTE)[1]
        ended = job.returncode == 0  # its work was done
        told = "signal 9" in said or "non-zero exit code" in said  # the latter of a rank that mpirun does not know yet
        expect(f"{case.name}: one rank killed", ended or (job.returncode > 0 and told), f"{job.returncode}: {said[-600:]}")
    except subprocess.TimeoutExpired:
        expect(f"{case.name}: ends within a minute", False)
    return True


def pause_rank(case, job, chance):
    """One rank stands still for a second."""
    process = rank_of_job(job, chance.randrange(case.ranks))
    if process is not None:
        os.kill(process, signal.SIGSTOP)
        time.sleep(1.0)
        os.kill(process, signal.SIGCONT)


def attempt(case, folder, chance, whole):
    """Begins a job or goes on with it, and kills it; whether it was running."""
    launch = [MPIRUN, "--bind-to", "none", "-n", str(case.ranks)] if case.ranks > 1 else []
    job = subprocess.Popen(launch + [PROGRAM] + case.arguments(), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                           text=True, start_new_session=True, env=napping(0.001) | environment(case))
    wait_for_progress(job, os.path.join(folder, case.watched()), chance)
    what, met = chance.random(), False
    if case.ranks > 1 and what < 0.1:
        pause_rank(case, job, chance)
    if case.ranks > 1 and what > 0.6:
        met = kill_rank(case, job, chance)
    met = met or job.poll() is None
    kill_session(job)
    said = job.stderr.read() if not job.stderr.closed else ""
    if job.returncode == 0:
        expect(f"{case.name}: its end", case.state(folder) == whole, f"{case.state(folder)}, not {whole}")
        case.begin_again(folder)
        return False
    expect(f"{case.name}: killed, not failed", met or job.returncode < 0, f"exit {job.returncode}: {said[-600:]}")
    return met


def main():
    chance, kills, trials = random.Random(SEED), 0, 0
    cases = [Run(engine, ranks, f"{engine}.h5") for engine in ENGINES for ranks in (1, 2, 3, 4)] + [Sweep()] * 4
    cases += [Run("points", ranks, "points.h5", window) for ranks, windows in WINDOWS.items() for window in windows]
    with tempfile.TemporaryDirectory() as folder:
        whole = {case.name: case.find_whole(folder) for case in dict.fromkeys(cases)}
        while kills < KILLS and trials < 5 * KILLS:
            case = chance.choice(cases)
            trials += 1
            kills += attempt(case, folder, chance, whole[case.name])
            print(f"trial {trials}: {case.name}, {kills} kills", flush=True)
        expect("kills", kills == KILLS, f"only {kills} of {trials} met a running job")
        for case in dict.fromkeys(cases):
            done = run(case.arguments(), case.ranks, cwd=folder, env=dict(os.environ) | environment(case))
            expect(f"{case.name}: the rest", done.returncode == 0 and case.state(folder) == whole[case.name], done.stderr[-600:])
    print(f"{kills} kills in {trials} trials")
    finish()


main()
