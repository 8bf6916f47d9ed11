# SPDX-License-Identifier: GPL-3.0-or-later
"""Avalanches: how large they are, and how much of it chance alone would make."""
import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from ..errors import StzPostError
from .quantity import Quantity


@dataclass
class Avalanches:
    size: np.ndarray
    duration_s: np.ndarray
    radius_nm: np.ndarray
    plastic: np.ndarray
    stress_drop_GPa: np.ndarray
    window: float
    reach_nm: float
    cut: int  # that the run's end left open

    @property
    def begin_share(self):
        """Share of the events that begin an avalanche; exp(-window) if they fall independently."""
        return len(self.size) / self.size.sum()

    @property
    def begin_error(self):
        """Its standard error, as if events were independent."""
        share = self.begin_share
        return math.sqrt(share * (1 - share) / self.size.sum())


def analyse(result):
    table = result.avalanches
    if "size" not in table or table.sizes["avalanche"] == 0:
        raise StzPostError(f"{result.path}: no avalanches (output.avalanches of the input, or no events yet)")
    return Avalanches(
        size=table["size"].values.astype(float),
        duration_s=table["duration_s"].values,
        radius_nm=table["gyration_radius_nm"].values.astype(float),
        plastic=table["plastic_strain"].values.astype(float),
        stress_drop_GPa=table["stress_drop_GPa"].values.astype(float),
        window=float(table.attrs["window"]),
        reach_nm=float(table.attrs["reach_nm"]),
        cut=int((table["whole"].values == 0).sum()),
    )


def exceedance(size):
    """Sizes that occur, and the share of avalanches that are at least as large."""
    sizes, counts = np.unique(size, return_counts=True)
    return sizes, counts[::-1].cumsum()[::-1] / counts.sum()


def by_chance(window, largest):
    """The same for independent events: the total progeny of a branching process with a Poisson number of children
    (Borel's law) whose mean 1 - exp(-window) gives independent events their mean size, exp(window)."""
    children = -math.expm1(-window)
    n = np.arange(1, int(largest) + 1)
    p = np.exp(-children * n + (n - 1) * np.log(children * n) - gammaln(n + 1))
    return n, 1 - np.concatenate([[0], np.cumsum(p)[:-1]])


def quantities(found):
    triggered = 1 - found.begin_share / math.exp(-found.window)
    larger = found.size[found.size > 1]
    return [
        Quantity("avalanches", len(found.size)),
        Quantity("events", int(found.size.sum())),
        Quantity("window", found.window),
        Quantity("reach", found.reach_nm, "nm"),
        Quantity("events that begin one", found.begin_share, "1", found.begin_error),
        Quantity("the same of independent events", math.exp(-found.window)),
        Quantity("fewer than by chance", triggered, "1", found.begin_error / math.exp(-found.window)),
        Quantity("mean size", float(found.size.mean())),
        Quantity("mean size an event is in", float((found.size**2).sum() / found.size.sum())),
        Quantity("largest size", int(found.size.max())),
        Quantity("radius of those larger than 1, mean", _mean(found.radius_nm[found.size > 1]), "nm"),
        Quantity("single events", float(1 - len(larger) / len(found.size))),
        Quantity("largest stress drop", 1e3 * float(found.stress_drop_GPa.max()), "MPa"),
    ]


def notes(found):
    return [f"{found.cut} avalanches were open when the run ended"] if found.cut else []


def _mean(values):
    return float(values.mean()) if len(values) else math.nan
