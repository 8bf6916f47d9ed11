# SPDX-License-Identifier: GPL-3.0-or-later
"""What is loaded after a rest answers as if there had been none, however long it was; a load that the clock of a segment
cannot resolve ends with one line; and a run in which time hardly moves says so and can be stopped anywhere."""
import os
import re
import signal
import subprocess
import tempfile
import time

import h5py
import numpy as np
from harness import (
    MPIRUN, PROGRAM, SOURCE, expect, expect_failure, finish, kill_session, read, run, write,
)

INPUT = """model = "%s/models/zr65ni35.cfg";
lattice: { cells = [16, 16, 16]; };
protocol = ( { type = "age"; duration_s = 1.0; }, { type = "strain-rate"; rate_per_s = 100.0; until_strain = 0.08; } );
output: { events = true; avalanches = true; statistics_strains = [0.02]; };
run: { seed = 5; };
""" % SOURCE
AGED = 'protocol=({type="age";duration_s=%s;},%s)'
PULL = '{type="strain-rate";rate_per_s=%g;until_strain=0.08;}'
# Legs, a temperature ramp, and a relaxation after a pull at the rate of a shock.
MORE = (
    '{type="rate-jump";rates_per_s=[1e2,1e3];strain_each=0.01;until_strain=0.06;},'
    '{type="cyclic";rate_per_s=1e3;cycles=1;turn_strains=[0.07,0.05];},'
    '{type="strain-rate";rate_per_s=1e3;until_strain=0.075;duration_s=1.0;temperature_end_K=400.0;},'
    '{type="relaxation";duration_s=1e-3;}'
)
JUMPS = 'protocol=({type="rate-jump";rates_per_s=[1e-12,1e6];strain_each=0.01;until_strain=0.06;})'
TOO_FAST = (
    "protocol[0]: at 1e+10 s of this rate-jump segment the clock's last digit is 1.9e-06 s, too long for its load, under "
    "which rates grow e-fold in 1e-09 s: load so fast in a segment of its own"
)


def history(path, segment_from=1):
    """Columns of the rows but for the run's own time, and the events of the segments."""
    with h5py.File(path) as file:
        columns = {name: dataset[...] for name, dataset in file["history"].items()}
        events = {name: dataset[...] for name, dataset in file["events"].items()}
        level = dict(file["correlation/level_00"].attrs)
    keep = columns["segment"] >= segment_from
    rows = {name: values[keep] for name, values in columns.items()}
    return rows, events, level


def check_rest(folder, name, load, ages):
    """Every row and event after the rest, in the segment's own time, is the same after each age."""
    reference = None
    for age in ages:
        path = os.path.join(folder, f"{name}{age}.h5")
        done = run(["run", "in.cfg", "-o", path, "-q", "--set", AGED % (age, load)], cwd=folder)
        expect(f"{name} after {age} s", done.returncode == 0, done.stderr)
        rows, events, level = history(path)
        for segment in set(rows["segment"]):
            inside = rows["segment_time_s"][rows["segment"] == segment]
            expect(f"{name} after {age} s: rows where time advances", (np.diff(inside) > 0).all())
        begin = rows["time_s"] - rows["segment_time_s"]
        expect(f"{name} after {age} s: the run's time", (begin >= float(age) * (1 - 1e-15)).all())
        expect(f"{name} after {age} s: moments", level["segment"] == 1 and level["segment_time_s"] < 1, level)
        if reference:
            for column in rows.keys() - {"time_s"}:
                same = np.array_equal(rows[column], reference[0][column], equal_nan=True)
                expect(f"{name} after {age} s: {column}", same, rows[column][-1])
            for column in events.keys() - {"time_s"}:
                expect(f"{name} after {age} s: event {column}", np.array_equal(events[column], reference[1][column]))
        else:
            expect(f"{name}: events", len(events["time_s"]) > 20, len(events["time_s"]))
            reference = rows, events


