#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals at any moment: exit code 75 and a line that says how to go on, and what goes on is the unbroken run."""
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

from harness import MPIRUN, PROGRAM, SOURCE, expect, finish, kill_session, napping, read, run, write

SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU]
SMOKE = os.path.join(SOURCE, "inputs", "smoke.cfg")
QUENCHED = os.path.join(SOURCE, "inputs", "tension.cfg")
FULL = "--full" in sys.argv
QUENCH = ["lattice.cells=[%s]" % ("64,64,64" if FULL else "32,32,32"), "microstructure.type=cahn-hilliard",
          "kmc.engine=multilevel"]
NOTHING = "there was nothing to save yet; start it again"


def begin(arguments, ranks=1, cwd=None, **more):
    launch = [MPIRUN, "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    return subprocess.Popen(launch + [PROGRAM] + arguments, cwd=cwd, stderr=subprocess.PIPE, text=True,
                            stdout=subprocess.DEVNULL, start_new_session=True, **more)


def end(job):
    """What the job said; one that does not end within the time counts as exit code -1."""
    try:
        return job.communicate(timeout=480)[1]
    except subprocess.TimeoutExpired:
        kill_session(job)
        return "does not end"


def settings(values):
    return [word for value in values for word in ("--set", value)]


def wait_until_caught(job):
    """Until the program's handlers are there: before, the system's loader has not handed over to it."""
    while job.poll() is None:
        caught = re.search(r"SigCgt:\s*(\w+)", read(f"/proc/{job.pid}/status").decode())
        if caught and int(caught[1], 16) >> (signal.SIGXCPU - 1) & 1:
            return


def wait_for(job, words):
    """Until a line has the words; what was said until then."""
    said = ""
    while words not in said and (line := job.stderr.readline()):
        said += line
    return said


def state_hash(path):
    return re.search(r"state_hash: (\w+)", run(["info", path]).stdout + "state_hash: none")[1]


def expect_stop(name, job, said, number, rest):
    code = job.returncode
    expect(f"{name}: exit", code == 75, f"exit {code}: {said[-600:]}")
    expect(f"{name}: stopping is said once", said.count(": stopping\n") == 1, said[-600:])
    expect(f"{name}: the last line", f"stopped by {number.name}; {rest}\n" in said, said[-600:])


def check_first_moment(folder):
    """Before main: the handlers are the first thing that is there."""
    for number in SIGNALS:
        job = begin(["run", SMOKE, "-o", "first.h5"], cwd=folder)
        wait_until_caught(job)
        job.send_signal(number)
        expect_stop(f"{number.name} at once", job, end(job), number, NOTHING)
        expect(f"{number.name} at once: no output", os.listdir(folder) == [], os.listdir(folder))


def check_delays(folder, whole):
    """After shares of the time that the whole run takes; each goes on to the end, or on to the next signal."""
    begun = time.monotonic()
    done = run(["run", SMOKE, "-o", whole])
    expect("the unbroken run", done.returncode == 0, done.stderr)
    length, chance, output = time.monotonic() - begun, random.Random(3), os.path.join(folder, "delayed.h5")
    trials, stops = 48 if FULL else 6, 0
    for trial in range(trials):
        number = SIGNALS[trial % len(SIGNALS)]
        job = begin(["run", SMOKE, "-o", output, "--restart"], cwd=folder)
        wait_until_caught(job)
        time.sleep(chance.uniform(0.0, 0.8) * length)
        job.send_signal(number)
        said = end(job)
        expect(f"{number.name} after a while", job.returncode in (0, 75), f"exit {job.returncode}: {said}")
        stops += job.returncode == 75
        if job.returncode == 0:
            expect(f"hash of {trial}", state_hash(output) == state_hash(whole))
            os.remove(output)
    done = run(["run", SMOKE, "-o", output, "--restart"], ranks=2)
    expect("the rest", done.returncode == 0 and state_hash(output) == state_hash(whole), done.stderr)
    expect("signals met runs", stops > 0)


