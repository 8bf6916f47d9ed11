#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL at fifty random instants of a run that writes all the time: the result opens each time, its columns agree but
for the block that was being written, and every row in them is whole. How much a run has written decides when it is
killed, not the time it took."""
import os
import random
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np

from harness import PROGRAM, SOURCE, expect, finish, write

KILLS, HISTORY_BLOCK, EVENTS_BLOCK = 50, 64, 1024
ENOUGH_S = 5.0
GROWN = (300_000, 1_500_000)  # bytes: some hundred rows and more
INPUT = f"""model = "{SOURCE}/models/zr65ni35.cfg";
lattice: {{ cells = [16, 16, 16]; }};
protocol = ( {{ type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 1.0; }} );
output: {{ history_strain_step = 1.0e-6; events = true; }};
"""


def size_of(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def computed_s(job):
    """Processor time that a job has used: on any machine much less than ENOUGH_S, if its file grows at all."""
    with open(f"/proc/{job.pid}/stat", encoding="utf-8") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def kill_once(folder, trial, grown, delay):
    """Kills one run a moment after its result has appeared and is `grown` bytes longer; whether it was still running."""
    path = os.path.join(folder, f"{trial}.h5")
    job = subprocess.Popen([PROGRAM, "run", "in.cfg", "-o", path, "-q"], cwd=folder, stderr=subprocess.DEVNULL)
    while not os.path.exists(path) and job.poll() is None:
        time.sleep(0.002)
    until = size_of(path) + grown
    while grown and size_of(path) < until and job.poll() is None and computed_s(job) < ENOUGH_S:
        time.sleep(0.002)
    time.sleep(delay)
    job.send_signal(signal.SIGKILL)
    return job.wait() == -signal.SIGKILL


def lengths(group):
    return {name: len(group[name]) for name in group}


def check_result(folder, trial):
    """How many rows are whole, and whether all columns have as many."""
    try:
        with h5py.File(os.path.join(folder, f"{trial}.h5")) as result:
            rows, events = lengths(result["history"]), lengths(result["events"])
            least, few = min(rows.values()), min(events.values())
            expect(f"kill {trial}: not complete", result.attrs["complete"] == 0)
            expect(f"kill {trial}: columns", max(rows.values()) - least <= HISTORY_BLOCK, rows)
            expect(f"kill {trial}: columns of events", max(events.values()) - few <= EVENTS_BLOCK, events)
            times = result["history/time_s"][:least]
            expect(f"kill {trial}: rows", least == 0 or (times[0] == 0 and (np.diff(times) > 0).all()), times[-5:])
            strain = result["history/strain"][:least, 0]
            expect(f"kill {trial}: strains", np.allclose(strain, 1e-6 * times, rtol=1e-9, atol=1e-15))
            expect(f"kill {trial}: events", (np.abs(result["events/sign"][:few]) == 1).all())
            return least, len(set(rows.values())) == len(set(events.values())) == 1
    except (OSError, KeyError) as error:
        expect(f"kill {trial}: opens", False, str(error))
        return 0, False


def main():
    chance = random.Random(11)
    with tempfile.TemporaryDirectory() as folder:
        write(os.path.join(folder, "in.cfg"), INPUT)
        early = KILLS // 4  # of them are killed as soon as there is a file
        grown = [0 if trial < early else chance.randrange(GROWN[0], GROWN[1]) for trial in range(KILLS)]
        delays = [chance.uniform(0.0, 0.02) for _ in range(KILLS)]
        with ThreadPoolExecutor(2) as pool:
            killed = list(pool.map(lambda trial: kill_once(folder, trial, grown[trial], delays[trial]), range(KILLS)))
        expect("all were running", all(killed), killed)
        found = [check_result(folder, trial) for trial in range(KILLS)]
        rows, equal = [least for least, _ in found], sum(same for _, same in found)
        print(f"{equal} of {KILLS} with equal columns; {min(rows)} to {max(rows)} rows")
        expect("many were writing", sum(least >= HISTORY_BLOCK for least in rows) >= KILLS // 3, rows)
        expect("columns are rarely unequal", equal >= KILLS - 5, found)
    finish()


main()
