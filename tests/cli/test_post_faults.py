#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of the operating system fails under stz-post: exit code 2 and one line, the file that was there or the whole new
one under each name, what is read as it was, and nothing else left; or exit code 1 and a whole page that is said to be
without a figure. tests/faults/faults.c makes it fail. With STZ_FAULTS=all the calls of every writer in turn, else a sample;
of the commands alone that are named after the arguments."""
import errno
import os
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np

from harness import LIBRARY, SOURCE, expect, finish, run, write

POST = os.path.join(SOURCE, "postprocess", "stz-post")
INPUT = """model = "zr65ni35";
lattice: { cells = [16, 16, 16]; };
protocol = ( { type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.06; temperature_K = 295.0; } );
output: { events = true; nbed_strains = [0.0, 0.05]; };
nbed: { foil_nm = 9.0; };
"""
SWEEP = 'input = "a.cfg";\naxes = ( { key = "barriers.width_eV"; values = [0.1, 0.2]; } );\nseed = 1;\n'
COMMANDS = [  # the last word is the output, in the folder `out`
    "collect s -o out/all.h5", "field f.h5 -o out/g.h5", "synth curves a.h5 -o out/set", "figure stress-strain a.h5 -o out/f",
    "stress-strain a.h5 -o out/a.svg", "report a.h5 -o out/page", "events a.h5 -o out/e.vtp", "events a.h5 -o out/e.xyz",
    "measured m.csv -o out/m.png", "movie a.h5 -o out/m.gif --frames 2", "probes a.h5 -o out/p.png"]
SAMPLED = COMMANDS[:3]
CALLS = ["open", "read", "write", "short", "close", "fsync", "rename", "ftruncate", "unlink"]
HARMLESS = ("short", "read", "open", "unlink")  # carried on, or read again in another way; what is left out is looked at below
REASONS = [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EACCES]
ALL = os.environ.get("STZ_FAULTS") == "all"
PLACES = [*range(1, 60), *range(60, 1000, 17)] if ALL else [1, *range(40, 100, 4)]  # which call of a kind, up to their number


def prepare(folder):
    write(os.path.join(folder, "a.cfg"), INPUT)
    write(os.path.join(folder, "s.cfg"), SWEEP)
    for words in ["run", "a.cfg", "-o", "a.h5", "-q"], ["sweep", "s.cfg", "-o", "s", "-q"]:
        done = run(words, cwd=folder)
        expect(words[0], done.returncode == 0, done.stderr)
    with h5py.File(os.path.join(folder, "f.h5"), "w") as file:
        file["x"] = np.random.default_rng(1).random((16, 16, 16))
    readings = "".join(f"{10**k},{4 - k / 9},0.01\n" for k in range(6))
    write(os.path.join(folder, "m.csv"), "time_s,stress_GPa,error_GPa\n" + readings)


def files(folder):
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(place, name), "rb") as file:
                found[os.path.relpath(os.path.join(place, name), folder)] = file.read()
    return found


def launch(command, folder, fault=None):
    """The finished process, and whether the fault struck."""
    mark = folder + ".mark"
    if os.path.exists(mark):
        os.remove(mark)
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    if fault:
        call, n, reason = fault
        environment |= {"LD_PRELOAD": LIBRARY, "STZ_FAULT_FOLDER": folder, "STZ_FAULT_CALL": call, "STZ_FAULT_N": str(n),
                        "STZ_FAULT_ERRNO": str(reason), "STZ_FAULT_MARK": mark}
    done = subprocess.run([sys.executable, POST, *command.split()], cwd=folder, env=environment, capture_output=True,
                          text=True, timeout=300, check=False)
    return done, os.path.exists(mark)


def fresh(out, old):
    shutil.rmtree(out, ignore_errors=True)
    os.mkdir(out)
    for name in old:
        write(os.path.join(out, name), "old")


def check_fault(command, folder, fault, made, inputs):
    """`made` are the files of the command undisturbed, and their sizes. False if it has fewer such calls."""
    name, out = f"{command}, {fault[0]} {fault[1]}, {errno.errorcode[fault[2]]}", os.path.join(folder, "out")
    old = [] if command.startswith("synth") else made  # a set's folder is new
    fresh(out, old)
    done, hit = launch(command, folder, fault)
    if not hit:
        return False
    now = files(out)
    if done.returncode == 0:
        expect(f"{name}: told", fault[0] in HARMLESS, "exit 0, as if nothing had been")
        told = any(os.strerror(fault[2]).encode() in data for data in now.values())  # a page says what it is without
        expect(f"{name}: whole", told or set(now) == set(made) and b"old" not in now.values(), sorted(now))
        told |= "taken for not done" in done.stdout and os.strerror(fault[2]) in done.stdout
        same = fault[0] != "read" or told or all(len(data) == made.get(one) for one, data in now.items())
        expect(f"{name}: nothing is missing", same, {one: (len(data), made.get(one)) for one, data in now.items()})
    elif done.returncode == 1 and " is without " in done.stderr:
        expect(f"{name}: why", os.strerror(fault[2]) in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr)
        page = [data for one, data in now.items() if one.endswith(".html")]
        expect(f"{name}: a whole page", len(page) == 1 and page[0].rstrip().endswith(b"</html>"), sorted(now))
        expect(f"{name}: nothing else is left", set(now) <= set(made), sorted(now))
    else:
        expect(f"{name}: exit 2", done.returncode == 2 and len(done.stderr.splitlines()) == 1, f"{done.returncode}: {done.stderr}")
        expect(f"{name}: what it is about", "stdout" not in done.stderr, done.stderr)
        expect(f"{name}: nothing is called damaged", fault[0] != "open" or "damaged" not in done.stderr, done.stderr)
        expect(f"{name}: nothing else is left", set(now) <= set(made), sorted(now))
        torn = [one for one in set(now) & set(made) if now[one] != b"old" and len(now[one]) < 0.9 * made[one]]
        expect(f"{name}: the old or the new", not torn, torn)
        expect(f"{name}: nothing is lost", set(old) <= set(now), sorted(now))
    here = {path: data for path, data in files(folder).items() if not path.startswith("out" + os.sep)}
    expect(f"{name}: what is read", here == inputs, sorted(here))
    return True


def main():
    struck, wanted = 0, sys.argv[4:]
    chosen = [one for one in (COMMANDS if ALL else SAMPLED) if not wanted or one.split()[0] in wanted]
    with tempfile.TemporaryDirectory() as top:
        folder = os.path.join(top, "work")
        os.mkdir(folder)
        prepare(folder)
        inputs = files(folder)
        for command in chosen:
            fresh(os.path.join(folder, "out"), [])
            done, _ = launch(command, folder)
            made = {name: len(data) for name, data in files(os.path.join(folder, "out")).items()}
            expect(f"{command}: undisturbed", done.returncode == 0 and made, done.stderr)
            for call in CALLS:
                for n in PLACES:
                    if not check_fault(command, folder, (call, n, REASONS[(n + len(call)) % len(REASONS)]), made, inputs):
                        break
                    struck += 1
    expect("faults strike", struck >= (20 * len(chosen) if ALL else 12), struck)
    print(f"{struck} faults")
    finish()


main()
