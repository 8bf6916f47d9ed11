#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of the operating system fails: the exit code says so, nothing older is lost, and going on gives the run that
was never disturbed; the same for memory that is out. tests/faults/faults.c makes it fail. With STZ_FAULTS=all many more calls than a sample."""
import errno
import itertools
import os
import shutil
import subprocess
import tempfile

import h5py

from harness import MPIRUN, PROGRAM, SOURCE, expect, finish, read, write

LIBRARY = os.path.join(os.path.dirname(os.path.dirname(PROGRAM)), "tests", "libfaults.so")
INPUT = os.path.join(SOURCE, "inputs", "tension.cfg")
SETTINGS = ["lattice.cells=[16,16,16]", "nbed.foil_nm=7.0", "nbed.probe_nm=0.6", "nbed.scans=1",
            "protocol[0].until_strain=0.05", "output.nbed_strains=[0.0,0.03]", "output.snapshots=true",
            "output.events=true", "kmc.engine=direct"]
ARGUMENTS = [word for setting in SETTINGS for word in ("--set", setting)] + ["-q"]
CALLS = ["open", "read", "write", "short", "close", "fsync", "rename", "unlink", "ftruncate",
         "close-read"]
REASONS = [errno.ENOSPC, errno.EIO, errno.EDQUOT]
ALL = os.environ.get("STZ_FAULTS") == "all"
struck = {0: 0, 1: 0}


def launch(arguments, folder, ranks, fault=None):
    """The finished process, and whether the fault struck."""
    mark = os.path.join(os.path.dirname(folder), "mark")
    if os.path.exists(mark):
        os.remove(mark)
    environment = dict(os.environ)
    if fault:
        call, n, reason, rank = fault
        environment |= {"LD_PRELOAD": LIBRARY, "STZ_FAULT_FOLDER": folder, "STZ_FAULT_CALL": call, "STZ_FAULT_N": str(n),
                        "STZ_FAULT_ERRNO": str(reason), "STZ_FAULT_RANK": str(rank), "STZ_FAULT_MARK": mark,
                        "STZ_FAULT_COUNTED": mark + ".count"}
    start = [MPIRUN, "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    try:
        done = subprocess.run(start + [PROGRAM] + arguments, cwd=folder, env=environment, capture_output=True, text=True,
                              timeout=60)
    except subprocess.TimeoutExpired:
        done = subprocess.CompletedProcess(arguments, -1, "", "hangs")
    return done, os.path.exists(mark)


def state_hash(path):
    with h5py.File(path) as file:
        return file.attrs["state_hash"] if file.attrs["complete"] == 1 else "not complete"


def expect_told(name, fault, done):
    """Exit 3 and one line (of memory: 5, and each rank may say it); a short write is carried on, and what cannot be read is made again where that can be;
    what was read is had when the file is closed."""
    ours = [line for line in done.stderr.splitlines() if line.startswith("stzkmc:") and "warning" not in line]
    if done.returncode == 0:
        expect(name + ": told", fault[0] in ("short", "read", "open", "close-read", "malloc"), "exit 0, as if nothing had been")
    else:
        codes, ours = ((3, 5), list(set(ours))) if "alloc" in fault[0] else ((3,), ours)
        expect(name + f": exit {codes}", done.returncode in codes and len(ours) == 1, f"exit {done.returncode}: {done.stderr[-400:]}")


def check_run(top, fault, ranks, whole):
    """A run is stopped; its second part meets the fault; the third goes on."""
    name = f"run on {ranks}, {fault[0]} {fault[1]}, {errno.errorcode[fault[2]]}"
    folder = os.path.join(top, "run")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(os.path.join(top, "stopped"), folder)
    kept = read(os.path.join(folder, "a.ckpt.h5"))
    done, hit = launch(["run", INPUT, "-o", "a.h5", "--restart"] + ARGUMENTS, folder, ranks, fault)
    if not hit:
        return False
    struck[fault[3]] += 1
    expect_told(name, fault, done)
    left = [os.path.join(folder, entry) for entry in os.listdir(folder) if "ckpt" in entry or "torn" in entry]
    if done.returncode != 0 and not (os.path.exists(os.path.join(folder, "a.h5"))
                                     and state_hash(os.path.join(folder, "a.h5")) == whole):
        expect(name + ": the checkpoint is kept", any(read(path) == kept for path in left), str(left))
    done, _ = launch(["run", INPUT, "-o", "a.h5", "--restart"] + ARGUMENTS, folder, 1)
    expect(name + ": goes on", done.returncode == 0, done.stderr)
    if done.returncode == 0:
        expect(name + ": hash", state_hash(os.path.join(folder, "a.h5")) == whole, "of another run")
    return True


def check_sweep(top, fault, hashes):
    """A sweep of two runs on two ranks, each of which writes its own."""
    name = f"sweep, rank {fault[3]}, {fault[0]} {fault[1]}, {errno.errorcode[fault[2]]}"
    folder = os.path.join(top, "sweep")
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    done, hit = launch(["sweep", os.path.join(top, "s.cfg"), "-o", os.path.join(folder, "d"), "-q"], folder, 2, fault)
    if not hit:
        return False
    struck[fault[3]] += 1
    if done.returncode != 0:
        expect_told(name, fault, done)
    done, _ = launch(["sweep", os.path.join(top, "s.cfg"), "-o", os.path.join(folder, "d"), "-q", "--resume"], folder, 1)
    expect(name + ": goes on", done.returncode == 0, done.stderr)
    for i, expected in enumerate(hashes):
        path = os.path.join(folder, "d", "runs", f"{i:06}.h5")
        expect(f"{name}: hash of {i}", os.path.exists(path) and state_hash(path) == expected, "of another run")
    return True


def check_reader(top):
    """Memory that is out at each turn, of what only prints: that is told, and nothing is printed or all; a sweep's runs
    are not taken for damaged."""
    folder = os.path.join(top, "reader")
    shutil.copytree(os.path.join(top, "whole"), os.path.join(folder, "d"))
    shutil.copy(os.path.join(top, "whole.h5"), folder)
    for words in (["info", "whole.h5"], ["info", "whole.h5", "d/runs/000000.h5"], ["check", INPUT],
                  ["sweep", "../s.cfg", "-o", "d", "--list"], ["sweep", "../s.cfg", "-o", "d", "--dry-run"]):
        whole, _ = launch(words, folder, 1, ("alloc", 0, errno.ENOMEM, 0))
        expect(f"{words}: undisturbed", whole.returncode == 0 and whole.stdout, whole.stderr)
        last = int(read(os.path.join(top, "mark.count")))
        for n in range(1, last + 1) if ALL else [*range(1, last - 8, 8 + last // 16), *range(last - 7, last + 1)]:
            done, hit = launch(words, folder, 1, ("alloc", n, errno.ENOMEM, 0))
            expect(f"{words}, alloc {n} of {last}: struck", hit, done.stderr)
            expect_told(f"{words}, alloc {n}", ("alloc",), done)
            expect(f"{words}, alloc {n}: all or nothing", done.stdout in ("", whole.stdout), done.stdout)


def check_lines(top):
    """A sweep's manifest, for a line of which there is no memory, is not taken for one that ends there: `--force` would
    leave runs behind."""
    folder = os.path.join(top, "lines")
    for words, n in itertools.product((["--list"], ["--force", "-q"]), (1, 2, 3)):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(os.path.join(top, "whole"), os.path.join(folder, "d"))
        before = sorted(os.listdir(os.path.join(folder, "d", "runs")))
        name = f"sweep {words[0]}, line {n}"
        done, hit = launch(["sweep", "../s.cfg", "-o", "d", *words], folder, 1, ("line", n, errno.ENOMEM, 0))
        expect(name + ": struck", hit)
        expect(name + ": told", done.returncode == 5 and not done.stdout and len(done.stderr.splitlines()) == 1,
               f"exit {done.returncode}: {done.stderr}")
        expect(name + ": nothing is removed", sorted(os.listdir(os.path.join(folder, "d", "runs"))) == before)


def check_field(top):
    """The content of a field is part of the input: what fails while it is hashed is told, though it could be read later."""
    folder = os.path.join(top, "field")
    os.mkdir(folder)
    with h5py.File(os.path.join(folder, "field.h5"), "w") as file:
        file["c"] = [[[0.3 + 0.01 * (x % 4) for z in range(16)] for y in range(16)] for x in range(16)]
    write(os.path.join(folder, "in.cfg"), 'lattice: { cells = [16, 16, 16]; };\n'
          'microstructure: { type = "file"; file = "field.h5"; dataset = "c"; };\n'
          'protocol = ( { type = "age"; duration_s = 1.0; } );\n')
    done, _ = launch(["check", "in.cfg"], folder, 1)
    expect("field: undisturbed", done.returncode == 0 and done.stdout, done.stderr)
    begin = "stzkmc: in.cfg:2: microstructure.file: field.h5: "
    for call, reason, code, said in (("stream", errno.ENOMEM, 5, "stzkmc: field.h5: out of memory to read it"),
                                     ("block", errno.EIO, 3, begin + "cannot be read: Input/output error")):
        for ranks in 1, 2:
            # The first is the input itself.
            done, hit = launch(["check", "in.cfg"], folder, ranks, (call, 2, reason, 0))
            ours = {line for line in done.stderr.splitlines() if line.startswith("stzkmc:")}
            expect(f"field on {ranks}, {call}: told", hit and done.returncode == code and ours == {said},
                   f"exit {done.returncode}: {done.stderr}")


def prepare(top):
    folder = os.path.join(top, "stopped")
    os.mkdir(folder)
    done, _ = launch(["run", INPUT, "-o", "whole.h5"] + ARGUMENTS, top, 1)
    expect("unbroken run", done.returncode == 0, done.stderr)
    done, _ = launch(["run", INPUT, "-o", "a.h5", "--max-walltime", "1e-9"] + ARGUMENTS, folder, 1)
    expect("stopped run", done.returncode == 75, done.stderr)
    sets = ", ".join('"' + setting.replace('"', '\\"') + '"' for setting in SETTINGS)
    write(os.path.join(top, "s.cfg"), f'input = "{INPUT}"; set = [{sets}]; seed = 3;\n'
          'axes = ( { key = "barriers.width_eV"; values = [0.1, 0.11]; } );\n')
    done, _ = launch(["sweep", "s.cfg", "-o", "whole", "-q"], top, 1)
    expect("undisturbed sweep", done.returncode == 0, done.stderr)
    return (state_hash(os.path.join(top, "whole.h5")),
            [state_hash(os.path.join(top, f"whole/runs/{i:06}.h5")) for i in range(2)])


def main():
    with tempfile.TemporaryDirectory() as top:
        whole, hashes = prepare(os.path.realpath(top))
        top = os.path.realpath(top)
        numbers = list(range(1, 13)) + [15, 20, 30, 50] if ALL else [2]
        reason = itertools.cycle(REASONS)
        for call, n in itertools.product(CALLS, numbers):
            check_run(top, (call, n, next(reason), 0), 2 if ALL and n % 4 == 0 else 1, whole)
            if ALL or n == 2:
                check_sweep(top, (call, n, next(reason), 1), hashes)
            if ALL:
                check_sweep(top, (call, n, next(reason), 0), hashes)
        for n in range(7, 2000, 29) if ALL else (900, 1500):
            check_run(top, ("alloc", n, errno.ENOMEM, 0), 1 + n % 2, whole)
            check_sweep(top, ("alloc", n, errno.ENOMEM, n % 2), hashes)
        # Of libconfig, FFTW and HDF5, which crash or end the program where they have no memory.
        for n in range(3, 25000, 97) if ALL else (30, 54, 3200, 7000, 12000, 14048, 17457, 17944):
            check_run(top, ("malloc", n, errno.ENOMEM, n % 2 if ALL else 0), 1 + n % 2 if ALL else 1, whole)
        check_reader(top)
        check_lines(top)
        check_field(top)
        print(f"{struck[0]} faults on rank 0, {struck[1]} on rank 1")
        expect("enough faults struck", sum(struck.values()) >= (200 if ALL else 11) and min(struck.values()) >= 4,
               str(struck))
    finish()


main()
