#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run says of itself: on a terminal a line that is rewritten, in a file dated lines; and what starts no MPI."""
import os
import pty
import re
import signal
import subprocess
import tempfile
import time

from harness import MPIRUN, PROGRAM, SOURCE, expect, finish, read, run, write

SMOKE = os.path.join(SOURCE, "inputs", "smoke.cfg")
DATE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  "
LEFT = r"(?:done|time left unknown|\d+ s left|\d+ min left|\d+ h \d+ min left|\d+ d left)"
PROGRESS = rf" *\d+ %, {LEFT}  \d+/\d+ \S+  strain \S+ %  \S+ GPa  t \S+ s  \d+ events, \d+/s"
# Minutes of rows: it is stopped by what it says.
LONG = ["protocol=({type=\"strain-rate\";rate_per_s=1e12;until_strain=0.19;})", "output.history_strain_step=1e-6"]


def long_run(folder, name, launch=(), **where):
    sets = [word for value in LONG for word in ("--set", value)]
    return subprocess.Popen([*launch, PROGRAM, "run", SMOKE, "-o", name] + sets, cwd=folder, stdout=subprocess.DEVNULL,
                            **where)


def read_until(get, enough):
    """What `get` gives until `enough` says so of it, for a minute at most."""
    said, end = "", time.monotonic() + 60
    while not enough(said) and time.monotonic() < end:
        said = get(said)
        time.sleep(0.02)
    return said


def check_terminal(folder):
    leader, follower = pty.openpty()
    job = long_run(folder, "terminal.h5", stderr=follower)
    os.close(follower)
    said = read_until(lambda so_far: so_far + os.read(leader, 4096).decode(),
                      lambda text: text.count("strain-rate") >= 3 and re.search(r"\d (?:s|min|h|d) ", text))
    job.send_signal(signal.SIGTERM)
    while True:
        try:
            said += os.read(leader, 4096).decode()
        except OSError:  # the end of a terminal
            break
    expect("terminal: stopped", job.wait(60) == 75, said[-500:])
    shown = [line for line in re.split(r"\r?\n|\r\x1b\[K", said) if line]
    expect("terminal: the first line is of the set-up", shown[0] in ("making the microstructure",
                                                                   "making the kernel of one event"), shown[0])
    progress = [line for line in shown if "strain-rate" in line]
    expect("terminal: progress", progress and all(re.match(rf" *\d+ %, {LEFT}  1/1 strain-rate", line) for line in progress), progress[:3])
    expect("terminal: no line wraps", max(map(len, progress)) < 80, progress[:3])
    expect("terminal: in place", said.count("\r\x1b[K") >= len(progress) - 2, said[:800])
    expect("terminal: stopping has a line", "\nSIGTERM: stopping" in said.replace("\r", ""), said[-500:])


def check_file(folder, ranks):
    launch = [MPIRUN, "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    path = os.path.join(folder, f"log{ranks}")
    with open(path, "w") as file:
        job = long_run(folder, f"file{ranks}.h5", launch, stderr=file)
    said = read_until(lambda _: read(path).decode(), lambda text: " GPa  t " in text)
    job.send_signal(signal.SIGUSR1)
    job.wait(60)
    lines = said.splitlines()
    expect(f"file, {ranks}: each line is dated", lines and all(re.match(DATE, line) for line in lines), said)
    expect(f"file, {ranks}: progress", sum(bool(re.fullmatch(DATE + PROGRESS, line)) for line in lines) >= 1, said)


SWEEP = """input = "%s";
set = [ "protocol=({type=\\"strain-rate\\";rate_per_s=1e12;until_strain=0.19;})", "output.history_strain_step=1e-6" ];
axes = ( { key = "protocol[0].until_strain"; values = [0.0001, 0.19]; } );
"""
RUNNING = r"\d/2, \S.*; (\d) running, for (?:up to )?\d+ s, (?:\d+ to )?\d+ % done"


def check_sweep(folder, ranks):
    """While runs go on, and when the first rank has none left, too."""
    launch = [MPIRUN, "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    write(os.path.join(folder, "s.cfg"), SWEEP % SMOKE)
    path = os.path.join(folder, f"sweep{ranks}")
    with open(path, "w") as file:
        job = subprocess.Popen([*launch, PROGRAM, "sweep", "s.cfg", "-o", f"s{ranks}"], cwd=folder, stderr=file)
    last = " 1/2, " if ranks > 1 else " 0/2, "
    said = read_until(lambda _: read(path).decode(), lambda text: re.search(last + ".*1 running, for ", text))
    job.send_signal(signal.SIGUSR1)
    expect(f"sweep on {ranks}: stopped", job.wait(60) == 75, read(path).decode())
    lines = said.splitlines()
    expect(f"sweep on {ranks}: each line is dated", all(re.match(DATE, line) for line in lines), said)
    found = [re.fullmatch(DATE + RUNNING, line) for line in lines if "running" in line]
    expect(f"sweep on {ranks}: what goes on", found and all(found) and found[-1][1] == "1", said)


def check_quiet(folder):
    done = run(["run", SMOKE, "-o", "quiet.h5", "-q"], cwd=folder)
    expect("quiet", done.returncode == 0 and done.stderr == "", done.stderr)


def check_short(folder):
    """With a transport that MPI does not have, whatever starts MPI fails."""
    os.environ["OMPI_MCA_pml"] = "none_such"
    try:
        expect("a run starts MPI", run(["run", SMOKE, "-o", "x.h5"], cwd=folder).returncode != 0)
        sweep = os.path.join(SOURCE, "inputs", "sweeps", "rates.cfg")
        for words in (["--help"], ["--version"], ["--build-info"], ["run", "--help"], ["check", SMOKE],
                      ["check", "--reference"], ["info", "quiet.h5"], ["sweep", sweep, "--dry-run"],
                      ["sweep", sweep, "--list"]):
            done = run(words, cwd=folder)
            expect(f"{words} without MPI", done.returncode == 0 and done.stdout and not done.stderr, done.stderr[:500])
        for words, code in ((["rnu"], 2), (["run"], 2), (["run", SMOKE, "--set", "run.sead=1"], 2),
                            (["run", "no.cfg"], 3), (["run", SMOKE, "-o", "quiet.h5"], 3), (["info", "no.h5"], 3)):
            done = run(words, cwd=folder)
            one = done.returncode == code and done.stderr.count("\n") == 1 and done.stderr.startswith("stzkmc: ")
            expect(f"{words} without MPI", one, f"exit {done.returncode}: {done.stderr[:500]}")
    finally:
        del os.environ["OMPI_MCA_pml"]
    done = run(["check", SMOKE], ranks=3)
    expect("check on 3 ranks prints once", done.returncode == 0 and done.stdout.count("# cost:") == 1, done.stderr)


def check_no_daemon(folder):
    """A run on one rank has no process beside it."""
    job = long_run(folder, "alone.h5", stderr=subprocess.PIPE, text=True)
    while "engine:" not in (line := job.stderr.readline()) and line:
        pass
    children = read(f"/proc/{job.pid}/task/{job.pid}/children").decode()
    expect("no daemon", children == "", children)
    job.send_signal(signal.SIGTERM)
    job.communicate(timeout=60)
    expect("it stops", job.returncode == 75)


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_quiet(folder)
        check_short(folder)
        check_no_daemon(folder)
        check_terminal(folder)
        check_file(folder, 1)
        check_file(folder, 2)
        check_sweep(folder, 1)
        check_sweep(folder, 2)
    finish()


if __name__ == "__main__":
    main()
