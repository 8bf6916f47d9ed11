# SPDX-License-Identifier: GPL-3.0-or-later
"""One estimate of s = d sigma/d ln(rate), with its interval and the volumes that follow."""
import math
from dataclasses import dataclass, field

from ..units import TAYLOR_FACTORS, activation_volume
from .quantity import NORMAL_95, Quantity

LEVEL = 0.95  # of every interval


@dataclass
class Estimate:
    """s in GPa with its interval of level LEVEL; `refused` says why it must not be quoted, or is empty."""

    method: str
    s: float
    interval: tuple
    temperature_K: float
    refused: str = ""
    detail: dict = field(default_factory=dict)

    def volume(self, factor):
        """(V, low, high) in cubic angstroms for one Taylor factor; NaN when refused."""
        if self.refused:
            return (math.nan,) * 3
        low, high = self.interval
        return tuple(
            activation_volume(factor, self.temperature_K, s) if s > 0 else math.inf for s in (self.s, high, low)
        )

    def quantities(self):
        """Rows for a table. The error is half the interval over NORMAL_95, so that value and error stand for it."""
        rows = []
        for label, factor in TAYLOR_FACTORS.items():
            v, low, high = self.volume(factor)
            error = (high - low) / (2 * NORMAL_95)
            rows.append(Quantity(f"V, M = {label} ({self.method})", None if self.refused else v, "Å³", error))
        return rows
