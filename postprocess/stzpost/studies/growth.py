# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast waves of plastic strain grow in the runs of bands.py, the critical softening of each glass, and the finding."""
from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy.stats import alexandergovern, chi2, norm

from ..analysis import waves
from ..analysis.fields import smear
from ..analysis.quantity import NORMAL_95, minus
from ..errors import StzPostError
from ..io.result import open_result
from ..units import ROOM_K
from . import bands
from .bands import DOMAINS, STRUCTURE, UNIFORM

STRAINS = np.linspace(0.0025, 0.03, 12)  # plastic, at which the gain is taken
WINDOW = 0.01  # plastic strain over which a wave grows or decays: before slip localises by itself
LENGTH = 0.005  # of each of the stretches of plastic strain between which a wave grows or decays
STRETCHES = ((0.0025, 0.0025 + LENGTH), (0.01, 0.01 + LENGTH))
LEAST = 0.02  # smaller gains have no rate of growth
MAPPED = 0.015  # plastic strain of the maps of slip
WITHOUT = (bands.FROZEN, bands.RANDOM, bands.EQUAL)  # the barriers of the domains, not their arrangement
LIKE_DOMAINS = (*WITHOUT, *(name for name in bands.MODULI if name.startswith(DOMAINS)))  # what is compared with them
SURE = 0.05  # that any of the comparisons with the uniform glass errs


@dataclass
class Case:
    """Pairs of one group, structure, box and softening."""

    group: str
    name: str
    box: str
    softening_eV: float
    gains: np.ndarray  # [seed, strain, order]
    lengths_nm: np.ndarray
    localisation: float  # at the end, mean over the runs
    overshoot: float  # upper yield over the stress at the end
    flow_GPa: float  # that stress, at 7 % strain; creep ends without stress

    def net(self, order):
        """[seed, 1]: the gain at the end of the window; of whole pairs."""
        return _whole(self.gains[:, _at(WINDOW), order][:, None])

    def running(self, order):
        """[seed, 2]: what the wave gains per plastic strain in two later stretches of strain."""
        course = self.gains[:, :, order] * STRAINS
        grown = [course[:, _at(end)] - course[:, _at(begin)] for begin, end in STRETCHES]
        return _whole(np.stack(grown, axis=1) / LENGTH)


def _at(strain):
    return int(np.argmin(np.abs(STRAINS - strain)))


def _whole(values):
    return values[np.isfinite(values).all(axis=1)]


def net_growth(mean):
    """G that leads to the mean gain at the end of the window."""
    return float(waves.growth(max(mean[0], LEAST), WINDOW))


def running_growth(mean):
    """G from one stretch to the other."""
    between = STRETCHES[1][0] - STRETCHES[0][0]
    return math.log(max(mean[1], LEAST) / max(mean[0], LEAST)) / between


MEASURES = {"net": (Case.net, net_growth), "running": (Case.running, running_growth)}


def analyse(runs):
    """The cases of finished runs; a pair of which one run is missing is left out."""
    answers, beside, parts = {}, {}, {}
    for run in runs:
        part, softening = run.values["part"], run.values["softening_eV"]
        if not part.amplitude_eV:
            continue
        key = (part.group, part.name, part.box, softening)
        parts[key] = part
        sign = os.path.basename(run.values["rise_file"]).split("-")[0]
        result = open_result(run.path)
        answer = bands.waves_of(part).answer(result.table("/events"), STRAINS)
        answers.setdefault(key, {})[run.seed, sign] = answer
        stress = result.history["stress_axial_GPa"].values
        flow = stress[-1] if stress[-1] > 0 else math.nan
        beside.setdefault(key, []).append((result.history["localisation"].values[-1], stress.max() / flow, flow))
    return [_case(key, parts[key], found, beside[key]) for key, found in answers.items()]


def _case(key, part, found, beside):
    seeds = sorted({seed for seed, _ in found if all((seed, sign) in found for sign in bands.SIGNS)})
    pairs = [waves.gain(found[seed, "plus"], found[seed, "minus"], STRAINS, ROOM_K) for seed in seeds]
    lengths = bands.waves_of(part).lengths_nm(bands.SPACING_NM)
    empty = np.empty((0, len(STRAINS), len(lengths)))
    return Case(*key, np.array(pairs) if pairs else empty, lengths, *np.mean(beside, axis=0))


@dataclass
class Line:
    """Growth of one structure against softening, of the wave of one order."""

    group: str
    name: str
    box: str
    measure: str
    length_nm: float
    softening_eV: np.ndarray
    growth: np.ndarray
    error: np.ndarray
    correlation: float  # of the errors at any two softenings
    critical_eV: float
    drawn: np.ndarray  # of critical_eV

    def at(self, softening):
        """Rate of growth and its error."""
        (i,) = np.nonzero(self.softening_eV == softening)[0]
        return self.growth[i], self.error[i]

    def interval(self, level=0.95):
        return tuple(np.quantile(self.drawn, [0.5 - level / 2, 0.5 + level / 2], method="nearest"))


