# SPDX-License-Identifier: GPL-3.0-or-later
"""Growth of plane waves of plastic strain at 45 degrees to the tension, from the events of runs in pairs.

The two runs of a pair have the same seed and barriers that a weak sum of plane waves raises and lowers, with opposite
signs. Half the difference of their waves of plastic strain is the answer to the barriers: what the noise of the glass
adds alike to both drops out, and the rest, of the events' chance, has mean zero and falls as seeds are averaged.

At the start all rates follow a barrier e by exp(-e/kT), whatever the structure of the glass: per plastic strain p the
answer is 1/kT. `gain` is the answer over p/kT, so it begins at 1. A wave that grows by G per plastic strain has the
gain (exp(G p) - 1)/(G p): G > 0 where slip makes further slip easier there, G < 0 where it uses up the weak sites."""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import polynomial

from ..errors import StzPostError
from ..units import KB_EV

GOLDEN = 0.5 * (math.sqrt(5) - 1)  # spreads the phases, so that the waves have no common crest


@dataclass(frozen=True)
class Waves:
    """Waves cos(2 pi (m x + s m y)/n + phase), for m in `orders` and s = 1, -1, in a box that squares of n x n cells
    fill: n is `period`, or the largest that does. Boxes with the same n have the same waves."""

    cells: tuple
    orders: tuple = (1, 2, 3)
    amplitude_eV: float = 0.008  # of each: a third of kT, which costs the answer 1 %
    period: int = 0  # 0: the largest

    @property
    def square(self):
        """Cells along an edge of the square that is repeated."""
        return self.period or math.gcd(*self.cells[:2])

    def lengths_nm(self, spacing_nm):
        """Wavelength of each order."""
        return np.array([self.square * spacing_nm / (m * math.sqrt(2)) for m in self.orders])

    def phases(self, x, y):
        """Of the voxels (x, y): an array for each order and sign."""
        for m in self.orders:
            for sign in (1, -1):
                yield 2 * math.pi * ((m * x + sign * m * y) / self.square + (m * GOLDEN + (sign < 0) * 0.37) % 1)

    def field_eV(self):
        """The rise of the barriers, cells in their order x, y, z."""
        if any(n % self.square for n in self.cells[:2]) or len(set(self.orders)) != len(self.orders):
            raise StzPostError(f"waves: squares of {self.square} cells, orders {self.orders}: needs squares that fill a box "
                               f"of {self.cells} cells, and orders that differ")
        x, y = np.indices(self.cells[:2])
        plane = self.amplitude_eV * sum(np.cos(phase) for phase in self.phases(x, y))
        return np.repeat(plane[:, :, None], self.cells[2], axis=2)

    def answer(self, events, strains):
        """Wave of the plastic strain per eV of barrier, [strain, order], when the mean plastic strain first reaches
        each of `strains`; NaN where it never does. `events`: the table of a result."""
        site = events["site"].values.astype(float)
        weight = events["plastic_strain_axial"].values.astype(float)
        at = np.searchsorted(np.maximum.accumulate(np.cumsum(weight)), strains)
        there = at < len(weight)
        found = np.full((len(strains), 2 * len(self.orders)), np.nan)
        for i, phase in enumerate(self.phases(site[:, 0], site[:, 1])):
            course = np.cumsum(-2 * weight * np.cos(phase)) / self.amplitude_eV
            found[there, i] = course[at[there]]
        return 0.5 * (found[:, ::2] + found[:, 1::2])


def gain(plus, minus, strains, temperature_K):
    """Of a pair of answers, [strain, order]: 1 as long as the wave does as its barriers say."""
    return 0.5 * (plus - minus) * KB_EV * temperature_K / np.asarray(strains)[:, None]


def growth(gain_at, strain):
    """G per plastic strain of a wave with this gain at that strain; NaN for a gain <= 0, which decays at once."""
    gain_at = np.asarray(gain_at, dtype=float)
    low, high = np.full(gain_at.shape, -1e4), np.full(gain_at.shape, 50.0)  # of G p
    for _ in range(80):
        middle = 0.5 * (low + high)
        below = np.where(np.abs(middle) < 1e-9, 1.0, np.expm1(middle) / np.where(middle == 0, 1, middle)) < gain_at
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.where(gain_at > 0, 0.5 * (low + high) / strain, np.nan)


def crossing(softening, rates, errors):
    """Where a parabola through rates of growth crosses zero for the first time from below, weighted by the errors; inf
    where it stays below zero over the range of `softening`, -inf where it begins above. `rates`: [softening], or
    [case, softening] for an array."""
    x, rates = np.asarray(softening, dtype=float), np.atleast_2d(rates)
    middle, half = 0.5 * (x.min() + x.max()), 0.5 * (x.max() - x.min())
    fit = polynomial.polyfit((x - middle) / half, rates.T, min(2, len(x) - 1), w=1 / np.asarray(errors))
    c, b, a = np.concatenate([fit, np.zeros((3 - len(fit), len(rates)))])
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.sqrt(b * b - 4 * a * c)  # there, if it crosses at all
        at = np.where(b > 0, -2 * c / (b + slope), (slope - b) / (2 * a))  # one root, without cancellation
        found = np.where((at > -1) & (at <= 1), middle + half * at, np.inf)
    found = np.where(a - b + c >= 0, -np.inf, found)
    return found if len(found) > 1 else float(found[0])


def crossings(softening, rates, errors, seed, correlation=0.0, draws=8000):
    """The crossing, and as many of rates drawn about the measured ones with their errors, any two of which have this
    correlation. Crossings that are compared need different seeds, or their draws would err together."""
    rng = np.random.default_rng(seed)
    own, common = rng.standard_normal((draws, len(rates))), rng.standard_normal((draws, 1))
    mixed = math.sqrt(1 - correlation) * own + math.sqrt(correlation) * common
    drawn = np.asarray(rates) + np.asarray(errors) * mixed
    return crossing(softening, rates, errors), crossing(softening, drawn, errors)
