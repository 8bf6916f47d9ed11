# SPDX-License-Identifier: GPL-3.0-or-later
"""A sweep of relaxations whose law is known, without the engine: the glass of analysis/meanfield.py in closed form.

    sigma(t) = sigma0(mean, volume, width) - s ln(1 + t/t0),   s = kB T/V1,   t0 = s/(E rate),

sigma0 is the flow stress at `rate`. From run to run sigma0 and s scatter, as from seed to seed."""
import numpy as np
from scipy.stats import qmc

from stzpost.analysis.meanfield import Glass
from stzpost.analysis.surface import Parameter
from stzpost.studies.design import Design
from stzpost.studies.fit import Measured
from stzpost.units import GPA, KB_EV

RATE = 1e-6
PARAMETERS = [
    Parameter("mean_eV", 2.25, 2.45, key="barriers.mean_eV", unit="eV"),
    Parameter("volume_nm3", 1.3, 2.1, key="stz.volume_nm3", unit="nm^3"),
    Parameter("width_eV", 0.06, 0.14, key="barriers.width_eV", unit="eV"),
]
CLOCK = np.log(np.geomspace(1.0, 1e7, 120))


class Run:
    """What a design asks of a result."""

    class Segment:
        temperature_K = 295.0

    def __init__(self, places, rng):
        values = [float(one.value(x)) for one, x in zip(PARAMETERS, places)]
        scatter = 0.01 * rng.standard_normal(), 1 + 0.02 * rng.standard_normal()
        self.curve = CLOCK, stress(values, np.exp(CLOCK), *scatter)


def stress(values, time, shift=0.0, factor=1.0):
    """GPa, at (mean, volume, width)."""
    mean, volume, width = values
    v1 = 0.5 * 0.115 * volume * 0.5
    s = KB_EV * 295.0 / (v1 * GPA) * factor
    sigma0 = Glass(volume_nm3=v1, mean_eV=mean, width_eV=width).flow_stress(RATE) + shift
    return sigma0 - s * np.log1p(time * 72.0 * RATE / s)


class Planted(Design):
    def curves(self, kind):
        return [one.curve if kind == "relaxation" else None for one in self.results]


def design(points=48, seed=1, parameters=PARAMETERS):
    rng = np.random.default_rng(seed)
    places = qmc.Sobol(len(PARAMETERS), seed=seed).random(64)[:points]
    return Planted("planted", list(parameters), places, [Run(one, rng) for one in places])


def measured(values, rng, offset=0.0, files=3, error=0.01, end=4.4e6):
    """Files of one glass: the same specimen's scatter in all (one run measured several times), an offset each."""
    time = np.geomspace(60.0, end, 40)
    true = stress(values, time, 0.01 * rng.standard_normal(), 1 + 0.02 * rng.standard_normal())
    return [
        Measured(f"{i}.csv", "relaxation", np.log(time), true + offset + error * rng.standard_normal(len(time)),
                 np.full(len(time), error), 295.0)
        for i in range(files)
    ]
