# SPDX-License-Identifier: GPL-3.0-or-later
"""How warm the specimen gets by its own plastic work; the runs themselves hold the temperature (docs/theory.md §8).

    by conduction      Delta T = q L^2/(8 kappa): heat q uniform along a specimen of length L between cold grips
    without            Delta T = (heat so far)/(rho c), which no conduction exceeds

q is the largest of |stress x plastic rate| of the rows and of the mean heat per time of the segments (shear)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .quantity import Quantity

WARM_K = 1.0  # worth 14 MPa of flow stress: sigma m ln(rate0/rate)/T


@dataclass(frozen=True)
class Constants:
    """As handbooks have them for metallic glasses; not measured on the film."""

    length_um: float = 25.0  # between the grips: the film's on chip
    heat_capacity_MJ_per_m3K: float = 2.2
    conductivity_W_per_mK: float = 5.0


@dataclass
class Heating:
    power_W_per_m3: float
    conduction_K: float
    adiabatic_K: float
    constants: Constants


def of_result(result: Any, constants: Constants = Constants()) -> Heating:
    history = result.history
    stress, rate = history["stress_axial_GPa"].values, history["plastic_rate_per_s"].values
    heat = 1e6 * history["heat_MJ_per_m3"].values
    powers = [float(np.max(np.abs(1e9 * stress * rate), initial=0.0))]
    for segment in result.segments:
        inside = history["segment"].values == segment.index
        time = history["time_s"].values[inside]
        if len(time) > 1 and time[-1] > time[0]:
            powers.append(float((heat[inside][-1] - heat[inside][0]) / (time[-1] - time[0])))
    return warming(max(powers), float(np.max(heat, initial=0.0)), constants)


def warming(power_W_per_m3: float, heat_J_per_m3: float, constants: Constants = Constants()) -> Heating:
    """Of the largest power and of all heat."""
    adiabatic = heat_J_per_m3 / (1e6 * constants.heat_capacity_MJ_per_m3K)
    length_m = 1e-6 * constants.length_um
    steady = power_W_per_m3 * length_m * length_m / (8 * constants.conductivity_W_per_mK)  # a power overflows with an error
    return Heating(power_W_per_m3, min(steady, adiabatic), adiabatic, constants)


def quantities(found: Heating) -> list:
    return [
        Quantity("largest power of heat", found.power_W_per_m3, "W/m³"),
        Quantity(f"warming by it, conduction over {found.constants.length_um:g} µm", found.conduction_K, "K"),
        Quantity("warming by all heat, no conduction", found.adiabatic_K, "K"),
    ]


def notes(found: Heating) -> list:
    if found.conduction_K <= WARM_K:
        return []
    return [
        f"heat: a specimen of {found.constants.length_um:g} µm between cold grips would warm by "
        f"{found.conduction_K:.2g} K, more than {WARM_K:g} K, while the run holds the temperature"
    ]
