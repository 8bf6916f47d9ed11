# SPDX-License-Identifier: GPL-3.0-or-later
"""The plastic strain as it grew: maps at times that have equally many events between them."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..io.result import Result
from ..units import time_text
from .fields import smear


@dataclass
class Frame:
    """The axial plastic strain at a time, averaged through the sample along y and over the STZ's shape."""

    time_s: float
    strain: float  # axial, of the sample
    percent: np.ndarray  # [x][z]
    events: slice  # of the table of events: since the frame before

    @property
    def label(self) -> str:
        return f"{time_text(self.time_s)}, {100 * self.strain:.2f} % strain"


def growth(result: Result, run, count: int) -> list[Frame]:
    """Up to `count` frames from the table of events, else one a snapshot, else the end alone; none without fields.
    `run` is what `open_run` gives of the result."""
    if "field_composition" not in run:
        return []
    if run.sizes.get("event", 0):
        found = _from_events(run, count)
    elif "snapshot_plastic_strain_axial" in run:
        found = [_snapshot(run, index) for index in range(run.sizes["snapshot"])]
    elif "field_plastic_strain_axial" in run:
        mean = run["field_plastic_strain_axial"].mean("y").values
        found = [(float(run["time"][-1]), float(run["strain_axial"][-1]), mean, slice(0, 0))]
    else:
        return []
    spacing, volume = float(result.setting("spacing_nm")), float(result.setting("volume_nm3"))
    return [
        Frame(time, strain, 100 * smear(mean[:, None, :].astype(float), spacing, volume, result.film)[:, 0, :], events)
        for time, strain, mean, events in found
    ]


def _from_events(run, count: int) -> list[tuple]:
    cells = (run.sizes["x"], run.sizes["z"])
    sites, time = run["event_site"].values, run["event_time_s"].values
    share = run["event_plastic_strain_axial"].values.astype(float) * cells[0] * cells[1]
    ends = np.unique(np.linspace(0, len(time), count).round().astype(int))
    total, found, begin = np.zeros(cells), [], 0
    for end in ends:
        part = slice(begin, end)
        np.add.at(total, (sites[part, 0], sites[part, 2]), share[part])
        at = float(time[end - 1]) if end else 0.0
        strain = float(np.interp(at, run["time"].values, run["strain_axial"].values))
        found.append((at, strain, total.copy(), part))
        begin = end
    return found


def _snapshot(run, index: int) -> tuple:
    mean = run["snapshot_plastic_strain_axial"].isel(snapshot=index).mean("y").values
    numbers = [float(run[f"snapshot_mean_{name}"][index]) for name in ("time_s", "strain_axial")]
    return (*numbers, mean, slice(0, 0))
