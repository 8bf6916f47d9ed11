# SPDX-License-Identifier: GPL-3.0-or-later
"""Nanobeam diffraction as a detector would count it, on the scans of the result.

Each pattern's Bragg signal is a number of counts, Poisson with the mean `background` + `signal` where the pattern has
Bragg reflections; it counts as one with reflections from `threshold` counts on, the number nearest to the geometric
mean of the two means. The rates of false alarms and of misses that follow are in the label. Beside it the density
image, as a high-angle detector would give it: Poisson counts of mean `density_counts` at the mean composition, in
proportion to sum x Z^1.7.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import poisson

from ..errors import StzPostError
from ..io.formats import Axis, counted, write_csv, write_emd, write_hdf5, write_hspy
from .specimen import Field, Specimen, setting


@dataclass(frozen=True)
class Settings:
    background: float = setting(25.0, "counts", "mean of a pattern without Bragg reflections", 0.0, 1e9)
    signal: float = setting(30.0, "counts", "what Bragg reflections add to that mean", 0.0, 1e9)
    density_counts: float = setting(5000.0, "counts", "mean of a pixel of the density image", 1e-3, 1e9)


Z_POWER = 1.7  # between Rutherford's 2 and a screened atom's 1.5
NICKEL, ZIRCONIUM = 28**Z_POWER, 40**Z_POWER

FIELDS = {
    "signal.hspy, signal.emd": [Field("data", "counts", "Bragg signal [level][scan][v][u]")],
    "density.hspy, density.emd": [Field("data", "counts", "density image [level][scan][v][u]")],
    "counts.csv": [
        Field("level", "1", "number of the level, from 0"),
        Field("strain", "1", "axial strain of the level"),
        Field("scan", "1", "number of the scan"),
        Field("found", "1", "patterns at or above the threshold"),
        Field("patterns", "1", "patterns of the scan"),
    ],
    "truth.h5": [
        Field("bragg", "1", "1 where the pattern has Bragg reflections [level][scan][v][u]"),
        Field("probability", "1", "the same, expected from the local events"),
        Field("nickel", "1", "Ni fraction through the foil"),
        Field("mask", "1", "1 where that is above 50 % grey"),
        Field("expected_signal", "counts", "mean of the Bragg signal"),
        Field("expected_density", "counts", "mean of the density image"),
    ],
}


def scattering(nickel):
    """Relative high-angle scattering of a column with a Ni fraction."""
    return nickel * NICKEL + (1 - nickel) * ZIRCONIUM


def threshold(settings: Settings) -> int:
    """Counts from which a pattern is taken to have Bragg reflections."""
    return round(math.sqrt(settings.background * (settings.background + settings.signal)))


def error_rates(settings: Settings) -> tuple[float, float]:
    """Rates of false alarms and of misses."""
    edge = threshold(settings) - 1
    alarm = float(poisson.sf(edge, settings.background))
    return alarm, float(poisson.cdf(edge, settings.background + settings.signal))


def make(specimen: Specimen, settings: Settings) -> dict[str, Any]:
    levels = specimen.result.levels
    if not levels:
        raise StzPostError(f"{specimen.result.path}: no NBED levels (output.nbed_strains)")
    truth = {name: _turned(np.stack([one.data[name] for one in levels])) for name in ("bragg", "probability", "mask")}
    truth["nickel"] = _turned(np.stack([one.data["density"] for one in levels]))
    rng = specimen.rng("nbed")
    expected = settings.background + settings.signal * truth["bragg"]
    columns = scattering(truth["nickel"])
    bright = settings.density_counts * columns / columns.mean()
    signal, density = counted(rng.poisson(expected)), rng.poisson(bright).astype(np.uint32)
    alarm, miss = error_rates(settings)
    notes = {"threshold": threshold(settings), "state_hash": specimen.result.attrs.get("state_hash", "")}
    axes = _axes(specimen, levels)
    for name, data in (("signal", signal), ("density", density)):
        write_hspy(specimen.path(f"{name}.hspy"), name, data, axes, notes)
        write_emd(specimen.path(f"{name}.emd"), name, data, axes, notes)
    found = signal >= threshold(settings)
    level, scan = np.indices(found.shape[:2])
    strains = np.array([one.strain for one in levels])
    table = {"level": level, "strain": strains[level], "scan": scan, "found": found.sum((2, 3))}
    table["patterns"] = np.full(level.shape, found[0, 0].size)
    write_csv(specimen.path("counts.csv"), {name: values.ravel() for name, values in table.items()})
    truth |= {"expected_signal": expected, "expected_density": bright}
    units = {"expected_signal": "counts", "expected_density": "counts"}
    write_hdf5(specimen.path("truth.h5"), {"": {name: (v, units.get(name, "1")) for name, v in truth.items()}})
    return {
        "strains": strains.tolist(),
        "truth": {"bragg_fraction": truth["bragg"].mean((1, 2, 3)).tolist()},
        "threshold": threshold(settings),
        "false_alarms": alarm,
        "misses": miss,
    }


def _turned(values: np.ndarray) -> np.ndarray:
    """[...][u][v] of the result as images, [...][v][u]."""
    return np.swapaxes(values, -1, -2)


def _axes(specimen: Specimen, levels) -> list[Axis]:
    step = float(levels[0].attrs["probe_nm"])
    first, second = beam_axes(str(specimen.settings.get("nbed.beam", "z")))
    stack = [Axis("level", "", 1.0, navigate=True), Axis("scan", "", 1.0, navigate=True)]
    return stack + [Axis(second, "nm", step), Axis(first, "nm", step)]


def beam_axes(beam: str) -> tuple[str, str]:
    """The two axes that follow the beam in cyclic order."""
    return {"x": ("y", "z"), "y": ("z", "x"), "z": ("x", "y")}[beam]
