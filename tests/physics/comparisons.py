#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What engines.py compares, on numbers made up: equal laws pass, a shift of one measure is found, a measure that the
protocol holds and one that few runs have are not compared, and no undefined value hides the others."""
import sys

import numpy as np

from engines import ALPHA, compare, verdict

RUNS = 250


def runs(seed, **changes):
    chance = np.random.default_rng(seed)
    made = [{"modes": chance.multinomial(400, [1 / 30] * 30), "missed": 0.0, "events": 400, "held": -2.9 + 1e-16 * chance.normal(),
             "undefined": chance.normal(), "stress": chance.normal(3.2, 0.02), "time": chance.exponential(40.0)} for _ in range(RUNS)]
    for name, change in changes.items():
        for run in made:
            run[name] += change
    return made


def judged(other, undefined_in=0.0):
    """The failures, and the names that were compared."""
    comparisons = []
    for run in other[:int(undefined_in * RUNS)]:
        run["undefined"] = np.nan
    compare("made up", "other", runs(1), other, comparisons)
    return verdict(comparisons, ALPHA), {name for _, _, name in comparisons}


def main():
    failed = []
    same, names = judged(runs(2), 1.0)
    if same or {"held", "undefined"} & names or "stress" not in names:
        failed.append(f"equal laws: {same}, compared {sorted(names)}")
    # 0.4 of a standard deviation, 250 + 250 runs: 4.5 standard errors, where the limit is at 3.9
    if not any("stress" in line for line in judged(runs(2, stress=0.008), 0.1)[0]):
        failed.append("a shift of 0.4 standard deviations is not found")
    if not verdict([(float("nan"), "a", "b"), (0.5, "a", "c")], ALPHA):
        failed.append("a p that is no number passes")
    if not verdict([], ALPHA):
        failed.append("nothing compared passes")
    print("\n".join(failed) or "as it should be")
    sys.exit(1 if failed else 0)


main()
