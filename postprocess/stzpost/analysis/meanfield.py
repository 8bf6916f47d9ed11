# SPDX-License-Identifier: GPL-3.0-or-later
"""A glass of very many sites without elastic interactions, so that estimators can be held to a known volume.

Barriers Q have a density p(Q, t). An event at stress sigma comes at the rate nu exp(-(Q - V1 sigma)/kB T), strains the
glass by e times its share of the volume, and draws its barrier again from the initial law (normal, cut):

    dp/dt = -k(Q, sigma) p + p0 integral(k p),    plastic rate = e integral(k p),    V1 = chi gamma0 Omega S.

With one barrier the rate is a function of the stress alone and every estimator must return V1; with a width, soft
sites are used up first, and the estimators part.
"""
import math
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp

from ..errors import StzPostError
from ..units import GPA, KB_EV, ROOM_K


@dataclass(frozen=True)
class Glass:
    """Units: eV, nm^3, 1/s, GPa, K."""

    volume_nm3: float = 0.5 * 0.115 * 1.7 * 0.5  # V1
    mean_eV: float = 2.352
    width_eV: float = 0.10
    cutoff: float = 2.5
    attempts_per_s: float = 1e13
    strain: float = 0.0575  # e: gamma0 S
    young_GPa: float = 72.0
    temperature_K: float = ROOM_K
    levels: int = 60

    def barriers(self):
        """Barriers and their weights."""
        if self.width_eV == 0:
            return np.array([self.mean_eV]), np.array([1.0])
        x = np.linspace(-self.cutoff, self.cutoff, self.levels)
        weight = np.exp(-0.5 * x * x)
        return self.mean_eV + self.width_eV * x, weight / weight.sum()

    def rates(self, stress, temperature=None):
        kt = KB_EV * (temperature or self.temperature_K)
        return self.attempts_per_s * np.exp(-(self.barriers()[0] - self.volume_nm3 * GPA * stress) / kt)

    def flow_stress(self, rate, temperature=None):
        """Steady stress at a plastic strain rate: with redraw from p0, the steady p is p0/k, and the rate of events
        1/<1/k>."""
        weight = self.barriers()[1]
        at_zero = math.log(self.strain / np.sum(weight / self.rates(0.0, temperature)))
        kt = KB_EV * (temperature or self.temperature_K)
        return (math.log(rate) - at_zero) * kt / (self.volume_nm3 * GPA)

    def steady(self, rate):
        """Weights in steady flow at a rate."""
        p = self.barriers()[1] / self.rates(self.flow_stress(rate))
        return p / p.sum()

    def drive(self, strain_rate, stress, weights, end, points=400):
        """Imposed total strain rate (0: relaxation) for a time `end`. Returns time, stress, plastic rate, weights."""
        fresh = self.barriers()[1]

        def slope(_, y):
            k, p = self.rates(y[0]), y[1:]
            flow = k @ p
            return np.concatenate([[self.young_GPa * (strain_rate - self.strain * flow)], fresh * flow - k * p])

        at = np.concatenate([[0.0], np.geomspace(end * 1e-8, end, points - 1)])
        done = solve_ivp(slope, (0, end), np.concatenate([[stress], weights]), "BDF", at, rtol=1e-7, atol=1e-12)
        if not done.success:
            raise StzPostError(f"the glass without interactions: {done.message}")
        rate = np.array([self.strain * (self.rates(y[0]) @ y[1:]) for y in done.y.T])
        return done.t, done.y[0], rate, done.y[1:, -1]
