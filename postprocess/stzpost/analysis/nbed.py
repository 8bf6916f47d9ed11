# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual nanobeam diffraction: fraction of patterns with Bragg reflections (BR) against strain.

Neighbouring patterns see the same clusters, so counting statistics are too narrow: every error here is the standard
error over scans.
"""
import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from ..errors import NoData
from .quantity import Quantity


@dataclass
class LevelStatistics:
    strain: float
    scans: int
    fraction: float
    scatter: float  # standard deviation of the scans' fractions
    error: float  # standard error of the mean over scans
    counting: float  # scatter that independent patterns would have
    expected: float  # over all probe positions, without the sampling noise of clusters
    domain_difference: float  # BR fraction inside the mask minus outside
    domain_error: float  # its standard error over scans
    bragg: np.ndarray  # scans x 10 x 10
    mask: np.ndarray
    fractions: np.ndarray  # a scan each
    displaced: bool  # scans overlap in the plane

    @property
    def scatter_p(self):
        """Probability that independent patterns scatter at least so much from scan to scan."""
        if self.scans < 2 or self.counting == 0:
            return math.nan
        return float(chi2.sf((self.scans - 1) * (self.scatter / self.counting) ** 2, self.scans - 1))


def analyse(result):
    """Statistics of every level, by ascending strain."""
    if not result.levels:
        raise NoData(f"{result.path}: no NBED levels (output.nbed_strains of the input, or not reached yet)")
    return [level_statistics(level) for level in result.levels]


def level_statistics(level):
    bragg, mask = level.data["bragg"].astype(float), level.data["mask"].astype(bool)
    fractions = bragg.mean(axis=(1, 2))
    scans, mean = len(fractions), float(fractions.mean())
    scatter = float(fractions.std(ddof=1)) if scans > 1 else math.nan
    difference, error = _domain_difference(bragg, mask)
    return LevelStatistics(
        strain=level.strain,
        scans=scans,
        fraction=mean,
        scatter=scatter,
        error=scatter / math.sqrt(scans),
        counting=math.sqrt(mean * (1 - mean) / bragg[0].size),
        expected=float(level.attrs.get("bragg_expected", math.nan)),
        domain_difference=difference,
        domain_error=error,
        bragg=bragg,
        mask=mask,
        fractions=fractions,
        displaced=bool(level.attrs.get("displaced", 0)),
    )


def nearest(levels, strain, tolerance=0.005):
    """The level at a strain, or None."""
    best = min(levels, key=lambda level: abs(level.strain - strain))
    return best if abs(best.strain - strain) <= tolerance else None


def quantities(levels):
    """What `stz-post nbed` prints."""
    rows = []
    for level in levels:
        at = f"at {100 * level.strain:g} %"
        rows += [
            Quantity(f"BR fraction {at}", level.fraction, "1", level.error),
            Quantity(f"expected fraction {at}", level.expected, "1"),
            Quantity(f"scatter over counting noise {at}", _ratio(level.scatter, level.counting), "1"),
            Quantity(f"bright minus dark domains {at}", level.domain_difference, "1", level.domain_error),
        ]
    return rows


def notes(levels):
    """What a reader of the table must know."""
    if any(level.displaced for level in levels):
        return ["scans overlap, since the box is small: they share clusters, so the errors over scans are too small"]
    return []


def scan_quantities(levels):
    """What `stz-post probes` prints: the fraction of each scan."""
    return [
        Quantity(f"BR fraction at {100 * level.strain:g} %, scan {number}", float(fraction), "1")
        for level in levels
        for number, fraction in enumerate(level.fractions)
    ]


def _domain_difference(bragg, mask):
    """Mean over scans of (BR share in the mask) - (BR share outside), and its standard error."""
    inside, total = mask.sum(axis=(1, 2)), mask[0].size
    both = (inside > 0) & (inside < total)
    if np.count_nonzero(both) < 2:
        return math.nan, math.nan
    hits, inside = (bragg * mask).sum(axis=(1, 2))[both], inside[both]
    rest = bragg.sum(axis=(1, 2))[both] - hits
    differences = hits / inside - rest / (total - inside)
    return float(differences.mean()), float(differences.std(ddof=1) / math.sqrt(len(differences)))


def _ratio(a, b):
    return a / b if b else math.nan
