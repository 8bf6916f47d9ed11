# SPDX-License-Identifier: GPL-3.0-or-later
"""The balance of energy: work done on the specimen, what it stores, what it gives off as heat."""
import math
from dataclasses import dataclass
from typing import Optional

import numpy as np

from ..errors import StzPostError
from . import heating
from .quantity import Quantity

MOVES = 1e-4  # total strain by which a last segment must move for strain to be the abscissa
TURNS = 1e-3  # strain that is taken back, from which the abscissa is the way of the strain


@dataclass
class Energy:
    strain: np.ndarray
    time_s: np.ndarray
    work: np.ndarray  # all in MJ/m^3, since the start
    heat: np.ndarray
    elastic: np.ndarray
    internal: np.ndarray  # part of the elastic energy
    warmed: Optional[heating.Heating] = None

    @property
    def gap(self):
        """Largest |work - heat - elastic energy|."""
        return float(np.abs(self.work - self.heat - self.elastic).max())

    @property
    def plastic_work(self):
        """Heat, and what the internal stress stores."""
        return self.heat + self.internal

    @property
    def heat_share(self):
        """Heat over plastic work so far (the integral Taylor-Quinney coefficient); NaN before there is any."""
        share = np.full(len(self.heat), math.nan)
        some = self.plastic_work > 1e-3 * max(self.work.max(), 1e-300)
        share[some] = self.heat[some] / self.plastic_work[some]
        return share

    @property
    def against_strain(self):
        """Whether strain, not time, is what the run goes along with."""
        return bool(np.ptp(self.strain[len(self.strain) // 2 :]) > MOVES)

    @property
    def turns(self):
        """Whether the strain goes back: as in cycles, and when a load is taken off."""
        return bool(-np.minimum(0, np.diff(self.strain)).sum() > TURNS)

    @property
    def path(self):
        """The strain; where it turns the sum of its steps, so that a curve never comes back over itself."""
        return np.concatenate([[0.0], np.cumsum(np.abs(np.diff(self.strain)))]) if self.turns else self.strain


def analyse(result, constants=heating.Constants()):
    history = result.history
    if "work_MJ_per_m3" not in history or history.sizes["row"] < 2:
        raise StzPostError(f"{result.path}: no balance of energy in the history")

    def column(name):
        return history[name].values

    elastic, internal = column("elastic_energy_MJ_per_m3"), column("internal_energy_MJ_per_m3")
    before = elastic[0] - (column("work_MJ_per_m3")[0] - column("heat_MJ_per_m3")[0])  # a stress set at once is work
    return Energy(
        strain=column("strain_axial"),
        time_s=column("time_s"),
        work=column("work_MJ_per_m3"),
        heat=column("heat_MJ_per_m3"),
        elastic=elastic - before,
        internal=internal - internal[0],
        warmed=heating.of_result(result, constants),
    )


def quantities(found):
    return [
        Quantity("work", float(found.work[-1]), "MJ/m³"),
        Quantity("heat", float(found.heat[-1]), "MJ/m³"),
        Quantity("elastic energy", float(found.elastic[-1]), "MJ/m³"),
        Quantity("of it, internal stress", float(found.internal[-1]), "MJ/m³"),
        Quantity("heat over plastic work", float(found.heat_share[-1])),
        Quantity("largest gap of the balance", found.gap, "MJ/m³"),
        *(heating.quantities(found.warmed) if found.warmed else []),
    ]


def notes(found):
    return heating.notes(found.warmed) if found.warmed else []
