# SPDX-License-Identifier: GPL-3.0-or-later
"""A sweep as a design: where each finished run lies in the box of its parameters, and what it says of a test.

A parameter is an axis with numbers that vary. Axes that go along together (`zip`) are one, of the first one's name. An
axis of the protocol (temperature, rate) is no property of the glass but a condition of the test: see studies/fit.py."""
from __future__ import annotations

import math
import os
from dataclasses import dataclass, field

import numpy as np

from ..analysis import relaxation, tension
from ..errors import StzPostError
from ..io.result import open_result
from ..io.sweep import read_manifest
from ..analysis.surface import Parameter

LOG_FROM = 20.0  # ratio of the ends of a range from which it is taken in its logarithm
CONDITIONS = ("protocol[", "run.")  # begins of keys that are no properties of the glass


@dataclass
class Design:
    """Runs of a sweep, a row each."""

    path: str
    parameters: list  # of surface.Parameter, conditions of the test among them
    places: np.ndarray  # run, parameter: in the unit box
    results: list
    said: list = field(default_factory=list)

    def number(self, name):
        """Of a parameter by its name."""
        for i, one in enumerate(self.parameters):
            if one.name == name:
                return i
        known = ", ".join(one.name for one in self.parameters)
        raise StzPostError(f"--at: {name}: the sweep varies no such parameter, only {known}")

    def condition(self, end):
        """Number of the axis of the protocol whose key ends so, None without one."""
        for i, one in enumerate(self.parameters):
            if is_condition(one) and one.key.endswith(end):
                return i
        return None

    def curves(self, kind):
        """[(abscissa, values)] of the runs: ln t and GPa or strain, strain and GPa; None of a run without such."""
        return [_curve(one, kind) for one in self.results]


def is_condition(parameter):
    return parameter.key.startswith(CONDITIONS)


def read(path, at):
    """The design of a sweep's folder. `at`: {axis: value} of names, of which only these runs count."""
    if not os.path.isdir(path):
        raise StzPostError(f"{path}: fit needs the folder of a sweep, as `stzkmc sweep FILE -o {path}` makes it")
    header, runs = read_manifest(path)
    done = [run for _, run in sorted(runs.items()) if run["state"] == "done"]
    said = [] if len(done) == len(runs) else [f"{len(runs) - len(done)} of {len(runs)} runs are not done: left out"]
    for axis in header["axes"]:
        done = _chosen(path, axis["name"], done, at)
    if not done:
        raise StzPostError(f"{path}: no run is done: `stzkmc sweep FILE -o {path} --resume`")
    parameters, columns = _parameters(header["axes"], done, said)
    if not parameters:
        raise StzPostError(f"{path}: no axis of numbers varies: a fit needs runs that differ in a parameter")
    places = np.column_stack([one.place(column) for one, column in zip(parameters, columns)])
    results, kept = [], []
    for number, run in enumerate(done):
        try:
            results.append(open_result(os.path.join(path, run["file"])))
            kept.append(number)
        except StzPostError as error:
            said.append(f"{error}; left out")
    if not kept:
        raise StzPostError(f"{path}: no result can be read")
    return Design(path, parameters, places[kept], results, said)


def _chosen(path, name, runs, at):
    """The runs with the value of an axis of names; such an axis that varies must be said."""
    values = {str(run["parameters"][name]) for run in runs}
    numeric = all(isinstance(run["parameters"][name], (int, float)) for run in runs)
    if numeric or len(values) < 2:
        return runs
    if at.get(name) not in values:
        raise StzPostError(f"{path}: {name} is {', '.join(sorted(values))}: say which by --at {name}=VALUE")
    return [run for run in runs if str(run["parameters"][name]) == at[name]]


def _parameters(axes, runs, said):
    parameters, columns = [], []
    for axis in axes:
        values = [run["parameters"][axis["name"]] for run in runs]
        if not all(isinstance(value, (int, float)) for value in values) or len(set(values)) < 2:
            continue
        values = np.array(values, float)
        low, high = float(values.min()), float(values.max())
        twin = next((one for one, other in zip(parameters, columns) if _together(values, other)), None)
        if twin:
            said.append(f"{axis['name']} goes along with {twin.name}, which stands for both")
            continue
        log = low > 0 and high / low > LOG_FROM
        parameters.append(Parameter(axis["name"], low, high, log, axis["key"], axis["unit"] or "1"))
        columns.append(values)
    return parameters, columns


def _together(a, b):
    """Whether one of two axes says the other: each value has its own, in order. (Sampled points of two axes have each
    value once, but not in order.)"""
    pairs = sorted(set(zip(a, b)))
    steps = np.sign(np.diff([b for _, b in pairs]))
    return len(pairs) == len(set(a)) == len(set(b)) and abs(int(steps.sum())) == len(steps)


def _curve(result, kind):
    """(abscissa, values) of a run, None where its protocol has no such test."""
    try:
        if kind == "tension":
            rows = result.rows(tension.find_segment(result))
            x, y = rows["strain_axial"].values, rows["stress_axial_GPa"].values
            rising = np.concatenate([[True], x[1:] > np.maximum.accumulate(x)[:-1]])
            return x[rising], y[rising]
        segment = relaxation.find_segment(result)
    except StzPostError:
        return None
    time, rows = result.times(segment), result.rows(segment)
    keep = time > 0
    name = "strain_axial" if kind == "displacement" else "stress_axial_GPa"
    x, y = np.log(time[keep]), rows[name].values[keep]
    y = np.expm1(y) if kind == "displacement" else y  # a displacement is no logarithmic strain
    return (x, y) if len(x) > 1 else None


def test_temperature(result, kind):
    """K of the segment that a test of this kind is compared with."""
    segment = tension.find_segment(result) if kind == "tension" else relaxation.find_segment(result)
    return segment.temperature_K if math.isfinite(segment.temperature_K) else math.nan
