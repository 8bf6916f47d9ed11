# SPDX-License-Identifier: GPL-3.0-or-later
"""The log law sigma = sigma0 - s ln(1 + t/t0) through observations, with errors or by their scatter, and the rate along
it: estimators of s from arrays, each with its validity test."""
import math

import numpy as np
from scipy.stats import chi2, f as fisher, t as student

from ..errors import StzPostError
from ..units import ROOM_K, time_text
from .estimate import LEVEL, Estimate
from .quantity import NORMAL_95
from .relaxation import MIN_R2, MIN_SPAN, r2

T0_SHARE = 1 / 3  # the log law is only taken for one whose t0 is below this share of the first observation
FALSE_ALARM = 0.05  # share of valid curves that the test for curvature refuses
FEWEST = 4  # observations that a log law with a test of its own needs
DENSE = 8  # rows that show where a curve bends, as many as the fit of a run needs
MIN_LATEST = 10.0  # a record ends at this many times the largest t0 that its errors allow
FALL = 5.0  # least fall of the stress between two rates, in errors
SMOOTH = 8  # parameters of a curve that follows any law, to see how neighbouring rows agree


def log_law(time, stress, error=None, temperature_K=ROOM_K):
    """The log law through observations with independent errors (GPa; one number or one each; None: their scatter).

    For a given t0 the law is linear in (sigma0, s); the interval of s is that of the profile likelihood with t0 free.
    Fewer than DENSE observations cannot tell a curve recorded from its start from incubation or a fall after yielding:
    there t0 stays below T0_SHARE times the first observation, and what fits better beyond is refused. More rows show
    the bend: there t0 is free, and the curve must end at exp(MIN_SPAN) t0 as that of a run. Refused too when the
    residuals want a parabola or a cubic in ln(1 + t/t0) besides (two degrees of freedom, FALSE_ALARM), or when the
    stress does not fall within the interval. Where neighbouring residuals agree, errors grow as sqrt((1 + r)/(1 - r)),
    r their correlation. """
    time, stress, sigma = _checked(time, stress, error)
    dense = len(time) >= DENSE
    profile = _Profile(time, stress, sigma, time[-1] if dense else T0_SHARE * time[0])
    clock = np.log1p(time / profile.t0)
    cubic = _residuals(stress, sigma, np.vander(clock, 4))
    grown = 1.0
    if len(time) >= 3 * SMOOTH:
        grown = _agreement(_residuals(stress, sigma, np.vander(2 * clock / clock[-1] - 1, SMOOTH)))
    unit, freedom, least = _noise(cubic, profile.misfit, error is None, grown, np.ptp(stress))
    own = len(time) - 2 if error is None and len(time) < DENSE else None
    interval, earliest, latest = profile.interval(unit * _quantile(LEVEL, freedom), own)
    curvature = max(0.0, profile.misfit - float(cubic @ cubic)) / least
    p = float(chi2.sf(curvature, 2)) if error is not None else float(fisher.sf(curvature / 2, 2, len(time) - 5))
    late = profile.misfit
    if not dense:
        late = float(np.min(_linear(time, stress, sigma, np.geomspace(profile.top, time[-1], 40))[3]))
    bent = ""  # where the scatter is that of a shape, no error says how large it may be
    if error is None and dense and _agreement(cubic) > 1 and r2(stress, profile.misfit) < MIN_R2:
        bent = f"neighbouring rows agree in how they miss the law, R² = {r2(stress, profile.misfit):.3f}"
    elif p < FALSE_ALARM:
        bent = f"curvature beyond the errors, p = {p:.2g}"
    detail = {"sigma0": profile.sigma0, "t0": profile.t0, "t0_interval": (earliest, latest), "p": p}
    detail["chi2"] = profile.misfit / (unit if error is None else 1)
    detail["error_GPa"] = (math.sqrt(unit) if error is None else 1.0) * float(np.mean(sigma))
    refused = ""
    if profile.misfit - late > unit * _quantile(1 - FALSE_ALARM / 5, freedom):
        refused = (
            f"incubation, or a curve recorded from its start: a t0 beyond {T0_SHARE:.2g} of the first observation fits "
            f"better, and {len(time)} rows cannot tell which; give {DENSE} rows or more, from the start on"
        )
    elif interval[0] <= 0:
        refused = "the stress does not fall beyond its errors: record longer, or average rows to make them smaller"
    elif bent:
        refused = (
            f"not logarithmic: {bent}; leave out what is no relaxation (--from, --to), and give errors that hold the "
            "scatter"
        )
    return Estimate(
        "log law",
        profile.s,
        interval,
        temperature_K,
        refused or _too_short(time[-1], profile.t0, latest, dense),
        detail,
    )


