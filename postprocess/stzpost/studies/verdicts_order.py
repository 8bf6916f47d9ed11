# SPDX-License-Identifier: GPL-3.0-or-later
"""What an experiment's runs say of diffraction patterns: a function a row, which sees runs alone, so that the null model
of nulls.py is judged by the same tests."""
import math

import numpy as np
from scipy.stats import f as fisher

from ..analysis import order
from ..analysis.quantity import jackknife, mean_error
from . import targets
from .targets import AGREES, DIFFERS, UNRESOLVED, Row
from .verdicts_flow import text_of

FLAT = 0.05  # largest relative change of the Bragg fraction that counts as flat
EXCESS_P, SOME = 0.01, 0.05  # of the scatter's excess; least probability that 2 of 5 scans look undeformed


def _level(e, strain):
    return next((one for one in e.levels if abs(one.strain - strain) < 0.004), None)


def _fall(before, after):
    """Mean fall from seed to seed (the same sample carries both levels), its standard error."""
    return mean_error(before.fractions.mean(axis=1) - after.fractions.mean(axis=1))


def _seen_by_eight(e, pairs):
    """Share of seeds whose own 8 scans show the trend by the criteria of `stz-post report`."""

    def clear(i):
        falls = [targets.drop(a.statistics[i], b.statistics[i]) for a, b in pairs]
        return abs(falls[0]) <= targets.SURE and min(falls[1:]) > targets.CLEAR

    return float(np.mean([clear(i) for i in range(len(pairs[0][0].statistics))]))


def n1(e):
    row = Row("N1")
    levels = [_level(e, strain) for strain in (0.0, 0.01, 0.05, 0.08, 0.12)]
    if None in levels:
        return row
    zero, one, five, eight, twelve = levels
    row.model = ", ".join(f"{level.mean:.3f} ± {level.error:.3f} at {100 * level.strain:g} %" for level in levels)
    flat = [_fall(zero, one), _fall(one, five)]
    falls = [_fall(five, eight), _fall(eight, twelve)]
    expected = [float(level.expected.mean()) for level in levels]
    bent = max(abs(expected[0] - expected[1]), abs(expected[1] - expected[2])) / expected[0]
    z = [fall / error if error else math.inf for fall, error in falls]
    row.verdict = DIFFERS if bent > FLAT or min(z) <= 0 else AGREES if min(z) >= 3 else UNRESOLVED
    chance = _seen_by_eight(e, [(one, five), (five, eight), (eight, twelve)])
    n = len(one.statistics)
    row.detail = (
        f"{n} seeds of 8 scans; expectation without sampling noise "
        + ", ".join(f"{x:.3f}" for x in expected)
        + f" (largest change up to 5 %: {100 * bent:.1f} %); scans give {text_of(*flat[0])} and {text_of(*flat[1])}; falls of "
        + " and ".join(f"{x:.1f}" for x in z)
        + f" standard errors; 8 scans alone show the trend with {100 * chance:.0f} % (± "
        + f"{100 * math.sqrt(max(chance * (1 - chance), 0.25 / n) / n):.0f} %)"
    )
    n5 = float(five.events.mean())
    if n5 > 0:
        row.detail += (
            f". Clusters have seen {n5:.2f} events a volume at 5 %: the glass would be flat to {100 * FLAT:.0f} % with a loss "
            f"of order of at most {_largest_loss(expected[0], n5):.2f} an event, which is assumed, not measured"
        )
    if e.rate_levels:
        row.detail += ". In tension at 10⁻⁶ /s, not relaxed: " + ", ".join(
            f"{float(level.expected.mean()):.3f} at {100 * level.strain:g} %" for level in e.rate_levels
        )
    return row


def _largest_loss(initial, events):
    """With which so many events lower the fraction as deposited by FLAT of it."""
    k, least = (-math.log1p(-fraction) for fraction in (initial, (1 - FLAT) * initial))
    return math.log(k / least) / events


def n3(e):
    row = Row("N3")
    levels = [level for level in (_level(e, 0.0), _level(e, 0.12)) if level]
    if len(levels) < 2:
        return row
    pooled, silent = [], []
    for level in levels:
        seen = [one for one in level.statistics if math.isfinite(one.domain_difference)]
        pooled.append(mean_error([one.domain_difference for one in seen]))
        silent.append(np.mean([abs(one.domain_difference) <= targets.SURE * one.domain_error for one in seen]))
    row.model = "bright minus dark " + ", ".join(
        f"{text_of(*one, digits=2)} at {100 * level.strain:g} %" for one, level in zip(pooled, levels)
    )
    row.verdict = AGREES if min(silent) >= 0.9 else DIFFERS
    row.detail = f"no relation seen by {100 * min(silent):.0f} % of experiments of 8 scans"
    if e.dilution:
        kept = np.mean([one.kept for one in e.dilution])
        ratios = np.median([one.smallest_ratio for one in e.dilution])
        need = f"a ratio of {ratios:.1f}" if math.isfinite(ratios) else "no ratio, however large,"
        row.detail += (
            f"; the foil leaves {kept:.2f} of the domains' contrast, so that with 8 scans {need} of the clusters' "
            "densities in the two domains would be seen at 3 standard errors: a weak null"
        )
    return row


def n4(e):
    row = Row("N4")
    level, initial = _level(e, 0.12), _level(e, 0.0)
    if level is None or initial is None:
        return row
    every = list(range(len(level.statistics)))
    ratio, share, some = _scatter(level, initial, every)
    freedom = (level.fractions.shape[1] - 1) * len(every)
    p = float(fisher.sf(ratio**2, freedom, freedom))
    left_out = [_scatter(level, initial, every[:i] + every[i + 1 :]) for i in every] if len(every) > 1 else []
    errors = [jackknife(values) for values in zip(*left_out)] or [math.nan] * 3
    row.model = f"{text_of(ratio, errors[0])} times the scatter of the undeformed film; "
    row.model += f"{text_of(100 * share, 100 * errors[1])} % of scans look undeformed"
    row.verdict = AGREES if p < EXCESS_P and some >= SOME else DIFFERS
    seen = fisher.ppf(1 - EXCESS_P, freedom, freedom) / fisher.ppf(0.05, freedom, freedom)
    own = [_scatter_of(one, every) for one in (initial, level)]
    row.detail = (
        f"p = {p:.2g}, {level.fractions.size} scans at each strain: an excess of {math.sqrt(seen):.2f} is found with 95 %. "
        f"Scatter over that of clusters placed at random {own[0]:.2f} undeformed, {own[1]:.2f} at 12 %; of 5 scans at least "
        f"2 are not below the lowest of 5 undeformed ones with {text_of(100 * some, 100 * errors[2], digits=2)} %"
    )
    return row


def _scatter(level, initial, seeds):
    """Scatter of the scans over that of the undeformed film; share that looks undeformed; probability that 2 of 5 do."""
    share, some = order.like_undeformed(level.fractions[seeds].ravel(), initial.fractions[seeds].ravel())
    return _scatter_of(level, seeds) / _scatter_of(initial, seeds), share, some


def _scatter_of(level, seeds):
    """Scatter of a seed's scans about their mean, over what clusters placed at random give at the fraction of all."""
    fractions = level.fractions[seeds]
    own = math.sqrt(float(np.mean(np.var(fractions, axis=1, ddof=1))))
    return own / order.random_scatter(fractions.mean())
