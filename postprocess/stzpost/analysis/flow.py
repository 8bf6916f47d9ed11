# SPDX-License-Identifier: GPL-3.0-or-later
"""Yield and flow of every run of a sweep."""
import warnings

import numpy as np
import xarray as xr

from . import tension

FLOW_PROPERTIES = {
    "yield_stress_GPa": ("GPa", "upper yield stress"),
    "yield_strain": ("1", "strain at upper yield"),
    "flow_stress_GPa": ("GPa", "mean stress from 8 to 12 % strain"),
    "overshoot": ("1", "upper yield over flow stress"),
    "localisation": ("1", "localisation at the end"),
}


def flow_properties(dataset):
    """What `stz-post stress-strain` says of the segment of each run that reaches the largest strain; NaN for what is
    not done or not reached. A warning says how many runs have no flow stress, and why."""
    shape = dataset["state"].shape
    values = {name: np.full(shape, np.nan) for name in FLOW_PROPERTIES}
    largest, short = 0.0, 0
    columns = [dataset[name].variable for name in ("segment", "strain_axial", "stress_axial_GPa", "localisation")]
    done = dataset["state"].values == "done"
    for cell in np.ndindex(shape):
        if done[cell]:
            rows = np.array([column[cell].values for column in columns])
            rows = rows[:, np.isfinite(rows[:3]).all(axis=0)]  # before the first event there is no localisation
            if rows.size:
                for name, value in _flow(*rows).items():
                    values[name][cell] = value
                if not np.isfinite(values["flow_stress_GPa"][cell]):
                    largest, short = max(largest, float(rows[1].max())), short + 1
    if short:
        warnings.warn(
            f"flow stress: {short} of {int(done.sum())} runs have none, the mean from "
            f"{tension.FLOW[0]:.0%} to {tension.FLOW[1]:.0%} strain: they reach at most {100 * largest:.3g} %",
            stacklevel=2,
        )
    coords = {name: c for name, c in dataset.coords.items() if "component" not in c.dims}
    return xr.Dataset(
        {
            name: (dataset["state"].dims, values[name], {"units": unit, "description": text})
            for name, (unit, text) in FLOW_PROPERTIES.items()
        },
        coords=coords,
        attrs=dataset.attrs,
    )


def _flow(segment, strain, stress, localisation):
    keep = segment == segment[np.argmax(strain)]
    strain, stress = strain[keep], stress[keep]
    before = np.flatnonzero(strain <= max(tension.FLOW[0], strain[0]))
    top = int(before[np.argmax(stress[before])])
    flow = tension.flow_stress(strain, stress)[0]
    return {
        "yield_stress_GPa": stress[top],
        "yield_strain": strain[top],
        "flow_stress_GPa": flow,
        "overshoot": stress[top] / flow,
        "localisation": localisation[keep][-1],
    }
