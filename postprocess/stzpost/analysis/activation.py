# SPDX-License-Identifier: GPL-3.0-or-later
"""Activation volume: several estimators of s = d sigma/d ln(rate), V = M kB T/s, each with its validity test.

    log law          sigma = sigma0 - s ln(1 + t/t0) through a few observations with errors      `log_law`
    along the curve  slope of ln(rate) against sigma while a specimen relaxes                    `relaxation.fit_rate`
    rate jumps       steady stresses on both sides of jumps of the rate                          `rate_jumps`
    repeated         relaxation, quick reload, relaxation: rates at (nearly) one structure       `repeated`
    steady flow      flow stresses of several runs against ln(rate), with temperature            `master_curve`

What each of them finds when the microscopic volume is known, and why they differ: docs/theory.md section 9.
"""
import math
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import chi2, t as student

from ..errors import StzPostError
from ..units import ANGSTROM3, GPA, KB_EV, ROOM_K, TAYLOR_FACTORS, activation_volume
from .quantity import NORMAL_95, Quantity
from .relaxation import find_segment

LEVEL = 0.95  # of every interval
T0_SHARE = 1 / 3  # the log law is only taken for one whose t0 is below this share of the first observation
FALSE_ALARM = 0.05  # share of valid curves that the test for curvature refuses
SETTLE = 0.005  # strain after a jump of the rate that is left out: three times s/E, the strain that stress remembers
FEWEST = 4  # observations that a log law with a test of its own needs


@dataclass
class Estimate:
    """s in GPa with its interval of level LEVEL; `refused` says why it must not be quoted, or is empty."""

    method: str
    s: float
    interval: tuple
    temperature_K: float
    refused: str = ""
    detail: dict = field(default_factory=dict)

    def volume(self, factor):
        """(V, low, high) in cubic angstroms for one Taylor factor; NaN when refused."""
        if self.refused:
            return (math.nan,) * 3
        low, high = self.interval
        return tuple(
            activation_volume(factor, self.temperature_K, s) if s > 0 else math.inf for s in (self.s, high, low)
        )

    def quantities(self):
        """Rows for a table. The error is half the interval over NORMAL_95, so that value and error stand for it."""
        rows = []
        for label, factor in TAYLOR_FACTORS.items():
            v, low, high = self.volume(factor)
            error = (high - low) / (2 * NORMAL_95)
            rows.append(Quantity(f"V, M = {label} ({self.method})", None if self.refused else v, "Å³", error))
        return rows


def log_law(time, stress, error, temperature_K=ROOM_K):
    """The log law through observations with known independent errors (GPa; one number or one each).

    For a given t0 the law is linear in (sigma0, s); t0 runs over (0, T0_SHARE times the first observation]. The
    interval of s is that of the profile likelihood, with t0 free in this range. Refused when the residuals want a
    parabola or a cubic in ln(1 + t/t0) besides (two degrees of freedom, FALSE_ALARM), when a t0 beyond the range would
    fit better by as much (incubation), or when the stress does not fall within the interval.
    """
    time, stress = np.asarray(time, float), np.asarray(stress, float)
    error = np.broadcast_to(np.asarray(error, float), stress.shape)
    if len(time) < FEWEST or len(stress) != len(time):
        raise StzPostError(f"the log law needs {FEWEST} observations, got {len(time)} times and {len(stress)} stresses")
    if not (np.all(np.diff(time) > 0) and time[0] > 0 and np.all(error > 0)):
        raise StzPostError("the log law needs ascending positive times and positive errors")
    t0 = time[0] * np.geomspace(1e-5, T0_SHARE, 40)
    slope, width, sigma0, misfit = _linear(time, stress, error, t0)
    best = int(np.argmin(misfit))
    room = np.sqrt(np.maximum(0, misfit[best] + chi2.ppf(LEVEL, 1) - misfit)) * width
    inside = misfit <= misfit[best] + chi2.ppf(LEVEL, 1)
    interval = float(np.min((slope - room)[inside])), float(np.max((slope + room)[inside]))
    curvature = misfit[best] - _chi2(stress, error, np.vander(np.log1p(time / t0[best]), 4))
    late = np.min(_linear(time, stress, error, np.geomspace(t0[-1], time[-1], 40))[3])
    p = float(chi2.sf(curvature, 2))
    refused = ""
    if misfit[best] - late > chi2.ppf(1 - FALSE_ALARM / 5, 1):
        refused = f"incubation: a t0 beyond {T0_SHARE:.2g} of the first observation fits better"
    elif p < FALSE_ALARM:
        refused = f"not logarithmic: curvature beyond the errors, p = {p:.2g}"
    elif interval[0] <= 0:
        refused = "the stress does not fall beyond its errors"
    detail = {"sigma0": float(sigma0[best]), "t0": float(t0[best]), "chi2": float(misfit[best]), "p": p}
    return Estimate("log law", float(slope[best]), interval, temperature_K, refused, detail)


