# SPDX-License-Identifier: GPL-3.0-or-later
"""Stress relaxation: the logarithmic law, the activation volume V and the rate sensitivity m.

    sigma(t) = sigma0 - s ln(1 + t/t0),  V = M kB T/s,  m = s/sigma,

t from the segment's clock zero. A rate law ln(rate) = const + sigma V/(M kB T) gives exactly this under held strain,
and under an actuator of any stiffness: the stiffness is only in t0.
"""
import math
from dataclasses import dataclass

import numpy as np
from scipy.integrate import trapezoid
from scipy.optimize import least_squares

from ..errors import NoData, StzPostError
from ..units import DAY, HOUR, TAYLOR_FACTORS, activation_volume
from .quantity import Quantity

SEGMENT_TYPES = ("relaxation", "actuator")
NO_STRESS_GPA = 0.01  # below it a sample is unloaded: single events move the stress of a small box by as much
MIN_R2 = 0.99  # below it a fit is refused
MIN_SPAN = math.log(100.0)  # least ln(1 + t/t0) at the end of the window: two decades of logarithmic decay
MARKS = {"2 h": 2 * HOUR, "8 d": 8 * DAY, "35 d": 35 * DAY, "51 d": 51 * DAY}  # times of the experiment
NEAR = 0.01  # share of the last mark by which a run may end early and still count as having reached it


@dataclass
class Fit:
    """Parameters with their standard errors; `refused` says why they must not be quoted, or is empty."""

    parameters: dict
    errors: dict
    r2: float
    rows: int
    refused: str = ""

    def quantity(self, label, name, unit):
        """The parameter as a Quantity, without a value when the fit was refused."""
        if self.refused:
            return Quantity(label, None, unit)
        return Quantity(label, self.parameters[name], unit, self.errors[name])


@dataclass
class Relaxation:
    segment: object
    temperature_K: float
    time_s: np.ndarray  # from the clock's zero
    stress_GPa: np.ndarray
    rate_per_s: np.ndarray  # axial plastic strain rate
    window: tuple  # s
    fit: Fit  # parameters sigma0, s (GPa), ln_t0
    rate_fit: Fit  # parameter s (GPa): 1 / (d ln(rate)/d sigma)
    mean_stress_GPa: float  # over ln t in the window: the sigma of m
    marks: dict  # label -> (time, stress)

    def model(self, time):
        """The fitted stress."""
        p = self.fit.parameters
        return p["sigma0"] - p["s"] * np.log1p(np.asarray(time) / math.exp(p["ln_t0"]))

    @property
    def decade_drop_GPa(self):
        """Measured loss of stress per decade of time between the first and the last mark reached, NaN if only one."""
        points = list(self.marks.values())
        if len(points) < 2:
            return math.nan
        (t1, s1), (t2, s2) = points[0], points[-1]
        return (s1 - s2) / math.log10(t2 / t1)

    def volumes_text(self):
        """V of the fit for every Taylor factor M, in short."""
        volumes = self.volumes(self.fit)
        return "/".join(f"{v:.0f}" for v, _ in volumes.values()) + " Å³, M = " + "/".join(volumes)

    def volumes(self, fit):
        """V in cubic angstroms for the three Taylor factors: {label: (value, error)}; values None when refused."""
        if fit.refused:
            return {label: (None, None) for label in TAYLOR_FACTORS}
        s, error = fit.parameters["s"], fit.errors["s"]
        volumes = {label: activation_volume(m, self.temperature_K, s) for label, m in TAYLOR_FACTORS.items()}
        return {label: (v, v * error / s) for label, v in volumes.items()}

    def sensitivity(self, fit):
        """m = s/sigma with its standard error."""
        if fit.refused:
            return None, None
        return fit.parameters["s"] / self.mean_stress_GPa, fit.errors["s"] / self.mean_stress_GPa


def find_segment(result, index=None):
    """The segment to analyse: the one asked for, else the relaxation or actuator with the most rows."""
    if index is not None:
        found = [s for s in result.segments if s.index == index]
        if not found:
            raise StzPostError(f"{result.path}: no segment {index}, the protocol has {len(result.segments)}")
        return found[0]
    found = [s for s in result.segments if s.type in SEGMENT_TYPES]
    if not found:
        raise NoData(f"{result.path}: no segment of type {' or '.join(SEGMENT_TYPES)}")
    return max(found, key=lambda s: result.rows(s).sizes["row"])


