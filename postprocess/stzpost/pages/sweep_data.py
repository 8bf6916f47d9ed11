# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page shows of a sweep: the runs with their places on the axes and their numbers, and their curves."""
from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from ..errors import StzPostError
from ..analysis.flow import FLOW_PROPERTIES, flow_properties
from ..plots.sweeps import axes_of, label
from ..units import time_unit
from .run_data import evenly, numbers

MOST_CURVES = 60  # of runs; more would be one colour
MOST_ROWS = 200  # of a curve
NOT_SHOWN = ("run", "attempts", "rows", "seed")


def collect_sweep(sweep: xr.Dataset) -> dict[str, Any]:
    """Columns of runs: `axes` and `quantities` (name, label, a value a run), states, files, and curves of some."""
    state = sweep["state"]
    done = (state == "done").values.ravel()
    if not done.any():
        raise StzPostError(f"{sweep.attrs['source']}: no run is done yet")
    quantities = {}
    properties = flow_properties(sweep)
    for name in (*FLOW_PROPERTIES, *sweep.data_vars):
        found = properties[name] if name in FLOW_PROPERTIES else sweep[name]
        if found.dims != state.dims or found.dtype.kind not in "if" or name in NOT_SHOWN:
            continue
        values = np.where(done, found.values.ravel().astype(float), np.nan)
        if np.isfinite(values).any():
            quantities[name] = _column(name, found, values)
    axes = {}
    for name in axes_of(sweep):
        values = sweep[name].broadcast_like(state).transpose(*state.dims).values.ravel()
        axes[name] = {"label": label(name, sweep[name]), "values": values.tolist()}
    return {
        "axes": axes,
        "quantities": quantities,
        "state": state.values.ravel().tolist(),
        "file": sweep["file"].values.ravel().tolist(),
        "curves": _curves(sweep, np.flatnonzero(done)),
    }


def _column(name: str, found: xr.DataArray, values: np.ndarray) -> dict[str, Any]:
    """A number a run with its label; times in the unit that the longest has for a reader."""
    text = label(name, found)
    if text.endswith(" (s)"):
        unit, length = time_unit(np.nanmax(values))
        text, values = f"{text[:-4]} ({unit})", values / length
    return {"label": text, "values": numbers(values)}


def _curves(sweep: xr.Dataset, done: np.ndarray) -> list[dict]:
    """Strain (%) and stress (GPa) of runs that are done, evenly chosen among them."""
    if not {"strain_axial", "stress_axial_GPa"} <= set(sweep.data_vars):
        return []
    shape = sweep["state"].shape
    chosen = done[evenly(len(done), MOST_CURVES)]
    curves = []
    for run in chosen:
        place = dict(zip(sweep["state"].dims, (int(i) for i in np.unravel_index(run, shape))))
        strain, stress = (sweep[name].isel(place).values for name in ("strain_axial", "stress_axial_GPa"))
        keep = np.flatnonzero(np.isfinite(strain) & np.isfinite(stress))
        keep = keep[evenly(len(keep), MOST_ROWS)] if len(keep) else keep
        curves.append({"run": int(run), "strain": numbers(100 * strain[keep]), "stress": numbers(stress[keep])})
    return curves