def _checked(time, stress, error):
    """Times, stresses and their errors, 1 where they are not known, as arrays."""
    time, stress = np.asarray(time, float), np.asarray(stress, float)
    fewest = FEWEST if error is not None else FEWEST + 2
    if len(time) < fewest or len(stress) != len(time):
        known = "" if error is not None else " without errors"
        raise StzPostError(
            f"the log law needs {fewest} observations{known}, got {len(time)} times and {len(stress)} stresses"
        )
    sigma = np.broadcast_to(np.asarray(1.0 if error is None else error, float), stress.shape)
    if not (np.all(np.diff(time) > 0) and time[0] > 0 and np.all(sigma > 0)):
        raise StzPostError("the log law needs ascending positive times and positive errors")
    return time, stress, sigma


def _too_short(end, t0, latest, dense):
    """Why a record that ends there fixes no slope, or nothing; few rows that begin late fix it by their range of t0."""
    if math.log1p(end / t0) < MIN_SPAN:
        return (
            f"the record ends at {end / t0:.0f} t0 (t0 = {time_text(t0)}), needs {math.exp(MIN_SPAN):.0f} t0: two "
            "decades of logarithmic decay; record longer"
        )
    if dense and end < latest * MIN_LATEST:
        return (
            f"the record ends at {time_text(end)}, before it has bent beyond its scatter: t0 may be as late as "
            f"{time_text(latest)}; record much longer, at least {MIN_LATEST:g} times that"
        )
    return ""


class _Profile:
    """The least misfit of the log law over t0 from 1e-5 of the first observation to `top`, and its profile."""

    def __init__(self, time, stress, sigma, top):
        self.top, centre, width = top, None, None
        grids = []
        for _ in range(6):  # ever finer about the best: the profile of many exact rows is narrow
            low, high = math.log(1e-5 * time[0]), math.log(top)
            if centre is not None:
                low, high = max(low, centre - width), min(high, centre + width)
            grid = np.linspace(low, high, 81)
            grids.append([grid, *_linear(time, stress, sigma, np.exp(grid))])
            centre, width = grid[int(np.argmin(grids[-1][4]))], 3 * (grid[1] - grid[0])
        self.ln_t0, self.slope, self.width, offset, self.misfits = (np.concatenate(rows) for rows in zip(*grids))
        best = int(np.argmin(self.misfits))
        self.s, self.sigma0, self.misfit = (float(values[best]) for values in (self.slope, offset, self.misfits))
        self.t0 = math.exp(self.ln_t0[best])

    def interval(self, rise, own=None):
        """The interval of s in which the misfit rises by less, and the least and the largest t0 in it. `own` degrees of
        freedom: of few rows without errors Student's interval at each such t0, with the scatter about its own line."""
        room = self.misfit + rise - self.misfits
        inside = room >= 0
        if own:
            room = self.misfits * student.ppf(0.5 + LEVEL / 2, own) ** 2 / own
        half = np.sqrt(room[inside]) * self.width[inside]
        low, high = np.min(self.slope[inside] - half), np.max(self.slope[inside] + half)
        t0 = np.exp(self.ln_t0[inside])
        return (float(low), float(high)), float(np.min(t0)), float(np.max(t0))


def _agreement(residuals):
    """(1 + r)/(1 - r) of the correlation r of neighbours, 1 where it may be chance. Residuals of a smooth curve, so
    that a wrong law is not taken for noise; its fit takes away so much of r."""
    n, squares = len(residuals), float(residuals @ residuals)
    r = float(residuals[1:] @ residuals[:-1]) / squares if squares > 0 else 0.0
    r = min(r + SMOOTH * (1 + r) / n, 0.95)
    return (1 + r) / (1 - r) if r > 2 / math.sqrt(n) else 1.0


def _noise(cubic, misfit, unknown, grown, spread):
    """Variance of the weighted residuals over what was stated, 1 for known errors, grown by the agreement of
    neighbours; degrees of freedom of it, infinite for known errors; and the variance for the test of curvature.
    Rounding is noise too. """
    if not unknown:
        return grown, math.inf, 1.0
    n, rounding = len(cubic), (1e-7 * spread) ** 2
    about_cubic = max(grown * float(cubic @ cubic) / (n - 5), rounding)
    return (about_cubic, n - 5, about_cubic) if n > DENSE else (max(misfit / (n - 3), rounding), n - 3, about_cubic)


