# SPDX-License-Identifier: GPL-3.0-or-later
"""Activation volume: several estimators of s = d sigma/d ln(rate), V = M kB T/s, each with its validity test.

    log law          sigma = sigma0 - s ln(1 + t/t0) through a few observations with errors      `log_law`
    along the curve  slope of ln(rate) against sigma while a specimen relaxes: of runs           `relaxation.fit_rate`
                     and of measured curves, whose rate is the fall of the stress                `along_curve`
    rate jumps       steady stresses on both sides of jumps of the rate                          `rate_jumps`
    repeated         relaxation, quick reload, relaxation: rates at (nearly) one structure       `repeated`
    steady flow      flow stresses of several runs against ln(rate), with temperature            `master_curve`
    creep            rates at several held stresses                                              `creep`

What each of them finds when the microscopic volume is known, and why they differ: docs/theory.md section 9.
"""
import math
from dataclasses import dataclass
from typing import Optional

import numpy as np
from scipy.ndimage import median_filter
from scipy.stats import chi2, t as student

from ..errors import StzPostError
from ..io import measure, measured as measured_file
from ..units import ANGSTROM3, GPA, KB_EV, ROOM_K
from .estimate import LEVEL, Estimate
from .loglaw import DENSE, FALSE_ALARM, along_curve, log_law
from .quantity import NORMAL_95
from .relaxation import find_segment

__all__ = ["DENSE", "FALSE_ALARM", "Estimate", "along_curve", "log_law"]  # of the modules below, for users of this one

JUMP = 1.5  # least factor between two rates that count as two
SETTLE = 0.005  # strain after a jump of the rate that is left out: three times s/E, the strain that stress remembers


def spring_stress(displacement, error, spring):
    """(stress, its errors) of the displacement of a specimen that a Spring pulls, and -d(stress)/d(displacement). Without
    the mismatch, stress but for a constant, with the stiffness to the undeformed specimen."""
    elongation = np.asarray(displacement, float) / spring.length
    if spring.mismatch is None:
        stress, slope = -spring.stiffness_GPa * elongation, spring.stiffness_GPa
    else:
        known = spring.stiffness_GPa, spring.mismatch, spring.young_GPa, spring.poisson
        stress, slope = measure.pulled(elongation, *known)[1], measure.spring_slope(elongation, *known)
    slope = slope / spring.length
    return stress, None if error is None else slope * np.asarray(error), slope


@dataclass(frozen=True)
class Spring:
    """What pulls a specimen of `length`: its stiffness as the undeformed specimen feels it, and its free contraction over
    that length, without which neither stress nor area are known."""

    stiffness_GPa: float
    length: float = 1.0
    mismatch: Optional[float] = None
    young_GPa: float = measured_file.YOUNG_GPA
    poisson: float = measure.POISSON


def displacement_law(time, displacement, error, stiffness, length, temperature_K=ROOM_K, **known):
    """The on-chip reading u(t) = A1 ln t + A2 of a specimen of `length` that a spring of `stiffness` (GPa, S_a as the
    specimen feels it) pulls: sigma = S_a (mismatch - u/length), hence s = S_a A1/length. The same tests as for stress.

    That takes the specimen for as long and as thick as at the start, and V comes out too large: by 10 % at 14.5 % strain,
    and by 27 % where `length` is the present length. With `mismatch` (and `young_GPa`, `poisson`: see Spring) u counts
    from the undeformed specimen, and sigma is the true stress: V is right at any strain.
    """
    stress, error, slope = spring_stress(displacement, error, Spring(stiffness, length, **known))
    found = log_law(time, stress, error, temperature_K)
    found.method = "displacement"
    found.detail["A1"] = found.s / float(np.mean(slope))
    return found


def rate_jumps(result, segment=None):
    """s from a rate-jump segment of a file: see `jumps`."""
    segments = [s for s in result.segments if s.type == "rate-jump" and segment in (None, s.index)]
    if not segments:
        raise StzPostError(f"{result.path}: no segment of type rate-jump")
    rows = result.rows(segments[0])
    columns = (result.times(segments[0]), rows["strain_axial"].values, rows["stress_axial_GPa"].values)
    try:
        return jumps(*columns, float(np.mean(rows["temperature_K"].values)))
    except StzPostError as error:
        raise StzPostError(f"{result.path}: {error}") from error


