# SPDX-License-Identifier: GPL-3.0-or-later
"""True stress and logarithmic strain, and what a laboratory reads: elongation over the first length, force over the
first area (docs/theory.md §8). Plastic strain keeps the volume, elastic strain does not:

    L/L0 = exp(eps),    A/A0 = exp(-eps + (1 - 2 nu) sigma/E),    e = L/L0 - 1,    s = sigma A/A0

Axial tension; numbers or arrays.
"""
from __future__ import annotations

from typing import Any

import numpy as np

POISSON = 0.4  # of the film; it enters by (1 - 2 nu) sigma/E alone, below 1 %
MEASURES = ("true", "engineering")


def area_ratio(strain: Any, stress_GPa: Any, young_GPa: float, poisson: float) -> Any:
    """A/A0 of logarithmic strain and true stress."""
    return np.exp(-np.asarray(strain) + (1 - 2 * poisson) * np.asarray(stress_GPa) / young_GPa)


def engineering(strain: Any, stress_GPa: Any, young_GPa: float, poisson: float = POISSON) -> tuple:
    """(e, s) of logarithmic strain and true stress."""
    return np.expm1(strain), stress_GPa * area_ratio(strain, stress_GPa, young_GPa, poisson)


def true(elongation: Any, force_GPa: Any, young_GPa: float, poisson: float = POISSON) -> tuple:
    """(eps, sigma) of e and of the force over the first area, by Newton's method."""
    length = 1 + np.asarray(elongation, float)
    alpha = (1 - 2 * poisson) / young_GPa
    stress = np.asarray(force_GPa, float) * length
    for _ in range(6):  # sigma exp(alpha sigma) = s L/L0; alpha sigma is below 0.05
        decay = np.exp(-alpha * stress)
        stress = stress - (stress - force_GPa * length * decay) / (1 + alpha * force_GPa * length * decay)
    return np.log(length), stress


def pulled(elongation: Any, stiffness_GPa: float, mismatch: float, young_GPa: float, poisson: float = POISSON) -> tuple:
    """(eps, sigma) of a specimen that an actuator has stretched by `elongation` times its first length."""
    return true(elongation, stiffness_GPa * (mismatch - np.asarray(elongation, float)), young_GPa, poisson)


def spring_slope(
    elongation: Any, stiffness_GPa: float, mismatch: float, young_GPa: float, poisson: float = POISSON
) -> Any:
    """-d(sigma)/d(elongation) along the actuator's line."""
    length = 1 + np.asarray(elongation, float)
    _, stress = pulled(elongation, stiffness_GPa, mismatch, young_GPa, poisson)
    area = area_ratio(np.log(length), stress, young_GPa, poisson)
    return (stiffness_GPa / area - stress / length) / (1 + (1 - 2 * poisson) * stress / young_GPa)
