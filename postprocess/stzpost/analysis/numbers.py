# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of single runs, by which the points of a sweep are compared: flow, relaxation, diffraction, where it flows."""
import math
import os

import numpy as np
import xarray as xr

from ..errors import NoData, StzPostError
from ..io.result import open_result
from . import depth, nbed, order, relaxation, tension

STRAINS = (0.0, 0.05, 0.08, 0.12)  # levels of diffraction that have a number each
LAST = STRAINS[-1]
SURFACE_NM = 1.2  # two voxels of the film's model


def flow(result):
    """Of tension."""
    found = tension.analyse(result)
    return {
        "flow_stress_GPa": found.flow_GPa,
        "yield_stress_GPa": found.peak[1],
        "hardening_GPa": found.hardening_GPa,
        "localisation": float(found.localisation[-1]),
    }


def relaxed(result):
    """Of the longest relaxation, from ln(rate) against stress. However straight the line of one small sample is: to leave
    out those that scatter most would shift the mean of the replicas."""
    found = relaxation.analyse(result, min_r2=0)
    if found.rate_fit.refused:
        return {}
    volume, _ = found.volumes(found.rate_fit)["1"]
    return {"activation_volume_A3": volume, "rate_sensitivity": found.sensitivity(found.rate_fit)[0]}


def diffraction(result):
    """Of the scans."""
    levels = {strain: nbed.nearest(result.levels, strain) for strain in STRAINS} if result.levels else {}
    found = {f"bragg_{100 * s:.0f}": float(one.attrs["bragg_expected"]) for s, one in levels.items() if one}
    if levels.get(LAST):
        last = nbed.level_statistics(levels[LAST])
        found["bright_minus_dark"] = last.domain_difference
        found["scan_scatter"] = last.scatter / order.random_scatter(last.fraction, order.optics(result))
    return found


def phases(result):
    """Of the events up to LAST, by phase."""
    found = depth.phases(result, LAST)
    return {f"{what}_{name}": value for name, one in found.items() for what, value in vars(one).items()}


def surface(result):
    """Of the layers within SURFACE_NM of the surfaces of a film: events of the whole run, order after those up to LAST."""
    if not result.film:
        return {}
    found = depth.layers(result, until_strain=LAST)
    near = found.spacing_nm * (np.arange(len(found.order)) + 0.5) < SURFACE_NM
    near |= near[::-1]
    return {"activity_surface": found.activity[near].mean(), "order_surface": found.order[near].mean()}


PARTS = (flow, relaxed, diffraction, phases, surface)
NUMBERS = {  # unit, description
    "flow_stress_GPa": ("GPa", "mean stress from 8 to 12 % strain"),
    "yield_stress_GPa": ("GPa", "upper yield stress"),
    "hardening_GPa": ("GPa", "slope of true stress over strain from 8 % on"),
    "localisation": ("1", "localisation at the end of tension"),
    "activation_volume_A3": ("Å³", "activation volume of the relaxation, M = 1"),
    "rate_sensitivity": ("1", "rate sensitivity m of the relaxation"),
    **{f"bragg_{100 * s:.0f}": ("1", f"expected fraction of Bragg patterns at {100 * s:.0f} % strain") for s in STRAINS},
    "bright_minus_dark": ("1", "Bragg fraction of bright domains less that of dark ones, 12 % strain"),
    "scan_scatter": ("1", "scatter of scans at 12 % strain over that of clusters at random places"),
    **{f"activity_{name}": ("1", f"events over those of even flow, {where}") for name, where in depth.PHASES.items()},
    **{f"order_{name}": ("1", f"remaining order at 12 % strain, {where}") for name, where in depth.PHASES.items()},
    **{f"bragg_{name}": ("1", f"expected Bragg fraction at 12 % strain, probe {where}") for name, where in depth.PHASES.items()},
    "activity_surface": ("1", f"events over those of even flow, within {SURFACE_NM:g} nm of the surfaces"),
    "order_surface": ("1", f"remaining order at 12 % strain, within {SURFACE_NM:g} nm of the surfaces"),
}


def numbers(dataset):
    """NUMBERS of every run of a sweep, a Dataset of `open_sweep` of a directory; NaN where a run is not done or has no
    data. A result that cannot be read is an error."""
    values = {name: np.full(dataset["state"].shape, math.nan) for name in NUMBERS}
    for cell, path in done(dataset):
        result = open_result(path)
        for part in PARTS:
            try:
                for name, value in part(result).items():
                    values[name][cell] = value
            except NoData:
                continue
    return xr.Dataset(
        {name: (dataset["state"].dims, values[name], {"units": unit, "description": text})
         for name, (unit, text) in NUMBERS.items()},
        coords={name: c for name, c in dataset.coords.items() if "component" not in c.dims},
        attrs=dataset.attrs,
    )


def done(dataset):
    """(cell, path) of the runs of a sweep's directory that are done."""
    top = dataset.attrs["source"]
    if not os.path.isdir(top):
        raise StzPostError(f"{top}: needs the directory of a sweep, with the results of its runs")
    for cell in np.ndindex(dataset["state"].shape):
        if str(dataset["state"].values[cell]) == "done":
            yield cell, os.path.join(top, str(dataset["file"].values[cell]))