def rates(time, strain):
    """The strain rates of the plateaus of a test, an entry a plateau."""
    return [rate for _, _, rate in _plateaus(np.asarray(time, float), np.asarray(strain, float))]


def jumps(time, strain, stress, temperature_K):
    """Stress against strain and ln(rate) by least squares over the settled rows of a test with jumps of the rate.

    The first SETTLE strain after a jump is left out, and the first half of each plateau. A plateau is one mean (rows of
    a plateau hold the same past), so the degrees of freedom are plateaus less three: constant, slope over strain, and
    s. """
    means = []
    for first, last, rate in _plateaus(time, strain):
        settled = max(strain[first] + SETTLE, 0.5 * (strain[first] + strain[last]))
        keep = (strain >= settled) & (strain <= strain[last])
        if np.count_nonzero(keep) >= 3:
            means.append((np.mean(strain[keep]), math.log(rate), np.mean(stress[keep])))
    if len(means) < 4 or len({round(ln_rate, 2) for _, ln_rate, _ in means}) < 2:
        raise StzPostError(f"needs four settled plateaus at two rates, found {len(means)}")
    x, ln_rate, y = np.array(means).T
    return _regressed("rate jumps", np.column_stack([np.ones_like(x), x - x.mean(), ln_rate]), y, 2, temperature_K)


def repeated(result):
    """s from the repeated relaxations of a file: see `reloads`."""
    relaxations = [s for s in result.segments if s.type == "relaxation" and result.rows(s).sizes["row"]]
    rows = [result.rows(s) for s in relaxations]
    columns = [(one["stress_axial_GPa"].values, one["plastic_rate_per_s"].values) for one in rows]
    temperature = float(np.mean([s.temperature_K for s in relaxations])) if relaxations else math.nan
    try:
        return reloads([(s[[0, -1]], r[[0, -1]]) for s, r in columns], temperature)
    except StzPostError as error:
        raise StzPostError(f"{result.path}: {error}") from error


def reloads(ends, temperature_K, fitted=False):
    """s from repeated relaxations, of each the (stresses, rates) at its start and end: between the end of one and the
    begin of the next, a quick reload moves the stress by d sigma and the plastic rate by d ln(rate), at nearly one
    structure. The mean over the reloads, with Student's interval. `fitted`: begin and end of a relaxation are of one
    fit, so that errors of neighbouring reloads agree by up to a half."""
    slopes = []
    for (stress, rate), (later, faster) in zip(ends[:-1], ends[1:]):
        rise = float(later[0] - stress[1])
        if rise > 0 and min(rate[1], faster[0]) > 0 and faster[0] > rate[1]:
            slopes.append(rise / math.log(faster[0] / rate[1]))
    if len(slopes) < 3:
        raise StzPostError(f"needs three reloads between relaxations, found {len(slopes)}")
    mean, half = _student(slopes)
    half *= math.sqrt(1 + (len(slopes) - 1) / len(slopes)) if fitted else 1.0
    return Estimate("repeated relaxations", mean, (mean - half, mean + half), temperature_K, detail={"n": len(slopes)})


def creep(stress, rate, error, temperature_K=ROOM_K):
    """s from creep rates at several stresses: a line of ln(rate), whose errors are given, over stress."""
    stress, rate = np.asarray(stress, float), np.asarray(rate, float)
    if len(stress) < 3 or np.ptp(stress) == 0:
        raise StzPostError(
            f"creep needs rates at three stresses or more, found {len(stress)}: add files or steps of the stress"
        )
    design = np.column_stack([np.ones_like(stress), stress - stress.mean()])
    line = _regressed("creep", design, np.log(rate), 1, temperature_K, error)
    low, high = line.interval
    interval = (1 / high, 1 / low) if low > 0 else (0.0, math.inf)
    refused = (
        "" if low > 0 else "the rate does not grow with the stress beyond its scatter: take stresses farther apart"
    )
    return Estimate("creep", 1 / line.s, interval, temperature_K, refused, {"n": len(stress)})


