# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimators that see the measured files and the noise's settings alone: how well can the truth be had back?

They are baselines to compare own analysis code with, and what the tests hold the data to.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from . import curves, nbed, stem


@dataclass(frozen=True)
class Estimate:
    value: float
    error: float  # one standard error


def relaxation(
    time: np.ndarray, stress: np.ndarray, settings: curves.Settings, stiffness: float | np.ndarray | None
) -> tuple[Estimate, np.ndarray]:
    """s of sigma0 - s ln(1 + t/t0) from few noisy readings, by least squares in the metric of their covariance, and
    which readings were kept: the one that lies farthest out is dropped while it is beyond four deviations. The error
    of the cross-section, which no fit can see, is in the error given. `stiffness`: see curves.stress_covariance."""
    covariance = curves.stress_covariance(settings, len(time), stiffness)
    keep = np.ones(len(time), bool)
    while True:
        found, error = _logarithm(time[keep], stress[keep], covariance[np.ix_(keep, keep)])
        precision = np.linalg.inv(covariance[np.ix_(keep, keep)])
        residual = stress[keep] - _law(found, time[keep])
        out = np.abs(precision @ residual) / np.sqrt(np.diag(precision))  # each against what the others predict
        if out.max() < 4 or np.count_nonzero(keep) <= 6:
            return Estimate(float(found[1]), math.hypot(error, settings.section * found[1])), keep
        keep[np.flatnonzero(keep)[np.argmax(out)]] = False


def bragg_fraction(found: int, patterns: int, settings: nbed.Settings) -> Estimate:
    """Fraction of patterns with Bragg reflections among some patterns, freed of false alarms and misses. The error is
    that of the detection, for these patterns; other places of the sample scatter more."""
    alarm, miss = nbed.error_rates(settings)
    gain = 1 - miss - alarm
    value = (found / patterns - alarm) / gain
    share = min(max(value, 0.0), 1.0)
    variance = share * miss * (1 - miss) + (1 - share) * alarm * (1 - alarm)
    return Estimate(value, math.sqrt(variance / patterns) / gain)


def bragg_discs(counts: np.ndarray, settings: stem.Settings) -> tuple[np.ndarray, np.ndarray]:
    """Of each pattern the largest excess on a pair of opposite discs on the ring, in units of the spread over all
    azimuths of the pattern, and the azimuth (deg) where it is."""
    azimuths = np.arange(0, 180, 3.0)
    filters = np.stack([_disc_pair(settings, math.radians(angle)) for angle in azimuths])
    sums = np.tensordot(counts, filters, axes=((-2, -1), (-2, -1)))
    middle = np.median(sums, axis=-1, keepdims=True)
    spread = 1.4826 * np.median(np.abs(sums - middle), axis=-1, keepdims=True)
    score = (sums - middle) / np.maximum(spread, 1.0)
    best = np.argmax(score, axis=-1)
    return np.take_along_axis(score, best[..., None], -1)[..., 0], azimuths[best]


def ring_radius(counts: np.ndarray, settings: stem.Settings) -> float:
    """Radius of the diffuse ring from the mean pattern: where counts times radius, integrated over the ring, balance."""
    ku, kv = stem.wave_vectors(settings)
    radius = np.hypot(ku, kv)
    ring = np.abs(radius - settings.ring_per_nm) < 3 * settings.ring_width_per_nm
    mean = counts.reshape(-1, *ku.shape).mean(axis=0)
    weight = mean[ring] / radius[ring]  # the measure of a ring in the plane grows with its radius
    return float(np.sum(weight * radius[ring]) / np.sum(weight))


def _law(parameters, time):
    return parameters[0] - parameters[1] * np.log1p(time * math.exp(-parameters[2]))


def _logarithm(time, stress, covariance):
    root = np.linalg.inv(np.linalg.cholesky(covariance))

    def residuals(p):
        return root @ (_law(p, time) - stress)

    def linear(ln_t0):
        design = np.stack([np.ones_like(time), -np.log1p(time * math.exp(-ln_t0))], axis=1)
        found = np.linalg.lstsq(root @ design, root @ stress, rcond=None)[0]
        return [*found, ln_t0]

    # For a given t0 the law is linear: a scan finds the right basin.
    low, high = math.log(time[0]) - 8, math.log(time[-1]) + 1
    starts = (linear(ln_t0) for ln_t0 in np.linspace(low, high, 40)[1:-1])
    start = min(starts, key=lambda p: np.sum(residuals(p) ** 2))
    limits = ([-np.inf, -np.inf, low], [np.inf, np.inf, high])
    solved = least_squares(residuals, start, bounds=limits)
    inverse = np.linalg.pinv(solved.jac.T @ solved.jac)
    return solved.x, math.sqrt(inverse[1, 1])


def _disc_pair(settings, azimuth):
    gu, gv = settings.ring_per_nm * math.cos(azimuth), settings.ring_per_nm * math.sin(azimuth)
    pair = stem.disc(settings, gu, gv) + stem.disc(settings, -gu, -gv)
    return (pair > 0.1 * pair.max()).astype(float)
