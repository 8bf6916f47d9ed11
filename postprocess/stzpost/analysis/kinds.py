# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of test a measured file holds: told from its columns and from how they move."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import StzPostError
from . import activation

if TYPE_CHECKING:
    from ..io.measured import Measured

STEADY = 0.02  # a stress or strain that moves by less of itself is held


def tell_kind(measured: Measured, settings: Any) -> tuple:
    """(kind, why), from the columns and how they move."""
    c = measured.columns
    if "bragg" in c:
        return "nbed", "counts of Bragg reflections"
    if "hardness" in c:
        return "indentation", "hardness"
    if "stress" not in c and "force" in c:
        raise StzPostError(f"{measured.path}: a force, and no stress: give the cross-section with --area MM2")
    if "stress" not in c and "time" in c and "displacement" in c:
        return "displacement", "displacement over time"
    if "stress" in c and "rate" in c and "time" not in c:
        return "flow", "stress and strain rate, without time"
    if "time" not in c or not ("stress" in c or settings.stress_GPa):
        if "strain" in c and "stress" in c:
            return "tension", "stress over strain"
        if "strain" in c and "time" in c:
            raise StzPostError(
                f"{measured.path}: strain over time without a stress: of creep say --stress GPA; of a specimen that a"
                " spring pulls say --kind displacement --stiffness GPA"
            )
        names = ", ".join(c) or "none that is known"
        raise StzPostError(
            f"{measured.path}: columns understood: {names}; needs time and stress, time and displacement, strain and"
            " stress, rate and stress, rate and hardness, or strain and bragg (say which with --column ROLE=NAME)"
        )
    if "stress" not in c:
        return "creep", "the stress is given"
    if not np.any(np.isfinite(c["stress"])):
        raise StzPostError(f"{measured.path}: stress: no row has a number")
    return _kind_in_time(c)


def _kind_in_time(c):
    stress = c["stress"][np.isfinite(c["stress"])]
    if "strain" in c:
        both = np.isfinite(c["strain"]) & np.isfinite(c["time"])
        time, strain = c["time"][both], c["strain"][both]
        if len(strain) > 3 and np.ptp(strain) > STEADY * np.max(np.abs(strain)):
            if levels_of(stress) is not None:
                return "creep", "the strain grows under held stress"
            both &= np.isfinite(c["stress"])
            if np.corrcoef(c["strain"][both], c["stress"][both])[0, 1] < -0.9:
                return "relaxation", "the stress falls as the strain grows, as a spring's"
            return (
                ("rate-jump", "the strain rate jumps")
                if _jumps(time, strain)
                else ("tension", "the strain grows steadily")
            )
    return ("relaxation", "stress over time") if _falls_once(stress) else ("repeated", "stress over time with reloads")


def _falls_once(stress):
    return len(falls(stress)) < 2


def _jumps(time, strain):
    try:
        rates = activation.rates(time, strain)
    except StzPostError:
        return False
    return len(rates) > 1 and max(rates) > activation.JUMP * min(rates)


def levels_of(stress):
    """Rows of each level of a stress that moves in steps, None if it moves otherwise. Few rows of the steps are
    none's."""
    stress = np.asarray(stress)
    held = np.abs(np.diff(stress)) < 0.25 * STEADY * np.max(stress)
    edges = [0, *(np.flatnonzero(~held) + 1), len(stress)]
    levels = [np.arange(a, b) for a, b in zip(edges[:-1], edges[1:]) if b - a >= 6]
    steady = [rows for rows in levels if np.ptp(stress[rows]) < STEADY * np.max(stress)]
    return steady if len(steady) == len(levels) and sum(map(len, levels)) > 0.8 * len(stress) else None


def falls(stress):
    """[(peak, last)]: stretches in which a stress falls, between rises by a third of its range that are no noise."""
    noise = 1.4826 * np.median(np.abs(np.diff(stress, 2))) / math.sqrt(6) if len(stress) > 2 else 0.0
    height, found, peak, low = max(0.33 * np.ptp(stress), 8 * noise), [], 0, 0
    for row, value in enumerate(stress):
        if value - stress[low] > height and stress[peak] - stress[low] > height:
            found.append((peak, low))
            peak = low = row
        if value > stress[peak] and stress[peak] - stress[low] <= height:
            peak = low = row
        if value < stress[low]:
            low = row
    if stress[peak] - stress[low] > height:
        found.append((peak, low))
    return found