def lines(cases, order=0, measure="net"):
    """By group, structure and box. The scatter of the seeds is pooled over the structures of a box, since a few seeds
    alone tell it badly: that at one softening, and the correlation between two, as the seeds are the same at all."""
    values_of, growth = MEASURES[measure]
    pooled, found = {}, {}
    for case in cases:
        values = values_of(case, order)
        if len(values) > 1:
            found.setdefault((case.group, case.name, case.box), []).append((case, values))
            pooled.setdefault(_pool(case), []).append(np.atleast_2d(np.cov(values.T)))
    rates, apart = {}, {}
    for key, own in found.items():
        own.sort(key=lambda one: one[0].softening_eV)
        rates[key] = [_rate(growth, values, np.mean(pooled[_pool(case)], axis=0)) for case, values in own]
        apart.setdefault((key[0], key[2]), []).append([one[2] for one in rates[key]])
    return [_line(key, own, rates[key], _correlation(apart[key[0], key[2]]), measure, order, seed)
            for seed, (key, own) in enumerate(found.items())]


def _pool(case):
    return case.group, case.box, case.softening_eV


def _rate(growth, values, covariance):
    """A growth rate, its standard error from the covariance of what one seed gives, and how far the rate of each seed is
    from it, to first order, over the standard deviation of one seed."""
    mean, slopes = values.mean(axis=0), []
    for i, deviation in enumerate(np.sqrt(np.diag(covariance) / len(values))):
        step = np.zeros(len(mean))
        step[i] = deviation
        slopes.append((growth(mean + step) - growth(mean - step)) / (2 * deviation))
    deviation = math.sqrt(np.array(slopes) @ covariance @ np.array(slopes))
    return growth(mean), deviation / math.sqrt(len(values)), (values - mean) @ np.array(slopes) / deviation


def _correlation(lines_apart):
    """Of two softenings, on average over all pairs; 0 if it is negative. `lines_apart`: what _rate says of each seed."""
    products = [a @ b / (len(a) - 1) for own in lines_apart for a, b in combinations(own, 2) if len(a) == len(b)]
    return min(1.0, max(0.0, float(np.mean(products)))) if products else 0.0


def _line(key, own, rates, correlation, measure, order, seed):
    softening = np.array([case.softening_eV for case, _ in own])
    values, errors = np.array([one[0] for one in rates]), np.array([one[1] for one in rates])
    critical, drawn = math.nan, np.array([math.nan])
    if len(own) > 2:
        critical, drawn = waves.crossings(softening, values, errors, seed, correlation)
    return Line(*key, measure, own[0][0].lengths_nm[order], softening, values, errors, correlation, critical, drawn)


VERDICTS = ("needs more softening", "needs less softening", "no difference shown")


def comparisons(found, reference=UNIFORM, others=bands.ALL):
    """Critical softening of the structures less that of the reference: the difference, an interval that holds for all
    of them together with 95 %, the verdict, and the least difference that would be seen with 80 %."""
    mine = {line.name: line for line in found if line.group == STRUCTURE and len(line.drawn) > 1}
    mine = {name: line for name, line in mine.items() if name in (reference, *others)}
    if reference not in mine or len(mine) < 2:
        return []
    reference = mine.pop(reference)
    level = 1 - SURE / len(mine)
    results = []
    for name, line in mine.items():
        low, high = _between(line, reference, level)
        verdict = VERDICTS[0] if low > 0 else VERDICTS[1] if high < 0 else VERDICTS[2]
        ends = _between(line, reference, 0.68)
        sigma = (ends[1] - ends[0]) / 2 if np.isfinite(ends).all() else math.inf
        seen = (norm.ppf(0.5 + level / 2) + norm.ppf(0.8)) * sigma
        difference = line.critical_eV - reference.critical_eV
        results.append({"name": name, "difference_eV": difference, "interval_eV": [low, high], "verdict": verdict,
                        "seen_from_eV": seen})
    return results


def agreement(one, other):
    """The probability of two lines that differ by so much or more, over all softenings, if their growth is the same."""
    both = sorted(set(one.softening_eV) & set(other.softening_eV))
    apart, covariance = np.zeros(len(both)), np.zeros((len(both), len(both)))
    for sign, line in ((1, one), (-1, other)):
        rates, errors = np.array([line.at(softening) for softening in both]).T
        apart += sign * rates
        covariance += np.outer(errors, errors) * (line.correlation + (1 - line.correlation) * np.eye(len(both)))
    return float(chi2.sf(apart @ np.linalg.solve(covariance, apart), len(both)))


