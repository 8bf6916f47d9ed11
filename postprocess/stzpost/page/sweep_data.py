# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page shows of a sweep: the runs with their places on the axes and their numbers, and their curves."""
from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from ..errors import StzPostError
from ..sweep import FLOW_PROPERTIES, flow_properties
from ..sweep_figures import axes_of, label
from .data import numbers

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
            quantities[name] = {"label": label(name, found), "values": numbers(values)}
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


def _curves(sweep: xr.Dataset, done: np.ndarray) -> list[dict]:
    """Strain (%) and stress (GPa) of runs that are done, evenly chosen among them."""
    if not {"strain_axial", "stress_axial_GPa"} <= set(sweep.data_vars):
        return []
    shape = sweep["state"].shape
    chosen = done[np.unique(np.linspace(0, len(done) - 1, MOST_CURVES).round().astype(int))]
    curves = []
    for run in chosen:
        place = dict(zip(sweep["state"].dims, (int(i) for i in np.unravel_index(run, shape))))
        strain, stress = (sweep[name].isel(place).values for name in ("strain_axial", "stress_axial_GPa"))
        keep = np.flatnonzero(np.isfinite(strain) & np.isfinite(stress))
        keep = keep[np.unique(np.linspace(0, len(keep) - 1, MOST_ROWS).round().astype(int))] if len(keep) else keep
        curves.append({"run": int(run), "strain": numbers(100 * strain[keep]), "stress": numbers(stress[keep])})
    return curves
