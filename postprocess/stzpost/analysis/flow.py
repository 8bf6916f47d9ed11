# SPDX-License-Identifier: GPL-3.0-or-later
"""Yield and flow of every run of a sweep."""
import warnings

import numpy as np
import xarray as xr

from ..io.sweep import segments_of_type
from . import tension

FLOW_PROPERTIES = {
    "yield_stress_GPa": ("GPa", "upper yield stress"),
    "yield_strain": ("1", "strain at upper yield"),
    "flow_stress_GPa": ("GPa", "mean stress from 8 to 12 % strain"),
    "overshoot": ("1", "upper yield over flow stress"),
    "localisation": ("1", "localisation at the end"),
}
OF_FLOW = ("flow_stress_GPa", "overshoot")  # those that need the flow stress


def flow_properties(dataset, names=tuple(FLOW_PROPERTIES)):
    """What `stz-post stress-strain` says of each run: of its segment of type strain-rate that reaches the largest strain.
    NaN for what is not done, has no such segment or does not reach the strain; warnings say how many, and why."""
    done = dataset["state"].values == "done"
    values = {name: np.full(done.shape, np.nan) for name in names}
    reached = _fill(values, dataset, done)
    short = [strain for strain in reached if strain is not None]
    if len(reached) > len(short):
        warnings.warn(f"{len(reached) - len(short)} of {int(done.sum())} runs have no segment of type {tension.TYPE}, and no "
                      "yield nor flow stress", stacklevel=2)
    if short and set(OF_FLOW) & set(names):
        warnings.warn(
            f"flow stress: {len(short)} of {int(done.sum())} runs have none, the mean from "
            f"{tension.FLOW[0]:.0%} to {tension.FLOW[1]:.0%} strain: they reach at most {100 * max(short):.3g} %",
            stacklevel=2,
        )
    coords = {name: c for name, c in dataset.coords.items() if "component" not in c.dims}
    return xr.Dataset(
        {
            name: (dataset["state"].dims, values[name], dict(zip(("units", "description"), FLOW_PROPERTIES[name])))
            for name in names
        },
        coords=coords,
        attrs=dataset.attrs,
    )


def _fill(values, dataset, done):
    """Fills in the values of all runs that are done; the largest strain of each run without a flow stress, None of one
    without a segment for it."""
    pulled = segments_of_type(dataset, tension.TYPE)
    if pulled is None:
        warnings.warn("no yield nor flow stress: the sweep does not say the types of segments, as files that older versions of "
                      "stz-post collect made; make it again", stacklevel=3)
        return []
    reached = []
    columns = [dataset[name].variable for name in ("segment", "strain_axial", "stress_axial_GPa", "localisation")]
    for cell in zip(*np.nonzero(done)):
        rows = np.array([column[cell].values for column in columns])
        rows = rows[:, np.isfinite(rows[:3]).all(axis=0)]  # before the first event there is no localisation
        if not rows.size:  # cannot be read: a warning has said so
            continue
        strain = {number: rows[1, rows[0] == number] for number in pulled[cell]}
        chosen = tension.farthest(strain)
        if chosen is None:
            reached.append(None)
            continue
        found = _flow(*rows[1:, rows[0] == chosen])
        for name in values:
            values[name][cell] = found[name]
        if not np.isfinite(found["flow_stress_GPa"]):
            reached.append(float(strain[chosen].max()))
    return reached


def _flow(strain, stress, localisation):
    top = tension.upper_yield(strain, stress)
    flow = tension.flow_stress(strain, stress)[0]
    return {
        "yield_stress_GPa": stress[top],
        "yield_strain": strain[top],
        "flow_stress_GPa": flow,
        "overshoot": stress[top] / flow,
        "localisation": localisation[-1],
    }