def _quantile(level, freedom):
    """Of the rise of a misfit by one parameter, over the variance."""
    return chi2.ppf(level, 1) if math.isinf(freedom) else fisher.ppf(level, 1, freedom)


def along_curve(time, stress, error=None, temperature_K=ROOM_K):
    """s from ln(rate) against stress along a relaxation: the rate is the fall of the stress over the time between means
    of rows, which fall by FALL errors at least. The stiffness is a factor of all rates. Refused where the line
    bends."""
    law = log_law(time, stress, error, temperature_K)
    time, sigma = np.asarray(time, float), np.broadcast_to(
        law.detail["error_GPa"] if error is None else error, np.shape(stress)
    )
    place, mean, errors = _falling_means(np.log(time + law.detail["t0"]), np.asarray(stress, float), sigma)
    count = len(mean)

    def slope(mean, t0=law.detail["t0"]):
        clock = np.bincount(place, np.log(time + t0)) / np.bincount(place)
        return _slope_of_rates(mean, np.diff(np.exp(clock)))

    s = slope(mean)
    gradient = [(slope(mean + 1e-3 * errors[i] * np.eye(count)[i]) - s) / 1e-3 for i in range(count)]
    bend = 0.5 * (slope(mean, law.detail["t0_interval"][1]) - slope(mean, law.detail["t0_interval"][0]))
    half = math.hypot(NORMAL_95 * math.sqrt(float(np.sum(np.square(gradient)))), bend)
    refused = law.refused or (
        "" if s - half > 0 else "the rate does not grow with the stress beyond its errors: record longer"
    )
    return Estimate(
        "along the curve", s, (s - half, s + half), temperature_K, refused, {"n": count, "t0": law.detail["t0"]}
    )


def _falling_means(clock, stress, sigma):
    """(bin of each row, means of the stress, their errors) of the most bins of the clock, 5 to 12, in which the mean
    falls by FALL errors from each to the next."""
    for count in range(12, 4, -1):
        place = np.minimum((count * (clock - clock[0]) / np.ptp(clock)).astype(int), count - 1)
        rows = np.bincount(place, minlength=count)
        if np.all(rows > 0):
            mean, errors = np.bincount(place, stress) / rows, np.sqrt(np.bincount(place, sigma**2)) / rows
            if np.min(-np.diff(mean) / np.hypot(errors[1:], errors[:-1])) >= FALL:
                return place, mean, errors
    raise StzPostError(
        f"the rate needs five means of rows that each fall by {FALL:g} errors: record more rows or longer"
    )


def _slope_of_rates(mean, steps):
    """Inverse slope of ln(rate) against stress. Within a step the rate itself falls as exp(sigma/s)."""
    middle, fall = 0.5 * (mean[1:] + mean[:-1]), -np.diff(mean)
    weight = fall / np.sqrt(np.sum(fall**2))  # ln(fall) is the surer the larger the fall
    s = np.mean(fall)
    for _ in range(20):
        ln_rate = np.log(2 * s * np.sinh(fall / (2 * s)) / steps)
        line = np.linalg.lstsq(
            weight[:, None] * np.column_stack([np.ones_like(middle), middle]), weight * ln_rate, rcond=None
        )[0]
        s = 1 / line[1]
    return float(s)


def _linear(time, stress, error, t0):
    """Weighted least squares for each t0: arrays of s, its error, sigma0 and chi2."""
    x, w = np.log1p(time / np.asarray(t0)[:, None]), 1 / error**2
    x0, y0 = (x @ w) / w.sum(), stress @ w / w.sum()
    dx, dy = x - x0[:, None], stress - y0
    sxx = dx**2 @ w
    s = -(dx * dy) @ w / sxx
    chi2s = (dy + s[:, None] * dx) ** 2 @ w
    return s, 1 / np.sqrt(sxx), y0 + s * x0, chi2s


def _residuals(stress, error, design):
    """Of the least-squares fit of a design, in errors."""
    weighted = design / error[:, None]
    return stress / error - weighted @ np.linalg.lstsq(weighted, stress / error, rcond=None)[0]