def displacement_law(time, displacement, error, stiffness, length, temperature_K=ROOM_K):
    """The on-chip reading u(t) = A1 ln t + A2 of a specimen of `length` that a spring of `stiffness` (GPa, S_a as the
    specimen feels it) pulls: sigma = S_a (mismatch - u/length), hence s = S_a A1/length. The same tests as for stress.
    """
    scale = stiffness / length
    found = log_law(time, -scale * np.asarray(displacement), scale * np.asarray(error), temperature_K)
    found.method = "displacement"
    found.detail["A1"] = found.s / scale
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


def jumps(time, strain, stress, temperature_K):
    """Stress against strain and ln(rate) by least squares over the settled rows of a test with jumps of the rate.

    The first SETTLE strain after a jump is left out. A plateau is one mean (rows of a plateau hold the same past), so
    the degrees of freedom are plateaus less three: constant, slope over strain, and s.
    """
    means = []
    for first, last, rate in _plateaus(time, strain):
        keep = (strain >= strain[first] + SETTLE) & (strain <= strain[last])
        if np.count_nonzero(keep) >= 3:
            means.append((np.mean(strain[keep]), math.log(rate), np.mean(stress[keep])))
    if len(means) < 4 or len({round(ln_rate, 2) for _, ln_rate, _ in means}) < 2:
        raise StzPostError(f"needs four settled plateaus at two rates, found {len(means)}")
    x, ln_rate, y = np.array(means).T
    return _regressed("rate jumps", np.column_stack([np.ones_like(x), x - x.mean(), ln_rate]), y, 2, temperature_K)


def repeated(result):
    """s from repeated relaxations: between the end of one and the begin of the next, a quick reload moves the stress
    by d sigma and the plastic rate by d ln(rate), at nearly one structure. The mean over the reloads."""
    relaxations = [s for s in result.segments if s.type == "relaxation"]
    slopes, weights = [], []
    for before, after in zip(relaxations[:-1], relaxations[1:]):
        a, b = result.rows(before), result.rows(after)
        if a.sizes["row"] == 0 or b.sizes["row"] == 0:
            continue
        rise = float(b["stress_axial_GPa"][0] - a["stress_axial_GPa"][-1])
        rates = float(a["plastic_rate_per_s"][-1]), float(b["plastic_rate_per_s"][0])
        if rise > 0 and min(rates) > 0 and rates[1] > rates[0]:
            slopes.append(rise / math.log(rates[1] / rates[0]))
            weights.append(rise)
    if len(slopes) < 3:
        raise StzPostError(f"{result.path}: needs three reloads between relaxations, found {len(slopes)}")
    temperature = float(np.mean([s.temperature_K for s in relaxations]))
    mean, half = _student(slopes)
    return Estimate("repeated relaxations", mean, (mean - half, mean + half), temperature, detail={"n": len(slopes)})


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


def _linear(time, stress, error, t0):
    """Weighted least squares for each t0: arrays of s, its error, sigma0 and chi2."""
    x, w = np.log1p(time / np.asarray(t0)[:, None]), 1 / error**2
    x0, y0 = (x @ w) / w.sum(), stress @ w / w.sum()
    dx, dy = x - x0[:, None], stress - y0
    sxx = dx**2 @ w
    s = -(dx * dy) @ w / sxx
    chi2s = (dy + s[:, None] * dx) ** 2 @ w
    return s, 1 / np.sqrt(sxx), y0 + s * x0, chi2s


def _chi2(stress, error, design):
    """Of the least-squares fit of a design."""
    weighted = design / error[:, None]
    residuals = stress / error - weighted @ np.linalg.lstsq(weighted, stress / error, rcond=None)[0]
    return float(residuals @ residuals)


def _plateaus(time, strain):
    """[(first row, last row, rate)]: stretches of constant strain rate, from the rows' own increments."""
    rates = np.diff(strain) / np.diff(time)
    edges = [0] + [i + 1 for i in range(len(rates) - 1) if abs(math.log(rates[i + 1] / rates[i])) > 0.2] + [len(rates)]
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
