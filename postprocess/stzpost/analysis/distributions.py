# SPDX-License-Identifier: GPL-3.0-or-later
"""Distributions of barriers, resolved stresses and distances to activation over the sites, by domain."""
import math
from dataclasses import dataclass

import numpy as np

from ..errors import StzPostError
from .quantity import Quantity

LABELS = {
    "barrier_eV": ("barrier $Q$", "barrier", "eV"),
    "resolved_stress_GPa": ("largest resolved stress", "largest resolved stress", "GPa"),
    "activation_eV": ("smallest barrier under stress", "smallest barrier under stress", "eV"),
}


@dataclass
class Distribution:
    edges: np.ndarray
    counts: dict  # domain -> sites a bin

    def density(self, domain):
        """Normalised over the domain; NaN for a domain without sites."""
        counts = self.counts[domain]
        total = counts.sum()
        return counts / (total * np.diff(self.edges)) if total else np.full(len(counts), math.nan)

    def moments(self, domains):
        """Mean and standard deviation over the sites of some domains."""
        counts = sum(self.counts[domain] for domain in domains)
        middle = 0.5 * (self.edges[1:] + self.edges[:-1])
        if not counts.sum():
            return math.nan, math.nan
        mean = np.average(middle, weights=counts)
        return float(mean), float(np.sqrt(np.average((middle - mean) ** 2, weights=counts)))


@dataclass
class Level:
    strain: float
    kinds: dict  # name -> Distribution


def analyse(result):
    """Every level, by ascending strain."""
    if not result.distributions:
        raise StzPostError(f"{result.path}: no distributions (output.statistics_strains)")
    return [_level(one) for one in result.distributions]


def _level(one):
    kinds = {}
    for name in LABELS:
        counts = {str(domain): one[name].sel(domain=domain).values for domain in one["domain"].values}
        kinds[name] = Distribution(one[f"{name}_edges"].values, counts)
    return Level(float(one.attrs["strain"]), kinds)


def quantities(levels):
    rows = []
    for level in levels:
        at = f"at {100 * level.strain:g} %"
        for name, (_, text, unit) in LABELS.items():
            kind = level.kinds[name]
            if len(kind.edges) < 3:
                continue  # one bin: nothing to tell
            mean, deviation = kind.moments(list(kind.counts))
            rows += [
                Quantity(f"{text}, mean {at}", mean, unit),
                Quantity(f"{text}, deviation {at}", deviation, unit),
            ]
            if all(counts.sum() for counts in kind.counts.values()):
                rows += [
                    Quantity(f"{text}, mean in {domain} sites {at}", kind.moments([domain])[0], unit)
                    for domain in kind.counts
                ]
    return rows