def analyse(result, segment=None, start_s=0.0, stop_s=math.inf, min_r2=MIN_R2):
    """The relaxation of one segment, fitted between two times counted from the clock's zero."""
    segment = find_segment(result, segment)
    rows = result.rows(segment)
    time = result.times(segment)
    keep = time >= 0
    time, stress = time[keep], rows["stress_axial_GPa"].values[keep]
    rate = rows["plastic_rate_per_s"].values[keep]
    inside = (time >= start_s) & (time <= stop_s)
    if stress.size and np.abs(stress).max() < NO_STRESS_GPA:
        raise NoData(
            f"{result.path}: segment {segment.index} has no stress to relax (at most {np.abs(stress).max():.2g} GPa): a "
            "segment before it must load the sample"
        )
    if np.count_nonzero(time[inside] > 0) < 8:
        raise NoData(
            f"{result.path}: segment {segment.index} has {np.count_nonzero(inside)} rows between "
            f"{start_s:g} s and {stop_s:g} s after its clock's zero, needs 8"
        )
    t, s = time[inside], stress[inside]
    temperature = float(np.mean(rows["temperature_K"].values[keep][inside]))
    fit = fit_logarithm(t, s, min_r2)
    log_time = np.log(t + math.exp(fit.parameters["ln_t0"]))
    return Relaxation(
        segment=segment,
        temperature_K=temperature,
        time_s=time,
        stress_GPa=stress,
        rate_per_s=rate,
        window=(float(t[0]), float(t[-1])),
        fit=fit,
        rate_fit=fit_rate(log_time, s, rate[inside], min_r2),
        mean_stress_GPa=log_mean(t, s),
        marks=_marks(time, stress),
    )


def fit_logarithm(time, stress, min_r2=MIN_R2):
    """Least squares of sigma0 - s ln(1 + t/t0) in (sigma0, s, ln t0).

    For a given t0 the law is linear, so a scan over t0 finds the right basin, and least squares refine it. Errors allow
    for the correlation of neighbouring rows (`_errors`).
    """
    positive = time[time > 0]
    scan = np.linspace(math.log(positive[0]) - 3.0, math.log(positive[-1]) + 1.0, 60)
    start = min((_linear(time, stress, ln_t0) for ln_t0 in scan), key=lambda found: found[1])[0]
    solved = least_squares(
        lambda p: p[0] - p[1] * np.log1p(time * math.exp(-p[2])) - stress,
        start,
        x_scale=[1.0, 0.1, 1.0],
        bounds=([-np.inf, -np.inf, scan[0] - 20], [np.inf, np.inf, scan[-1]]),
    )
    names = ("sigma0", "s", "ln_t0")
    ln_t0 = float(solved.x[2])
    fit = Fit(
        dict(zip(names, map(float, solved.x))),
        _errors(names, solved.jac, solved.fun, np.log(time + math.exp(ln_t0))),
        r2(stress, float(solved.fun @ solved.fun)),
        len(time),
    )
    fit.refused = _refusal(fit, float(time[-1]), min_r2)
    return fit


def fit_rate(log_time, stress, rate, min_r2=MIN_R2):
    """Straight line of ln(rate) against stress; its inverse slope is s. `log_time` is ln(t + t0), for the errors."""
    keep = rate > 0
    nothing = Fit({"s": math.nan}, {"s": math.nan}, math.nan, int(np.count_nonzero(keep)))
    if nothing.rows < 8 or np.ptp(stress[keep]) == 0:
        nothing.refused = "the plastic rate is zero or the stress does not move"
        return nothing
    x, y = stress[keep], np.log(rate[keep])
    jacobian = np.column_stack([np.ones_like(x), x])
    parameters = np.linalg.lstsq(jacobian, y, rcond=None)[0]
    residuals = jacobian @ parameters - y
    slope, error = float(parameters[1]), _errors(("c", "slope"), jacobian, residuals, log_time[keep])["slope"]
    squares = float(residuals @ residuals)
    fit = Fit(
        {"s": 1 / slope, "ln_rate0": float(parameters[0])}, {"s": error / slope**2}, r2(y, squares), nothing.rows
    )
    if fit.r2 < min_r2:
        fit.refused = f"R² = {fit.r2:.3f} of ln(rate) against stress is below {min_r2:g}"
    elif slope <= 0:
        fit.refused = "the rate does not grow with the stress"
    return fit


