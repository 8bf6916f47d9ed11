# SPDX-License-Identifier: GPL-3.0-or-later
"""The stress of one event, asked of `stzkmc kernel` and read from the vectors in tests/data: shared by scripts of this
folder."""
import json
import math
import os

from harness import SOURCE, expect, run


def vectors(name):
    """(cells, [(site, P)], [(offset, stress)]) of each case with one event in a file of tests/data."""
    with open(os.path.join(SOURCE, "tests", "data", name), encoding="utf-8") as file:
        lines = [line.split() for line in file if not line.startswith("#")]
    at = 0
    while at < len(lines):
        cells, events, points = (int(word) for word in lines[at][1:])
        rows = [([int(word) for word in row[:3]], [float(word) for word in row[3:]])
                for row in lines[at + 1:at + 1 + events + points]]
        at += 1 + events + points
        if events == 1:
            yield cells, rows[0], rows[1:]


def words(event, strain, sites, *more):
    text = [",".join(str(v) for v in site) for site in sites]
    return ["--event", ",".join(map(str, event)), "--strain", ",".join(repr(v) for v in strain),
            *(word for site in text for word in ("--at", site)), *more]


def kernel(folder, name, event, strain, sites, ranks=1, more=()):
    done = run(["kernel", name, "--json", *words(event, strain, sites, *more)], ranks, folder)
    expect(name + " runs quietly", done.returncode == 0 and not done.stderr, done.stderr)
    found = json.loads(done.stdout)
    expect(name + " names its sites", found["sites"] == sites, done.stdout[:200])
    return found["stress_GPa"]


def off_by(found, points):
    """The largest error of the stress at `points`, GPa; infinite where any is not a number, which max() may leave out."""
    off = [abs(f - s) for row, (_, stress) in zip(found, points, strict=True) for f, s in zip(row, stress, strict=True)]
    return math.inf if any(map(math.isnan, off)) else max(off)
