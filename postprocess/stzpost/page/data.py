# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page shows of a run, as plain values for JSON: rounded, and thinned to what a screen can tell apart."""
from __future__ import annotations

import math
from typing import Any

import numpy as np


from ..dataset import open_run
from ..growth import growth
from ..report import Analysed, analyse
from ..result import Result

MOST_ROWS = 2000  # of a curve
MOST_EVENTS = 1200  # of the scene: more would hide each other
MOST_CELLS = 32  # of the scene, an axis
FRAMES = 25  # of the strain map


def collect(result: Result) -> tuple[dict[str, Any], Analysed]:
    """The values of a page, and the analyses that its tables show."""
    done = analyse(result)
    run = open_run(result.path)
    values = {
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
        keep = np.unique(np.linspace(0, rows.sizes["row"] - 1, MOST_ROWS).round().astype(int))
        rows = rows.isel(row=keep)
        curves.append(
            {
                "name": f"{segment.index + 1}: {segment.type}",
                "time": numbers(result.times(segment)[keep]),
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
    """The composition in coarse cells, and places and times of events."""
    if "field_composition" not in run:
        return {}
    field = run["field_composition"].values.astype(float)
    step = [max(1, math.ceil(n / MOST_CELLS)) for n in field.shape]
    step = [next(k for k in range(one, n + 1) if n % k == 0) for one, n in zip(step, field.shape)]
    shape = [m for n, k in zip(field.shape, step) for m in (n // k, k)]
    coarse = field.reshape(shape).mean(axis=(1, 3, 5))
    spacing = float(run.attrs["spacing_nm"])
    axes = [numbers(spacing * k * (np.arange(m) + 0.5)) for k, m in zip(step, coarse.shape)]
    made = {"axes": axes, "composition": numbers(coarse.ravel(), 3), "mean": round(float(field.mean()), 4)}
    made["level"] = round(float(field.mean() + 0.5 * field.std()), 4)
    if run.sizes.get("event", 0):
        keep = np.unique(np.linspace(0, run.sizes["event"] - 1, MOST_EVENTS).round().astype(int))
        sites = spacing * (run["event_site"].values[keep] + 0.5)
        made["events"] = {name: numbers(sites[:, i]) for i, name in enumerate("xyz")}
        made["events"] |= {"time": numbers(run["event_time_s"].values[keep]), "of": run.sizes["event"]}
    return made


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


