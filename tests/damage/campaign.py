#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged files through every reader: `campaign.py PROGRAM READER SOURCE COUNT [FIRST]` makes COUNT of them, from number
FIRST (0) on, and has each read as
`stzkmc info`, `nbed`, `run --restart`, `microstructure.file` or stzpost would. No reader may crash, search for ever (10 s
of processor time) or need much memory (1 GB), and each failure is one line. What was found is printed; exit 1 if it is
not as it must be."""
import collections
import os
import resource
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np
from damaged import damage

PROGRAM, READER, SOURCE, COUNT = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
FIRST = int(sys.argv[5]) if len(sys.argv) > 5 and sys.argv[5].isdigit() else 0
INPUT = """model = "{0}/models/zr65ni35.cfg";
lattice: {{ cells = [16, 16, 16]; }};
nbed: {{ foil_nm = 9.0; }};
output: {{ snapshots = true; nbed_strains = [0.0, 0.01]; events = true; }};
protocol = ( {{ type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.05; temperature_K = 295.0; }} );
"""
PYTHON = os.path.join(SOURCE, "tests", "damage", "reader.py")
SEAL = 33


def make_originals(folder):
    """What is to be damaged: reader -> contents."""
    def path(name):
        return os.path.join(folder, name)
    with open(path("in.cfg"), "w") as file:
        file.write(INPUT.format(SOURCE))
    subprocess.run([PROGRAM, "run", "in.cfg", "-o", "run.h5", "-q"], cwd=folder, check=True)
    x = np.indices((16, 16, 16)) / 16
    values = 0.4 + 0.2 * np.sin(2 * np.pi * (x[0] + 2 * x[1])) * np.cos(2 * np.pi * x[2])
    for name, version, how in (("plain", "earliest", {}), ("packed", "earliest", {"chunks": (4, 8, 16), "compression": 4}),
                               ("new", "latest", {"chunks": (4, 8, 16), "shuffle": True, "compression": 4})):
        with h5py.File(path(name), "w", libver=version) as file:
            made = file.create_dataset("c", data=values, **how)
            for i in range(12):  # as many as go into a tree of their own
                made.attrs[f"a{i}"] = "b" * i
            for i in range(20):
                file[f"group/of_more/{i}"] = i
    contents = {name: open(path(name), "rb").read() for name in ("run.h5", "run.0001.hdf", "plain", "packed", "new")}
    result, snapshot = contents["run.h5"], contents["run.0001.hdf"]
    fields = [contents[name] for name in ("plain", "packed", "new")]
    return {"info": [result[:-SEAL], result[:-SEAL], result], "restart": [result[:-SEAL], result], "field": fields,
            "nbed": [snapshot[:-SEAL], snapshot[:-SEAL], snapshot],
            "python": [result[:-SEAL], result[:-SEAL], result]}


class Served:
    """A process that reads files, one a line; started again if it dies."""

    def __init__(self, command):
        self.command, self.process = command, None

    def ask(self, line):
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.DEVNULL, text=True, errors="replace")
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            code, self.process = self.process.wait(), None
            return None, f"dies: {code}"
        code, _, message = answer.rstrip("\n").partition(" ")
        return int(code), message

    def end(self):
        if self.process:
            self.process.stdin.close()
            return self.process.wait()
        return 0


def used():
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def main():
    own = Served([READER, PROGRAM])
    python = Served(["/usr/bin/python3", PYTHON, os.path.join(SOURCE, "postprocess")])
    counts, said, wrong = collections.Counter(), collections.Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        originals = make_originals(folder)
        path = os.path.join(folder, "damaged.h5")
        for number in range(FIRST, FIRST + COUNT):
            what = list(originals)[number % len(originals)]
            data, kind = damage(originals[what][number // len(originals) % len(originals[what])], number)
            target = os.path.join(folder, "run.0001.hdf") if what == "nbed" else path
            with open(target, "wb") as file:
                file.write(data)
            asked = os.path.join(folder, "run.h5") if what == "nbed" else path
            code, message = python.ask(asked) if what == "python" else own.ask(f"{what} {asked}")
            allowed = (0, 2) if what == "python" else (0, 2, 3)
            counts[what, {0: "read", None: "DIED"}.get(code, "refused")] += 1
            said[what, message.replace(target, "FILE")[:70].rstrip("0123456789") if code else ""] += 1
            if code not in allowed or (code and not message) or "Traceback" in message:
                wrong.append((number, what, kind, code, message))
                shutil.copy(target, f"/tmp/damage-{what}-{number}")
        ends = own.end(), python.end()
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    for (what, end), n in sorted(counts.items()):
        print(f"{what:10} {end:8} {n}")
    if "-v" in sys.argv:
        for (what, message), n in said.most_common(60):
            print(f"  {n:5} {what:8} {message}")
    for one in wrong[:20]:
        print("WRONG:", *one)
    print(f"{COUNT} files, {len(wrong)} wrong, processor {used():.0f} s, most memory {most:.0f} MB, ends {ends}")
    sys.exit(bool(wrong) or any(ends) or most > 1000)


main()
