#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: what it prints, its errors, that no result is overwritten by accident, and
streams that are closed."""
import glob
import os
import re
import subprocess
import tempfile

from harness import PROGRAM, SOURCE, expect, expect_failure, finish, napping, read, run, wait_for_lock, write

# name, arguments, exit code, message
USAGE = [
    ("no command", [], 2, "got no command, needs run, check, kernel, sweep, nbed or info; see stzkmc --help"),
    ("unknown command", ["walk"], 2, "walk: unknown command, see stzkmc --help"),
    ("no input", ["run"], 2, "run: got nothing, needs an input file"),
    ("no result", ["info"], 2, "info: got nothing, needs a result file"),
    ("two inputs", ["check", "a.cfg", "b.cfg"], 2, "b.cfg: got a second file, needs one"),
    ("unknown option", ["run", "a.cfg", "--fast"], 2, "--fast: unknown option of `stzkmc run`, see stzkmc run --help"),
    ("option of another command", ["check", "a.cfg", "--force"], 2,
     "--force: unknown option of `stzkmc check`, see stzkmc check --help; `stzkmc run` has it"),
    ("feature that does not exist", ["run", "a.cfg", "--resume"], 2,
     "--resume: unknown option of `stzkmc run`, see stzkmc run --help; `stzkmc sweep` has it"),
    ("no walltime", ["run", "a.cfg", "--max-walltime", "soon"], 2, "--max-walltime: got `soon`, needs seconds > 0"),
    ("option without its value", ["run", "a.cfg", "-o"], 2, "--output: got nothing, needs a value"),
    ("value of a flag", ["run", "a.cfg", "--force=yes"], 2, "--force: got `yes`, needs no value"),
    ("empty output", ["run", "a.cfg", "-o", ""], 2, "--output: got an empty name, needs a file"),
    *((f"{one} and {other}", [command, "a.cfg", one, "--set", "run.seed=1", other], 2,
       f"{long.get(other, other)}: got it together with {long.get(one, one)}, needs one of the two alone")
      for long in [{"-q": "--quiet", "-v": "--verbose"}]
      for command, one, other in (("run", "--restart", "--force"), ("run", "--force", "--restart"), ("run", "-q", "-v"),
                                  ("sweep", "--resume", "--force"), ("sweep", "--list", "--dry-run"), ("sweep", "-v", "-q"))),
    ("two references", ["check", "--reference", "--output-reference"], 2,
     "--output-reference: got it together with --reference, needs one of the two alone"),
    ("version with company", ["--version", "x"], 2, "--version: got `x`, needs to stand alone"),
    ("input that is missing", ["run", "none.cfg"], 3, "none.cfg: cannot be opened: No such file or directory"),
    ("input that is a folder", ["check", "."], 3, ".: cannot be read: Is a directory"),
]


def check_usage(folder):
    for name, arguments, code, message in USAGE:
        expect_failure(name, run(arguments, 1, folder), code, message)
    for name in "unknown command", "input that is missing":
        _, arguments, code, message = next(case for case in USAGE if case[0] == name)
        expect_failure(name + " on 3 ranks", run(arguments, 3, folder), code, message, 3)


def check_texts():
    done = run(["--help"])
    expect("--help", done.returncode == 0 and "stzkmc run INPUT.cfg" in done.stdout and not done.stderr, done.stderr)
    done = run(["--version"], ranks=3)
    expect("--version once on 3 ranks", re.fullmatch(r"stzkmc \d+\.\d+\.\d+ \(\S+\)\n", done.stdout), done.stdout)
    done = run(["--build-info"])
    keys = [line.split(": ")[0] for line in done.stdout.splitlines()]
    expect("--build-info", keys == ["version", "git", "compiler", "build_type", "mpi"], done.stdout)
    done = run(["check", "--reference"])
    page = read(os.path.join(SOURCE, "docs", "input.md")).decode()
    expect("docs/input.md is what check --reference prints", done.stdout == page, "print it again")


def check_inputs():
    inputs = sorted(glob.glob(os.path.join(SOURCE, "inputs", "*.cfg")))
    expect("there are inputs", len(inputs) >= 4)
    for path in inputs:
        done = run(["check", path])
        name = os.path.basename(path)
        expect("check " + name, done.returncode == 0 and "# memory: about" in done.stdout, done.stderr)
        expect("levels of " + name, "does not reach" not in done.stdout, done.stdout[-300:])
    for model in sorted(glob.glob(os.path.join(SOURCE, "models", "*.cfg"))):
        done = run(["check", inputs[0], "--set", f'model="{model}"'])
        expect("model " + os.path.basename(model), done.returncode == 0, done.stderr)


def check_unreachable_levels():
    done = run(["check", os.path.join(SOURCE, "inputs", "smoke.cfg"), "--set", "output.nbed_strains=[0.0,0.05,0.5]"])
    last = done.stdout.splitlines()[-1] if done.stdout else ""
    expect("check names levels out of reach", last == "# NBED levels that the protocol does not reach: 0.5", last)
    done = run(["check", os.path.join(SOURCE, "inputs", "smoke.cfg"), "--set", "output.statistics_strains=[0.7]"])
    expect("check names levels of statistics out of reach",
           "# levels of statistics that the protocol does not reach: 0.7" in done.stdout.splitlines(), done.stdout[-300:])
    snapshots = ["--set", "output.snapshot_strains=[0.0,0.05,0.5,0.6]"]
    for wanted in "true", "false":
        done = run(["check", os.path.join(SOURCE, "inputs", "smoke.cfg"), "--set", "output.snapshots=" + wanted, *snapshots])
        named = "# snapshots that the protocol does not reach: 0.5, 0.6" in done.stdout.splitlines()
        expect("check names snapshots out of reach", done.returncode == 0 and named == (wanted == "true"), done.stdout)


def check_output(folder):
    """An output that cannot be written is found before the run."""
    smoke = os.path.join(SOURCE, "inputs", "smoke.cfg")
    write(os.path.join(folder, "old.h5"), "precious")
    write(os.path.join(folder, "copy.cfg"), read(smoke).replace(b'"zr65ni35"', b'""'))
    cases = [
        ("existing result", [smoke, "-o", "old.h5"], 3, "old.h5: exists already; --force replaces it"),
        ("folder that is missing", [smoke, "-o", "no/out.h5"], 3,
         "no/out.h5: cannot be written: the folder no is not there; make it first"),
        ("folders that are missing", [smoke, "-o", "no/more/out.h5", "--restart"], 3,
         "no/more/out.h5: cannot be written: the folder no/more is not there; make it first"),
        ("folder under a file", [smoke, "-o", "old.h5/no/out.h5"], 3,
         "old.h5/no/out.h5: cannot be written: the folder old.h5/no: Not a directory"),
        ("folder that is a file", [smoke, "-o", "old.h5/out.h5"], 3,
         "old.h5/out.h5: cannot be written: old.h5 is no folder"),
        ("output that is a folder", [smoke, "-o", ".", "--force"], 3, ".: is no file, cannot be replaced"),
        ("output that is the input", ["copy.cfg", "-o", "./copy.cfg", "--force"], 2,
         "./copy.cfg: is the input itself, needs another output"),
    ]
    for name, arguments, code, message in cases:
        expect_failure(name, run(["run"] + arguments, 1, folder), code, message)
    expect_failure("--restart and --force", run(["run", smoke, "-o", "old.h5", "--restart", "--force"], 1, folder), 2,
                   "--force: got it together with --restart, needs one of the two alone")
    expect_failure("existing result on 3 ranks", run(["run"] + cases[0][1], 3, folder), 3, cases[0][3], 3)
    expect("nothing is touched", read(os.path.join(folder, "old.h5")) == b"precious")
    expect("nothing is left behind", sorted(os.listdir(folder)) == ["copy.cfg", "old.h5"], os.listdir(folder))


def start_closed(arguments, folder, streams, **more):
    """With streams that the shell has closed."""
    return subprocess.Popen(["sh", "-c", f'exec "$@" {streams}', "sh", PROGRAM] + arguments, cwd=folder, **more)


def check_closed_streams(folder):
    """No file that the run opens becomes its stdin, stdout or stderr; what was to be printed is missed."""
    smoke = os.path.join(SOURCE, "inputs", "smoke.cfg")
    job = start_closed(["run", smoke, "-o", "closed.h5"], folder, "<&- >&- 2>&-", env=napping(0.05))
    wait_for_lock(job, os.path.join(folder, "closed.lock"))
    opened = [os.readlink(f"/proc/{job.pid}/fd/{number}") for number in range(3)]
    expect("closed streams", opened == 3 * ["/dev/null"], opened)
    job.kill()
    job.wait()
    done = start_closed(["run", smoke, "-o", "closed.h5", "--force"], folder, "<&- >&- 2>&-").wait()
    expect("run with closed streams", done == 0, done)
    for words in ["check", smoke], ["info", "closed.h5"], ["--help"]:
        job = start_closed(words, folder, ">&-", stderr=subprocess.PIPE, text=True)
        said = job.communicate()[1]
        expect(f"{words[0]}: closed stdout", job.returncode == 3 and len(said.splitlines()) == 1, f"{job.returncode}: {said}")
    for streams, code in (("2>&-", 0), ("<&- >&- 2>&-", 3)):
        expect(f"check {streams}", start_closed(["check", smoke], folder, streams, stdout=subprocess.DEVNULL).wait() == code)


with tempfile.TemporaryDirectory() as scratch:
    check_usage(scratch)
    check_output(scratch)
    check_closed_streams(scratch)
check_texts()
check_inputs()
check_unreachable_levels()
finish()
