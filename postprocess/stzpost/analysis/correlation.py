# SPDX-License-Identifier: GPL-3.0-or-later
"""Autocorrelation of the axial plastic strain: how far it reaches, and along which directions."""
import math
from dataclasses import dataclass

import numpy as np

from ..errors import StzPostError
from .quantity import Quantity

# Directions that tension along x makes equivalent.
FAMILIES = {
    "along x": ("x",),
    "along y, z": ("y", "z"),
    "45° to x": ("xy", "x-y", "xz", "x-z"),
    "45° in the plane yz": ("yz", "y-z"),
}
WITHIN_FILM = {"along x": ("x",), "along y": ("y",), "45° to x": ("xy", "x-y")}  # the others lead out of it


@dataclass
class Correlation:
    strain: float
    variance: float
    distance_nm: np.ndarray
    radial: np.ndarray
    families: dict  # name -> (distance, mean over the family)
    shape_nm: float  # s of the shape that it is averaged with

    @property
    def length_nm(self):
        """Distance at which the radial mean falls to 1/e; NaN if it does not."""
        return _crossing(self.distance_nm, self.radial, math.exp(-1))

    def of_shape(self, distance_nm):
        """The autocorrelation of events that know nothing of each other: that of the shape."""
        return np.exp(-((np.asarray(distance_nm) / (2 * self.shape_nm)) ** 2))


def analyse(result):
    """Every level with plastic strain, by ascending strain."""
    shape = float(result.setting("volume_nm3")) ** (1 / 3) / (2 * math.sqrt(math.pi))
    families = WITHIN_FILM if result.film else FAMILIES
    levels = [_level(one, shape, families) for one in result.correlation if np.isfinite(one["radial"].values).all()]
    if not levels:
        raise StzPostError(f"{result.path}: no autocorrelation of plastic strain (output.statistics_strains)")
    return levels


def _level(one, shape, families):
    found = {}
    for name, members in families.items():
        chosen = one.sel(direction=list(members))
        found[name] = (
            chosen["line_distance_nm"].mean("direction").values,
            chosen["line"].mean("direction").values,
        )
    return Correlation(
        strain=float(one.attrs["strain"]),
        variance=float(one.attrs["variance"]),
        distance_nm=one["distance_nm"].values,
        radial=one["radial"].values,
        families=found,
        shape_nm=shape,
    )


def quantities(levels):
    rows = []
    for level in levels:
        at = f"at {100 * level.strain:g} %"
        rows += [
            Quantity(f"deviation of the plastic strain {at}", math.sqrt(level.variance)),
            Quantity(f"correlation length (1/e) {at}", level.length_nm, "nm"),
        ]
        rows += [
            Quantity(f"lowest correlation, {name}, {at}", float(values.min()))
            for name, (_, values) in level.families.items()
        ]
    return rows


def _crossing(x, y, level):
    below = np.flatnonzero(y < level)
    if not below.size or below[0] == 0:
        return math.nan
    i = below[0]
    return float(x[i - 1] + (y[i - 1] - level) / (y[i - 1] - y[i]) * (x[i] - x[i - 1]))