def check_set_up(folder):
    """In steps of the set-up, found by their lines: nothing is touched, though it was to be replaced."""
    output = os.path.join(folder, "kept.h5")
    write(output, "old")
    steps = ["making the microstructure", "quenching", "finding the interfaces", "measuring percolation", "drawing the barriers",
             "drawing the orientations", "making the tables"]
    for number, step in zip(SIGNALS + SIGNALS, steps if FULL else steps[1::3]):
        job = begin(["run", QUENCHED, "-o", output, "--force", "-v"] + settings(QUENCH), cwd=folder, env=napping(0.02))
        said = wait_for(job, step)
        job.send_signal(number)
        expect_stop(f"{number.name} when {step}", job, said + end(job), number, NOTHING)
        expect(f"{number.name} when {step}: the old file is kept", read(output) == b"old")
    os.remove(output)


def rank_of(job, rank):
    """Process of one rank of an mpirun job."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            own = f"OMPI_COMM_WORLD_RANK={rank}\0".encode() in read(f"/proc/{entry}/environ")
            parent = int(read(f"/proc/{entry}/stat").decode().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if own and parent == job.pid:
            return int(entry)
    return None


def check_ranks(folder):
    """To mpirun and to one rank alone, in the set-up and in the run; then to the end."""
    slow = settings(["protocol[0].rate_per_s=1e-3", "output.history_strain_step=1e-6"])
    cases = [("mpirun", signal.SIGUSR1, "making the microstructure"), (1, signal.SIGHUP, "engine:")]
    cases += [("mpirun", signal.SIGUSR2, "engine:"), (1, signal.SIGXCPU, "making the microstructure"),
              (0, signal.SIGINT, "engine:")] if FULL else []
    for target, number, step in cases:
        job = begin(["run", SMOKE, "-o", "ranks.h5", "--restart", "-v"] + slow, ranks=2, cwd=folder, env=napping(0.02))
        said = wait_for(job, step)
        process = job.pid if target == "mpirun" else rank_of(job, target)
        expect(f"rank {target} is found", process is not None)
        if process:
            os.kill(process, number)
        said += end(job)
        name = f"{number.name} to {target} when {step}"
        code = job.returncode
        expect(f"{name}: exit", code == 75, f"exit {code}: {said[-900:]}")
        expect(f"{name}: stopping is said once", said.count(": stopping\n") == 1, said[-900:])
        saved = os.path.exists(os.path.join(folder, "ranks.ckpt.h5"))
        rest = "ranks.ckpt.h5 holds the state; go on with --restart" if saved else NOTHING
        expect(f"{name}: the last line", f"stopped by {number.name}; {rest}\n" in said, said[-900:])
    expect("a checkpoint", os.path.exists(os.path.join(folder, "ranks.ckpt.h5")))


def check_warned(folder):
    """CONT, which mpirun sends before it kills: the state is saved and the run goes on; nothing is lost if it is killed."""
    rows = settings(["output.history_strain_step=1e-5",
                     "protocol=({type=\"strain-rate\";rate_per_s=1e-3;until_strain=0.02;})"])
    done = run(["run", SMOKE, "-o", "unwarned.h5", "-q"] + rows, cwd=folder)
    expect("the run without a warning", done.returncode == 0, done.stderr)
    saved = os.path.join(folder, "warned.ckpt.h5")
    for _ in range(6):  # on a busy machine the run may be over before this script gets on
        job = begin(["run", SMOKE, "-o", "warned.h5", "--force"] + rows, ranks=2, cwd=folder, env=napping(0.02))
        wait_for(job, "engine:")
        job.send_signal(signal.SIGCONT)
        while not os.path.exists(saved) and job.poll() is None:
            time.sleep(0.01)
        if os.path.exists(saved):
            break
    expect("CONT saves the state of a run that goes on", os.path.exists(saved) and job.poll() is None)
    kill_session(job)
    said = job.stderr.read()
    expect("CONT does not stop it", "stopping" not in said and "stopped" not in said, said)
    done = run(["run", SMOKE, "-o", "warned.h5", "--restart"] + rows, cwd=folder)
    expect("from the state saved", done.returncode == 0 and "no checkpoint" not in done.stderr, done.stderr)
    expect("hash after CONT and KILL", state_hash(os.path.join(folder, "warned.h5")) ==
           state_hash(os.path.join(folder, "unwarned.h5")))


def check_mpirun(folder, whole):
    """TERM, INT, HUP to mpirun, which kills within two seconds, and the signals that it hands on: whatever was saved by
    then, the rest is the unbroken run."""
    chance, output = random.Random(5), os.path.join(folder, "mpirun.h5")
    numbers = SIGNALS * 4 if FULL else [signal.SIGTERM, signal.SIGINT, signal.SIGXCPU]
    for trial, number in enumerate(numbers):
        job = begin(["run", SMOKE, "-o", output, "--restart"], ranks=2 + trial % 2, cwd=folder)
        said = wait_for(job, ("making the", "engine:")[trial // 2 % 2]) if trial % 2 else ""
        time.sleep(chance.uniform(0.0, 0.5))
        job.send_signal(number)
        said += end(job)
        handed_on = number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)
        codes = (75 if handed_on else 1, -number, 128 + number, 0)  # by itself: before the handlers are there
        expect(f"{number.name} to mpirun", job.returncode in codes, f"exit {job.returncode}: {said}")
    done = run(["run", SMOKE, "-o", output, "--restart"], cwd=folder)
    expect("the rest after kills", done.returncode == 0 and state_hash(output) == state_hash(whole), done.stderr)


SLOW = dict(napping(0.01), STZ_FAULT_CALL="slow", STZ_FAULT_N="3", OMPI_MCA_orte_base_help_aggregate="0")


def check_outlives(folder, small=True):
    """A checkpoint that takes longer than mpirun leaves its ranks: whole some seconds after a Ctrl-C, and --restart waits
    for it. The signal goes to mpirun's process group, as a terminal's does."""
    box = ["lattice.cells=[32,32,32]" if small else "lattice.cells=[128,128,128]", "kmc.engine=multilevel",
           "protocol=({type=\"strain-rate\";rate_per_s=1e-3;until_strain=1e-3;})"]
    rows = settings(box + ["output.history_strain_step=%s" % ("1e-6" if small else "5e-5")])
    done = run(["run", SMOKE, "-o", "whole.h5", "-q"] + rows, cwd=folder)
    expect("the run to compare with", done.returncode == 0, done.stderr)
    for ranks, number, step in ((1, signal.SIGINT, "NBED"), (2, signal.SIGTERM, "engine:" if small else "NBED")):
        output = f"outlives{ranks}.h5"
        for _ in range(6):  # on a busy machine the run may be over before this script gets on
            job = subprocess.Popen([MPIRUN, "--bind-to", "none", "-n", str(ranks), PROGRAM, "run", SMOKE, "-o", output,
                                    "--force"] + rows, cwd=folder, stderr=subprocess.PIPE, text=True,
                                   stdout=subprocess.DEVNULL, start_new_session=True, env=SLOW if small else None)
            said = wait_for(job, step)
            os.killpg(job.pid, number)
            said += end(job)
            if job.returncode != 0:
                break
        name = f"{number.name} to mpirun of {ranks}"
        expect(f"{name}: its exit", job.returncode == 1, f"exit {job.returncode}: {said}")
        if small:
            expect(f"{name}: who writes is said", re.search(r"process \d+ writes outlives\d\.ckpt\.h5, ", said), said)
            refused = run(["run", SMOKE, "-o", output] + rows, cwd=folder)  # as always: there is a result
            expect(f"{name}: a new run is refused", refused.returncode == 3, refused.stderr)
        done = run(["run", SMOKE, "-o", output, "--restart"] + rows, cwd=folder)
        expect(f"{name}: it goes on", done.returncode == 0 and "going on from" in done.stderr, done.stderr)
        if small:
            expect(f"{name}: it waits", "the run before still writes its checkpoint; waiting for it" in done.stderr,
                   done.stderr)
        expect(f"{name}: the hash", state_hash(os.path.join(folder, output)) ==
               state_hash(os.path.join(folder, "whole.h5")))


def check_job_script(folder):
    """run/slurm/job.sh at a terminal: what mpirun would turn into a kill gives exit 75."""
    slow = settings(["protocol[0].rate_per_s=1e-3", "output.history_strain_step=1e-6"])
    script = os.path.join(SOURCE, "run", "slurm", "job.sh")
    for number in SIGNALS if FULL else SIGNALS[:3]:
        job = subprocess.Popen([script, MPIRUN, "--bind-to", "none", "-n", "2", PROGRAM, "run", SMOKE, "-o", "job.h5",
                                "--restart"] + slow, cwd=folder, stderr=subprocess.PIPE, text=True,
                               stdout=subprocess.DEVNULL, start_new_session=True, env=napping(0.02))
        said = wait_for(job, "engine:")
        os.killpg(job.pid, number)
        expect_stop(f"{number.name} to job.sh", job, said + end(job), signal.SIGUSR1,
                    "job.ckpt.h5 holds the state; go on with --restart")


def check_outlives_large(folder):
    """The same at 128^3, beside two busy loops, without a slow disk."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        check_outlives(folder, small=False)
    finally:
        for one in busy:
            one.kill()
            one.wait()


