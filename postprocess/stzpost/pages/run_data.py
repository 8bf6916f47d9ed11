# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page shows of a run, as plain values for JSON: rounded, and thinned to what a screen can tell apart."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..analysis.growth import growth
from ..io.dataset import open_run
from ..io.result import Result
from ..units import TIME_TICKS, time_unit
from . import space
from ..analysis.registry import Analysed, analyse

MOST_ROWS = 2000  # of a curve
MOST_EVENTS = 1200  # of the scene: more would hide each other
MOST_CELLS = 24  # of the surfaces, an axis
LOGARITHMIC = 30  # events whose times span more are coloured by the logarithm
FRAMES = 25  # of the strain map


def collect(result: Result) -> tuple[dict[str, Any], Analysed]:
    """The values of a page, and the analyses that its tables show."""
    done = analyse(result)
    run = open_run(result.path)
    values = {
        "ticks": TIME_TICKS,
        "curves": _curves(result),
        "fit": _fit(done),
        "bragg": _bragg(done),
        "scene": _scene(run),
        "map": _strain_map(result, run),
        "scans": _scans(result),
    }
    return {name: value for name, value in values.items() if value}, done


def _curves(result: Result) -> list[dict]:
    """Each segment's time from its clock's zero (s), strain (%), stress (GPa) and plastic rate (1/s)."""
    curves = []
    for segment in result.segments:
        rows = result.rows(segment)
        if not rows.sizes["row"]:
            continue
        kept = evenly(rows.sizes["row"], MOST_ROWS)
        rows = rows.isel(row=kept)
        curves.append(
            {
                "name": f"{segment.index + 1}: {segment.type}",
                "time": numbers(result.times(segment)[kept]),
                "strain": numbers(100 * rows["strain_axial"].values),
                "stress": numbers(rows["stress_axial_GPa"].values),
                "rate": numbers(rows["plastic_rate_per_s"].values),
            }
        )
    return curves


def _fit(done: Analysed) -> dict:
    found = done.found.get("relaxation")
    if found is None:
        return {}
    keep = found.time_s > 0
    time = np.geomspace(found.time_s[keep][0], found.window[1], 120)
    label = "fit refused" if found.fit.refused else f"σ₀ − s ln(1 + t/t₀), R² = {found.fit.r2:.4f}"
    marks = {name: at for name, (at, _) in found.marks.items()}
    return {"time": numbers(time), "stress": numbers(found.model(time)), "label": label, "marks": marks}


def _bragg(done: Analysed) -> dict:
    levels = done.found.get("nbed", [])
    columns = {name: numbers([getattr(one, name) for one in levels]) for name in ("fraction", "error", "expected")}
    return {"strain": numbers([100 * one.strain for one in levels]), **columns} if levels else {}


def _scene(run) -> dict:
    """Surfaces of the composition in coarse cells, places and times of events, and the still picture."""
    if "field_composition" not in run:
        return {}
    field = run["field_composition"].values.astype(float)
    spacing = float(run.attrs["spacing_nm"])
    mean, deviation = float(field.mean()), float(field.std())
    coarse, box = _coarse(field), spacing * np.array(field.shape)
    meshes = space.surfaces(coarse, box / coarse.shape, mean, deviation)
    if not meshes and not run.sizes.get("event", 0):
        return {}
    made: dict[str, Any] = {"mean": round(mean, 4), "note": space.NO_MESHER if meshes is None else ""}
    meshes = meshes or []
    levels = [abs(one.level - mean - space.FIRST * deviation) for one in meshes]
    made["first"] = int(np.argmin(levels)) if levels else 0
    made["unit_nm"] = float(box.max() / space.STEPS)
    made["surfaces"] = space.packed(meshes, made["unit_nm"])
    places, times = np.empty((0, 3)), np.empty(0)
    if run.sizes.get("event", 0):
        keep = evenly(run.sizes["event"], MOST_EVENTS)
        places, times = spacing * (run["event_site"].values[keep] + 0.5), run["event_time_s"].values[keep]
        made["events"] = {name: numbers(places[:, i], 4) for i, name in enumerate("xyz")} | {"time": numbers(times)}
    shown = ["surface of the Ni fraction"] if meshes else []
    shown += [f"{len(places)} of {run.sizes['event']} events"] if len(places) else []
    made["title"] = " and ".join(shown).capitalize().replace(" ni ", " Ni ")
    unit, length = time_unit(times[-1] if len(times) else 0.0)
    logarithmic = bool(len(times) and times[-1] > LOGARITHMIC * times[0] > 0)
    made["clock"] = {"unit": unit, "length": length, "logarithmic": logarithmic}
    first = meshes[made["first"]] if meshes else None
    made["still"] = space.still(box, first, places, times, logarithmic)
    return made


def _coarse(field: np.ndarray) -> np.ndarray:
    """Means over equal blocks, at most MOST_CELLS an axis; a block may share a cell with its neighbour."""
    for axis, size in enumerate(field.shape):
        if size > MOST_CELLS:
            total = np.insert(np.cumsum(field, axis), 0, 0, axis)  # up to the edge of each cell
            at = np.linspace(0, size, MOST_CELLS + 1)
            below = np.minimum(at.astype(int), size - 1)
            part = (at - below).reshape([-1 if one == axis else 1 for one in range(field.ndim)])
            edges = (1 - part) * total.take(below, axis) + part * total.take(below + 1, axis)
            field = np.diff(edges, axis=axis) * MOST_CELLS / size
    return field


def _strain_map(result: Result, run) -> dict:
    frames = growth(result, run, FRAMES)
    if not frames:
        return {}
    values = np.stack([one.percent for one in frames])
    return {
        "frames": [[numbers(row, 3) for row in one.T] for one in values],
        "labels": [one.label for one in frames],
        "x": numbers(run["x"].values),
        "z": numbers(run["z"].values),
        "limits": numbers([values.min(), values.max()], 3),
    }


def _scans(result: Result) -> list[dict]:
    scans = []
    for level in result.levels:
        for number, (bragg, density) in enumerate(zip(level.data["bragg"], level.data["density"])):
            name = f"{100 * level.strain:g} %, scan {number + 1}"
            rows = {"bragg": [row.tolist() for row in bragg.T], "density": [numbers(row, 4) for row in density.T]}
            scans.append({"name": name, "step": float(level.attrs["probe_nm"]), **rows})
    return scans


def numbers(values, digits: int = 5) -> list:
    """Values of so many significant digits; null for what is no number."""
    return [float(f"{one:.{digits}g}") if math.isfinite(one) else None for one in np.asarray(values, float).tolist()]


def evenly(count: int, most: int) -> np.ndarray:
    """Indices of at most so many of `count` things, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, most).round().astype(int))