@dataclass
class MasterCurve:
    """sigma = H0/V1 - (kB T/V1) ln(rate0/rate), V1 = V/M: one line over temperature and rate."""

    volume: float  # V for M = 1, cubic angstroms
    enthalpy_eV: float  # H0: apparent activation energy at no stress
    ln_rate0: float
    covariance: np.ndarray  # of (H0/V1, c, k/V1), see `master_curve`
    parameters: np.ndarray
    residuals_GPa: np.ndarray
    volume_interval: tuple
    enthalpy_interval: tuple
    chi2: float  # of the residuals, NaN without errors
    freedom: int

    def stress(self, temperature, rate):
        a, c, b = self.parameters
        return a - np.asarray(temperature) * (c - b * np.log(rate))

    def energy(self, stress):
        """Apparent activation energy -d ln(rate)/d(1/kB T) at a stress in GPa, eV."""
        return self.enthalpy_eV * (1 - stress / self.parameters[0])

    @property
    def p(self):
        """Probability of residuals at least so large if one line holds."""
        return float(chi2.sf(self.chi2, self.freedom)) if math.isfinite(self.chi2) else math.nan


def master_curve(temperature, rate, stress, error=None):
    """Flow stresses over temperature and rate on one line: ln(rate) = ln(rate0) - (H0 - V1 sigma)/kB T is linear in
    (H0/V1, ln(rate0) k/V1, k/V1). Errors in GPa weigh the points and test the collapse; without them the residuals
    set the intervals. Needs two temperatures and two rates."""
    temperature, rate, stress = (np.asarray(x, float) for x in (temperature, rate, stress))
    if len(stress) < 4 or np.ptp(temperature) == 0 or np.ptp(np.log(rate)) == 0:
        raise StzPostError("a master curve needs four flow stresses at two temperatures and two rates")
    design = np.column_stack([np.ones_like(stress), -temperature, temperature * np.log(rate)])
    sigma = np.ones_like(stress) if error is None else np.broadcast_to(np.asarray(error, float), stress.shape)
    weighted = design / sigma[:, None]
    p = np.linalg.lstsq(weighted, stress / sigma, rcond=None)[0]
    residuals = stress - design @ p
    freedom = len(stress) - 3
    total = float(np.sum((residuals / sigma) ** 2))
    covariance = np.linalg.inv(weighted.T @ weighted)
    quantile = NORMAL_95
    if error is None or total > freedom:  # a misfit widens the intervals
        covariance = covariance * (total / max(1, freedom))
        quantile = student.ppf(0.5 + LEVEL / 2, max(1, freedom))
    v = KB_EV / (p[2] * GPA) * ANGSTROM3
    relative = quantile * math.sqrt(covariance[2, 2]) / p[2]
    h0 = p[0] * KB_EV / p[2]
    gradient = np.array([KB_EV / p[2], 0.0, -h0 / p[2]])
    half = quantile * math.sqrt(gradient @ covariance @ gradient)
    return MasterCurve(
        volume=v,
        enthalpy_eV=h0,
        ln_rate0=p[1] / p[2],
        covariance=covariance,
        parameters=p,
        residuals_GPa=residuals,
        volume_interval=(v / (1 + relative), v / max(1e-9, 1 - relative)),
        enthalpy_interval=(h0 - half, h0 + half),
        chi2=total if error is not None else math.nan,
        freedom=freedom,
    )


def steady_flow(rate, stress, error=None, temperature_K=ROOM_K):
    """s from flow stresses at several rates and one temperature: a line of stress over ln(rate)."""
    rate, stress = np.asarray(rate, float), np.asarray(stress, float)
    if len(stress) < 3 or np.ptp(np.log(rate)) == 0:
        raise StzPostError("steady flow needs three flow stresses at two rates")
    design = np.column_stack([np.ones_like(stress), np.log(rate)])
    return _regressed("steady flow", design, stress, 1, temperature_K, error)


def pooled(method, estimates):
    """One estimate from those of independent samples: the mean of s with Student's interval; refused ones are left
    out, and when fewer than two or less than half of them stand, the whole is refused."""
    kept = [one for one in estimates if not one.refused]
    temperature = estimates[0].temperature_K if estimates else math.nan
    if len(kept) < max(2, len(estimates) / 2):
        reasons = sorted({one.refused for one in estimates if one.refused})
        why = f"{len(kept)} of {len(estimates)} fits stand" + (f" ({reasons[0]})" if reasons else "")
        return Estimate(method, math.nan, (math.nan, math.nan), temperature, why)
    mean, half = _student([one.s for one in kept])
    detail = {"n": len(kept), "refused": len(estimates) - len(kept)}
    return Estimate(method, mean, (mean - half, mean + half), temperature, detail=detail)