def check_ignored(folder):
    """nohup: HUP does nothing."""
    job = begin(["run", SMOKE, "-o", "nohup.h5", "-v"], cwd=folder,
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    said = wait_for(job, "making the microstructure")
    job.send_signal(signal.SIGHUP)
    said += end(job)
    expect("HUP under nohup", job.returncode == 0 and "stopping" not in said, f"exit {job.returncode}: {said}")


def check_second_interrupt(folder):
    """Its input never comes: one Ctrl-C is heard and waits, the second, later, ends the program."""
    fifo = os.path.join(folder, "never.cfg")
    os.mkfifo(fifo)
    job = begin(["run", fifo, "-o", "never.h5"], cwd=folder)
    wait_until_caught(job)
    said = ""
    job.send_signal(signal.SIGINT)
    said += wait_for(job, "stopping")
    time.sleep(0.7)
    expect("one Ctrl-C waits", job.poll() is None, said)
    job.send_signal(signal.SIGINT)
    said += end(job)
    expect("a second Ctrl-C ends", job.returncode == -signal.SIGINT, f"exit {job.returncode}: {said}")
    os.remove(fifo)


SWEEP = """input = "%s";
axes = ( { key = "protocol[0].temperature_K"; values = [250.0, 295.0, 340.0]; } );
replicas = 4;
"""


def check_sweep(folder):
    """A signal to one rank stops all groups; the rest is done by --resume."""
    slow = settings(["output.history_strain_step=1e-5"])  # runs that are not all over before the signal
    write(os.path.join(folder, "s.cfg"), SWEEP % SMOKE)
    for rank, number in ((1, signal.SIGUSR1), (0, signal.SIGTERM))[:2 if FULL else 1]:
        job = begin(["sweep", "s.cfg", "-o", "s", "--resume"] + slow, ranks=2, cwd=folder, env=napping(0.02))
        said = wait_for(job, "runs done")
        os.kill(rank_of(job, rank) or job.pid, number)
        said += end(job)
        expect_stop(f"{number.name} to rank {rank} of a sweep", job, said, number, "go on with --resume")
        expect("no run failed", ", 0 failed," in said, said)
        progress = re.findall(r" (\d+)/12, (?:\d+ (?:s|min) left|time left unknown); run \d+ ", said)
        expect("progress of the stopped sweep", len(progress) == len(re.findall(r"; run \d+ ", said)), said)
    done = run(["sweep", "s.cfg", "-o", "s", "--resume"] + slow, cwd=folder, ranks=2)
    expect("the rest of the sweep", done.returncode == 0 and " 12/12, none left; run " in done.stderr, done.stderr)


def check_nbed(folder):
    """It has nothing to save, and leaves no file behind."""
    done = run(["run", SMOKE, "-o", "scanned.h5", "-q", "--set", "output.snapshots=true"], cwd=folder)
    expect("snapshots", done.returncode == 0, done.stderr)
    job = begin(["nbed", "scanned.h5", "-o", "again.h5", "--scans", "50"], cwd=folder, env=napping(0.02))
    said = wait_for(job, "scanning the snapshots")
    job.send_signal(signal.SIGHUP)
    said += end(job)
    expect_stop("SIGHUP to nbed", job, said, signal.SIGHUP, NOTHING)
    expect("SIGHUP to nbed: no file", not os.path.exists(os.path.join(folder, "again.h5")))


def main():
    for check in check_first_moment, check_ignored, check_second_interrupt, check_set_up, check_ranks, check_warned, \
            check_outlives, check_job_script, check_sweep, check_nbed, *([check_outlives_large] if FULL else []):
        with tempfile.TemporaryDirectory() as folder:
            begun = time.monotonic()
            check(folder)
            print(f"{check.__name__}: {time.monotonic() - begun:.1f} s")
    with tempfile.TemporaryDirectory() as folder:
        whole = os.path.join(folder, "whole.h5")
        check_delays(folder, whole)
        check_mpirun(folder, whole)
    finish()


if __name__ == "__main__":
    main()