def check_restart(folder):
    load = AGED % ("1e16", PULL % 100)
    call = ["run", "in.cfg", "-o", "part.h5", "-q", "--set", load]
    expect("a part", run(call + ["--max-walltime", "1e-9"], cwd=folder).returncode == 75)
    expect("the rest", run(call + ["--restart"], cwd=folder).returncode == 0)
    compared = run(["info", "pull1e16.h5", "part.h5"], cwd=folder)
    expect("the same through restart", "state_hash" not in compared.stdout, compared.stdout)
    rows = [history(os.path.join(folder, name))[0] for name in ("pull1e16.h5", "part.h5")]
    expect("the same rows", all(np.array_equal(rows[0][name], rows[1][name], equal_nan=True) for name in rows[0]))


def stop_when(folder, name, more, ranks, ready):
    """Asks a run that would take hours to stop once `ready` says so of what it printed; returns that."""
    log = os.path.join(folder, f"{name}.txt")
    launch = [MPIRUN, "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    call = launch + [PROGRAM, "run", "in.cfg", "-o", f"{name}.h5", "--set", "output.events=false"]
    with open(log, "w") as file:
        job = subprocess.Popen(call + [word for text in more for word in ("--set", text)], cwd=folder, stderr=file,
                               start_new_session=True)
    while job.poll() is None and not ready(read(log).decode()):
        time.sleep(0.05)
    asked = time.monotonic()
    job.send_signal(signal.SIGTERM if ranks == 1 else signal.SIGUSR1)  # mpirun hands USR1 on
    try:
        job.wait(60)
    except subprocess.TimeoutExpired:
        kill_session(job)
    said = read(log).decode()
    expect(f"{name} on {ranks}: stops, {time.monotonic() - asked:.1f} s", job.returncode == 75, said[-400:])
    expect(f"{name} on {ranks}: leaves a checkpoint", os.path.exists(os.path.join(folder, f"{name}.ckpt.h5")))
    return said


def check_stops(folder):
    def begun(text):
        return re.search(r"(?<!multilevel )engine:", text)  # not what is said of its ranks, before the set-up

    ramp = ['protocol=({type="strain-rate";rate_per_s=1e12;until_strain=1.0;})', "output.history_strain_step=1e-6"]
    stop_when(folder, "rows", ramp, 1, begun)
    stop_when(folder, "rows2", ramp, 2, begun)
    stop_when(folder, "rows3", ramp + ["lattice.cells=[32,32,32]"], 2, begun)  # the second rank sleeps, and hears
    floor = ['protocol=({type="age";duration_s=100.0;temperature_K=2000.0;})', "barriers.composition_eV=5.0"]
    said = stop_when(folder, "floor", floor, 1, lambda text: "time does not advance" in text)
    expect("it is said once", said.count("time does not advance") == 1, said)
    expect("it is said with numbers", re.search(r"protocol\[0\]: time does not advance: \S+ s .* \d+ events", said), said)


ON_CHIP = ('protocol=({type="actuator";stiffness_GPa=72.0;mismatch_strain=%g;release_s=60.0;duration_s=1e12;'
           'temperature_K=295.0;})')


def check_relaxations(folder):
    """Each look's events take a relaxation a multiple of the time before: it advances, however little of it is done."""
    for mismatch in 0.2, 0.3:
        done = run(["run", "in.cfg", "-o", "chip.h5", "--force", "--set", ON_CHIP % mismatch], cwd=folder)
        expect(f"on chip, {mismatch}", done.returncode == 0 and "does not advance" not in done.stderr, done.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        write(os.path.join(folder, "in.cfg"), INPUT)
        check_rest(folder, "pull", PULL % 100, ["1.0", "1e9", "1e10", "1e16"])
        check_rest(folder, "fast", PULL % 1e4, ["1.0", "1e10", "1e16"])
        check_rest(folder, "more", MORE, ["1.0", "1e16"])
        check_restart(folder)
        check_stops(folder)
        check_relaxations(folder)
        expect_failure("beyond the clock", run(["run", "in.cfg", "-o", "x.h5", "-q", "--set", JUMPS], cwd=folder), 4, TOO_FAST)
    finish()


if __name__ == "__main__":
    main()
