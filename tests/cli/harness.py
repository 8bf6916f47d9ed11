# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the program and compares what it says: shared by the scripts of this folder.

Called as: test_NAME.py PROGRAM MPIRUN SOURCE_DIR
"""
import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import time

PROGRAM, MPIRUN, SOURCE = sys.argv[1:4]
LIBRARY = os.path.join(os.path.dirname(os.path.dirname(PROGRAM)), "tests", "libfaults.so")  # tests/faults
failures = []
checks = 0


def run(arguments, ranks=1, cwd=None, timeout=1920, env=None):
    """The finished process; one that hangs counts as exit code -1."""
    launch = [MPIRUN, "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    try:
        return subprocess.run(launch + [PROGRAM] + arguments, cwd=cwd, timeout=timeout, capture_output=True, text=True,
                              env=env)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(arguments, -1, "", "hangs")


def stop(arguments, looks, ranks=1, cwd=None):
    """The process that --max-walltime stops, at the same step on any machine: a look at the clock takes 1 ms for it, and
    nothing else takes time. One look or none: at the first step."""
    clock = dict(os.environ, LD_PRELOAD=LIBRARY, STZ_CLOCK_STEP="1e-3")
    return run(arguments + ["--max-walltime", f"{max(looks, 1) * 1e-3:g}"], ranks, cwd, env=clock)


def napping(seconds=0.2):
    """Environment of a run that naps at each look at the clock and at each line of progress, so that it is not over before
    a signal has come, whatever the machine; a signal ends a nap."""
    return dict(os.environ, LD_PRELOAD=LIBRARY, STZ_CLOCK_NAP=str(seconds))


def wait_for_lock(job, path):
    """Returns once the job holds the lock of an output, which exists a moment before it is held, or has ended."""
    while job.poll() is None:
        if os.path.exists(path):
            with open(path, "rb") as file:
                kind = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
            if struct.unpack("hhqqi4x", kind)[0] == fcntl.F_WRLCK:
                return
        time.sleep(0.001)


def kill_session(job):
    """SIGKILL for all processes of a job started with start_new_session, mpirun's ranks included, and its end."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                session = file.read().rpartition(")")[2].split()[3]
            if int(session) == job.pid:
                os.kill(int(entry), signal.SIGKILL)
        except OSError:  # it has ended meanwhile
            pass
    job.wait()


def rank_of_job(job, rank):
    """Process id of one rank of an mpirun that leads a session; None if there is none (yet)."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                environment = file.read().split(b"\0")
            if os.getsid(int(entry)) == job.pid and f"OMPI_COMM_WORLD_RANK={rank}".encode() in environment:
                with open(f"/proc/{entry}/comm", encoding="utf-8") as file:
                    if file.read().strip() == "stzkmc":
                        return int(entry)
        except OSError:
            pass
    return None


def checkpoints(folder, stem):
    return [os.path.join(folder, stem + suffix) for suffix in (".ckpt.h5", ".ckpt.prev.h5")]


def wait_for_progress(job, output, chance):
    """At once; until the result is written to; or until a checkpoint is saved. Then a moment longer."""
    def seen(path):
        try:
            status = os.stat(path)
        except FileNotFoundError:  # or it is just being replaced
            return None
        return status.st_ino, status.st_mtime_ns

    path = chance.choice([None, output, output, checkpoints("", output.removesuffix(".h5"))[0]])
    before = seen(path) if path else None
    while path and job.poll() is None and seen(path) in (before, None):
        time.sleep(0.002)
    time.sleep(chance.choice([0, 0.002, 0.01, 0.05]))


def expect(name, condition, detail=""):
    global checks
    checks += 1
    if not condition:
        failures.append(name)
        print(f"FAILED: {name}: {detail}")
        if "--exitfirst" in os.environ.get("PYTEST_ADDOPTS", ""):  # tests/mutants/check: one that notices is enough
            finish()


def expect_failure(name, done, code, message, ranks=1):
    """Exit code, and exactly one line of ours: nothing else but progress on one rank, mpirun's banner besides on several."""
    lines = [line for line in done.stderr.splitlines() if not re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", line)]
    ours = [line for line in lines if line.startswith("stzkmc:")] if ranks > 1 else lines
    expect(name, done.returncode == code, f"exit {done.returncode}, not {code}: {done.stderr[-500:]}")
    expect(name, ours == ["stzkmc: " + message], f"\n  said {ours}\n  not  {['stzkmc: ' + message]}")
    expect(name, done.stdout == "", f"printed {done.stdout[:200]!r}")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def finish():
    print(f"{checks} checks, {len(failures)} failed")
    sys.exit(1 if failures or not checks else 0)