def bootstrap(groups, statistic, draws=1000, seed=1):
    """Percentile interval of statistic(list of values) when specimens are drawn with replacement, and of each drawn
    specimen its runs (seeds) again. `groups`: a list of runs a specimen. Draws whose statistic is not finite are left
    out. Deviations from the statistic itself are widened by sqrt(n/(n - 1)), n the runs in all: percentiles of a few
    runs are too narrow by that."""
    rng = np.random.default_rng(seed)
    groups = [list(group) for group in groups if len(group)]
    runs = sum(len(group) for group in groups)
    if runs < 2:
        raise StzPostError("a bootstrap needs two runs")
    centre = statistic([value for group in groups for value in group])
    values = []
    for _ in range(draws):
        chosen = [groups[i] for i in rng.integers(len(groups), size=len(groups))]
        values.append(statistic([group[i] for group in chosen for i in rng.integers(len(group), size=len(group))]))
    values = np.array([value for value in values if np.isfinite(value)])
    if len(values) < draws / 2:
        return centre, (math.nan, math.nan)
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    widen = math.sqrt(runs / (runs - 1))
    return centre, (centre + widen * (low - centre), centre + widen * (high - centre))


def observations(result, times, segment=None):
    """(stress in GPa, strain) at times after the clock's zero of a relaxation or actuator, interpolated in ln t."""
    segment = find_segment(result, segment)
    rows = result.rows(segment)
    time = result.times(segment)
    keep = time > 0
    t = np.log(time[keep])
    if not len(t) or t[0] > math.log(min(times)) or t[-1] < math.log(0.99 * max(times)):
        raise StzPostError(f"{result.path}: segment {segment.index} does not cover {min(times):g} to {max(times):g} s")
    return tuple(np.interp(np.log(times), t, rows[name].values[keep]) for name in ("stress_axial_GPa", "strain_axial"))


def _plateaus(time, strain):
    """[(first row, last row, rate)]: stretches of one strain rate. Medians of five increments stand for the rates, and
    rates belong together that lie within a factor JUMP of a neighbour, so that noise makes no plateaus."""
    step = np.diff(time)
    rates = median_filter(np.diff(strain) / np.where(step > 0, step, math.nan), 5, mode="nearest")
    if not np.all(rates > 0):
        raise StzPostError("the strain does not grow steadily with time: leave such rows out, or average rows")
    levels = np.log(np.sort(rates))
    bounds = 0.5 * (levels[1:] + levels[:-1])[np.diff(levels) > math.log(JUMP)]
    level = np.searchsorted(bounds, np.log(rates))
    edges = [0, *(np.flatnonzero(np.diff(level)) + 1), len(rates)]
    found = [(a, b, float((strain[b] - strain[a]) / (time[b] - time[a]))) for a, b in zip(edges[:-1], edges[1:])]
    return [one for one in found if one[1] - one[0] >= 3]


def _regressed(method, design, y, column, temperature, error=None):
    """Least squares; the estimate is one column's parameter. Known errors weigh, the larger of them and of the
    residuals' scatter counts."""
    sigma = np.ones_like(y) if error is None else np.broadcast_to(np.asarray(error, float), y.shape)
    weighted = design / sigma[:, None]
    p = np.linalg.lstsq(weighted, y / sigma, rcond=None)[0]
    residuals = y / sigma - weighted @ p
    freedom = len(y) - design.shape[1]
    variance = np.linalg.inv(weighted.T @ weighted)[column, column]
    scatter = float(residuals @ residuals) / max(1, freedom)
    if error is not None and scatter <= 1:
        half = NORMAL_95 * math.sqrt(variance)
    else:
        half = student.ppf(0.5 + LEVEL / 2, max(1, freedom)) * math.sqrt(variance * scatter)
    s = float(p[column])
    refused = "" if s - half > 0 else "the stress does not grow with the rate beyond its scatter"
    detail = {"n": len(y), "residual_GPa": math.sqrt(float(np.mean((residuals * sigma) ** 2)))}
    return Estimate(method, s, (s - half, s + half), temperature, refused, detail)


def _student(values):
    """Mean and the half width of Student's interval."""
    n = len(values)
    return float(np.mean(values)), float(student.ppf(0.5 + LEVEL / 2, n - 1) * np.std(values, ddof=1) / math.sqrt(n))