def boxes(cases):
    """By machine and softening, the probability of boxes that differ by so much or more in the net gain of their longest
    wave, if they are the same: the test of Alexander and Govern, as boxes differ in scatter."""
    found = []
    for machine, groups in (("strain control", (STRUCTURE, bands.SAME)), ("soft machine", (bands.SOFT_SAME,))):
        own = [case for case in cases if case.group in groups and case.name == UNIFORM]
        for softening in sorted({case.softening_eV for case in own if case.group == groups[-1]}):
            values = [case.net(0)[:, 0] for case in own if case.softening_eV == softening]
            if len(values) > 1 and min(map(len, values)) > 1:
                p = float(alexandergovern(*values).pvalue)
                found.append({"machine": machine, "softening_eV": softening, "p": p})
    return found


def repeated(found):
    """Of the structures that were carried out with other seeds: what these say, and the first ones at the same
    softenings, as a parabola through others is another one."""
    results = []
    for seed, other in enumerate(line for line in found if line.group == bands.OTHER_SEEDS):
        (first,) = [line for line in found if (line.group, line.name, line.box) == (STRUCTURE, other.name, other.box)]
        first = _only(first, other.softening_eV, len(found) + seed)
        low, high = _between(other, first, 0.95)
        results.append({"name": other.name, "measure": other.measure, "first_eV": first.critical_eV,
                        "other_eV": other.critical_eV, "difference_eV": other.critical_eV - first.critical_eV,
                        "interval_eV": [low, high], "p": agreement(first, other)})
    return results


def _only(line, softening, seed):
    rates, errors = np.array([line.at(one) for one in softening]).T
    critical, drawn = waves.crossings(softening, rates, errors, seed, line.correlation)
    return replace(line, softening_eV=softening, growth=rates, error=errors, critical_eV=critical, drawn=drawn)


def _between(line, reference, level):
    """The interval of the difference of their critical softenings."""
    with np.errstate(invalid="ignore"):
        drawn = line.drawn - reference.drawn
    drawn = np.where(np.isnan(drawn), 0.0, drawn)  # both infinite
    return np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2], method="nearest")


def together(cases):
    """The structures with all their seeds, the other ones as well."""
    other = {(case.name, case.box, case.softening_eV): case for case in cases if case.group == bands.OTHER_SEEDS}
    both = []
    for case in cases:
        more = other.get((case.name, case.box, case.softening_eV))
        if case.group == STRUCTURE and more:
            both.append(replace(case, gains=np.concatenate([case.gains, more.gains])))
    return both


def finding(found):
    """What the numbers say, a sentence each; `found`: the lines of each measure."""
    mine = [line for line in found["net"] if line.group == STRUCTURE]
    if not any(line.name == UNIFORM for line in mine):
        return "No uniform glass: no finding."
    said = [_without_softening(line) for line in mine if line.softening_eV[0] == 0 and line.name in (UNIFORM, DOMAINS)]
    for reference, others in ((UNIFORM, bands.ALL), (DOMAINS, LIKE_DOMAINS)):
        verdicts = {}
        for measure in MEASURES:
            for one in comparisons(found[measure], reference, others):
                verdicts.setdefault(one["name"], []).append(one["verdict"])
        said += _judged(reference, verdicts)
    return minus("\n".join(said))


def _judged(reference, verdicts):
    """Sentences from {structure: verdicts of the measures}."""
    for verdict in VERDICTS[:2]:
        names = [name for name, own in verdicts.items() if own == [verdict] * len(MEASURES)]
        if names:
            yield f"Against the glass `{reference}`, by both measures, {verdict}: {'; '.join(names)}."
    names = [name for name, own in verdicts.items() if len(set(own)) > 1 or own[0] == VERDICTS[2]]
    if names:
        yield f"Not told apart from the glass `{reference}` by both measures: {'; '.join(names)}."


def _without_softening(line):
    low, high = line.growth[0] - NORMAL_95 * line.error[0], line.growth[0] + NORMAL_95 * line.error[0]
    how = "decays" if high < 0 else "grows" if low > 0 else "is not shown to grow or decay"
    wave = f"the wave of {line.length_nm:.3g} nm in {line.name}"
    return f"Without softening {wave} {how}: net G = {line.growth[0]:.0f}, {low:.0f} to {high:.0f} per plastic strain."


@dataclass
class Map:
    """Plastic strain over its mean, averaged over the shape of an STZ and along z: waves at 45 degrees show."""

    name: str
    softening_eV: float
    spacing_nm: float
    slip: np.ndarray  # [x, y]


def maps(runs):
    """Of the runs that are made for it."""
    return [_map(run) for run in runs if run.values["part"].group == bands.MAP]


def _map(run):
    result = open_result(run.path)
    events = result.table("/events")
    weight = events["plastic_strain_axial"].values.astype(float)
    first = np.searchsorted(np.maximum.accumulate(np.cumsum(weight)), MAPPED) + 1
    part = run.values["part"]
    field = np.zeros(part.cells)
    np.add.at(field, tuple(events["site"].values[:first].T), weight[:first])
    spread = smear(field, bands.SPACING_NM, float(result.setting("volume_nm3"))).mean(axis=2)
    return Map(part.name, run.values["softening_eV"], bands.SPACING_NM, spread / spread.mean())
