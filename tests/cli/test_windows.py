#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cost model of exact windows (tests/bench/windows.py): its largest of Poisson numbers against scipy's law, its limits
against closed forms, and its gain against a window that is drawn at random. `test_windows.py PROGRAM MPIRUN SOURCE`."""
import json
import math
import os
import subprocess
import sys

import numpy as np
from scipy.stats import poisson

from harness import expect, finish

SCRIPT = os.path.join(sys.argv[3], "tests", "bench", "windows.py")
sys.path.insert(0, os.path.dirname(SCRIPT))
import windows  # noqa: E402


def check_most():
    for mean, ranks in ((0.3, 7), (5.0, 1), (40.0, 64), (499.0, 8), (2000.0, 64), (20000.0, 1000)):
        k = np.arange(int(mean + 20 * math.sqrt(mean) + 40))
        exact = float(np.sum(1.0 - poisson.cdf(k, mean) ** ranks))
        found = windows.expected_most(mean, ranks)
        expect(f"largest of {ranks} of mean {mean}", abs(found / exact - 1.0) < 1e-8, (found, exact))


def check_limits():
    one = windows.predict(128, 1)
    expect("one rank gains nothing", abs(one["gain"] - 1.0) < 1e-12, one)
    expect("no tiles below the least", windows.predict(128, 512) is None)
    for edge, seconds in zip(windows.EDGES, windows.EVENT_S):
        expect(f"time of an event at {edge}", abs(windows.event_seconds(edge) / seconds - 1.0) < 1e-12)
    # Nothing but own events, so many that all ranks have as many: the ranks' number times the cheaper events of a tile.
    share, windows.FLIPS = windows.FLIPS, 0.0
    free = windows.predict(1024, 8, latency=0.0, bandwidth=math.inf, replay=0.0, moments=1.0)
    windows.FLIPS = share
    ideal = 8.0 * windows.event_seconds(1024) / windows.event_seconds(512)
    expect("free exchanges", abs(free["gain"] / ideal - 1.0) < 1e-3, (free, ideal))
    # Nothing but the replay: each event costs that much, on any number of ranks.
    bound = windows.predict(1024, 64, replay=1.0)
    expect("a dear replay", abs(bound["gain"] / windows.event_seconds(1024) - 1.0) < 1e-3, bound)


def check_drawn():
    """20,000 windows drawn at random: the mean time of one within 5 standard errors (a false alarm in 1.7 million)."""
    rng, edge, ranks, events = np.random.default_rng(5), 256, 64, 200.0
    own = (1 + windows.FLIPS * events / edge**3) * windows.event_seconds(edge / 4)
    drawn = own * rng.poisson(events / ranks, (20000, ranks)).max(axis=1)
    total, exchange, replay = windows.window_seconds(edge, ranks, events, 2e-6, 8e9, 2e-7)
    error = drawn.std() / math.sqrt(len(drawn))
    expect("windows drawn at random", abs(total - exchange - replay - drawn.mean()) < 5 * error, (total, drawn.mean(), error))


def check_output():
    done = subprocess.run([sys.executable, SCRIPT, "--json"], capture_output=True, text=True, check=True)
    found = {(one["cells"], one["ranks"]): one for one in json.loads(done.stdout)}
    for cells in (128, 256):
        gains = [one["gain"] for (n, _), one in sorted(found.items()) if n == cells]
        expect(f"more ranks draw more at {cells}", gains == sorted(gains), gains)
    slow = subprocess.run([sys.executable, SCRIPT, "--json", "--latency", "50"], capture_output=True, text=True, check=True)
    for one in json.loads(slow.stdout):
        expect("slow messages cost", one["gain"] < found[one["cells"], one["ranks"]]["gain"], one)


check_most()
check_limits()
check_drawn()
check_output()
finish()