def quantities(relaxation):
    """What `stz-post relaxation` prints."""
    fit, rate_fit = relaxation.fit, relaxation.rate_fit
    rows = [Quantity("temperature", relaxation.temperature_K, "K", digits=4)]
    rows += [Quantity(f"stress at {label}", stress, "GPa", digits=4) for label, (_, stress) in relaxation.marks.items()]
    if len(relaxation.marks) > 1:
        first, last = list(relaxation.marks)[0], list(relaxation.marks)[-1]
        rows.append(Quantity(f"loss a decade, {first} to {last}", 1e3 * relaxation.decade_drop_GPa, "MPa"))
    rows += [
        fit.quantity("sigma0", "sigma0", "GPa"),
        fit.quantity("s", "s", "GPa"),
        Quantity("t0", None, "s") if fit.refused else _t0(fit),
        Quantity("R2 of the fit", fit.r2, digits=4),
    ]
    for label, one in (("fit", fit), ("rate", rate_fit)):
        rows += [Quantity(f"V, M = {m} ({label})", v, "Å³", e) for m, (v, e) in relaxation.volumes(one).items()]
        value, error = relaxation.sensitivity(one)
        rows.append(Quantity(f"m ({label})", value, "1", error))
    rows.append(Quantity("R2 of ln(rate) against stress", rate_fit.r2, digits=4))
    return rows


def notes(relaxation):
    """Reasons of refusals, a line each."""
    rows = [("fit", relaxation.fit), ("rate", relaxation.rate_fit)]
    return [f"{label}: refused, {fit.refused}" for label, fit in rows if fit.refused]


def rate_at(relaxation, label):
    """Plastic strain rate at one of the marks, interpolated in ln t and ln(rate); None if not reached."""
    if label not in relaxation.marks:
        return None
    keep = (relaxation.time_s > 0) & (relaxation.rate_per_s > 0)
    at = math.log(relaxation.marks[label][0])
    return float(np.exp(np.interp(at, np.log(relaxation.time_s[keep]), np.log(relaxation.rate_per_s[keep]))))


def _t0(fit):
    t0 = math.exp(fit.parameters["ln_t0"])
    return Quantity("t0", t0, "s", t0 * fit.errors["ln_t0"])


def _linear(time, stress, ln_t0):
    """Best (sigma0, s) for a given t0, and the sum of squares."""
    jacobian = np.column_stack([np.ones_like(time), -np.log1p(time * math.exp(-ln_t0))])
    p = np.linalg.lstsq(jacobian, stress, rcond=None)[0]
    residuals = jacobian @ p - stress
    return [p[0], p[1], ln_t0], float(residuals @ residuals)


def _errors(names, jacobian, residuals, log_time):
    """Standard errors of least-squares parameters when the residuals are correlated as exp(-|d ln(t + t0)|).

    Rows hold the same past events. About the mean law a relaxing sample is restored at the rate 1/(t + t0): a deviation
    decays as exp(-d ln(t + t0)). With R that correlation and H the hat matrix, the residuals' variance is
    r.r / tr[(1 - H) R], and the covariance of the parameters is the sandwich J+ R J+' times it.
    """
    inverse = np.linalg.pinv(jacobian)
    correlation = np.exp(-np.abs(log_time[:, None] - log_time[None, :]))
    freedom = len(residuals) - float(np.sum(jacobian * (correlation @ inverse.T)))
    covariance = inverse @ correlation @ inverse.T * float(residuals @ residuals) / max(freedom, 1e-3)
    return {name: math.sqrt(max(0.0, covariance[i, i])) for i, name in enumerate(names)}


def r2(values, squares):
    """Share of the values' variance that a fit with this sum of squared residuals explains, NaN for equal values."""
    total = float(np.sum((values - np.mean(values)) ** 2))
    return 1 - squares / total if total > 0 else math.nan


def _refusal(fit, end_s, min_r2):
    span = math.log1p(end_s * math.exp(-fit.parameters["ln_t0"]))
    if not fit.r2 >= min_r2:
        return f"R² = {fit.r2:.3f} is below {min_r2:g}: not logarithmic"
    if fit.parameters["s"] <= 0:
        return "the stress does not fall"
    if span < MIN_SPAN:
        return f"the window ends at {math.expm1(span):.0f} t0, needs {math.exp(MIN_SPAN):.0f} t0 of logarithmic decay"
    return ""


def _marks(time, stress):
    """Stress at the times of the experiment that the rows reach, interpolated in ln t."""
    keep = time > 0
    t, s = np.log(time[keep]), stress[keep]
    marks = {}
    for label, at in MARKS.items():
        if t[0] <= math.log(at) <= t[-1] - math.log1p(-NEAR):
            marks[label] = (at, float(np.interp(math.log(at), t, s)))
    return marks


def log_mean(time, stress):
    """Mean over ln t: the stress of m."""
    keep = time > 0
    t = np.log(time[keep])
    return float(trapezoid(stress[keep], t) / (t[-1] - t[0]))
