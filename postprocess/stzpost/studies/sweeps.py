# SPDX-License-Identifier: GPL-3.0-or-later
"""What the studies (`experiment`, `bands`, `calibrate`) run: sweeps, each a sweep file (docs/sweeps.md) that
`stzkmc sweep` carries out, and the runs that came of them."""
from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import Any, Union

from ..io.sweep import read_manifest

CONSECUTIVE = "consecutive"  # seeds: run r has the seed r + 1


@dataclass(frozen=True)
class Axis:
    """A key of the input and the values that it goes through; axes with the same `zip` go along together."""

    key: str
    values: tuple
    zip: str = ""

    def text(self) -> str:
        """As a sweep file has it."""
        together = f" zip = {value_text(self.zip)};" if self.zip else ""
        return f"{{ key = {value_text(self.key)}; values = {_list(self.values)};{together} }}"


@dataclass(frozen=True)
class Sweep:
    """Runs of one input, written as NAME.cfg, with their results in the folder NAME."""

    name: str
    input: str  # a file in inputs/
    settings: tuple = ()  # "path=value", of all runs
    axes: tuple = ()
    seeds: Union[tuple, str] = (1,)  # at every point; or CONSECUTIVE, with one run a point
    series: str = ""  # what the analysis calls it; several sweeps may belong to one
    labels: dict = field(default_factory=dict, hash=False)  # for the analysis, beside the values of the axes

    @property
    def runs(self) -> int:
        """How many."""
        points = {axis.zip or axis.key: len(axis.values) for axis in self.axes}
        return math.prod(points.values()) * (1 if self.seeds == CONSECUTIVE else len(self.seeds))

    def text(self, input: str) -> str:
        """The sweep file, with the path of the base input from its folder."""
        lines = [
            f"# Written by stz-post. By itself: stzkmc sweep {self.name}.cfg -o {self.name} --resume",
            "",
            f"input = {value_text(input)};",
        ]
        if self.settings:
            lines += ["set = [", ",\n".join(f"  {value_text(one)}" for one in self.settings), "];"]
        if self.axes:
            lines += ["axes = (", ",\n".join(f"  {axis.text()}" for axis in self.axes), ");"]
        lines.append(f"seeds = {value_text(self.seeds) if self.seeds == CONSECUTIVE else _list(self.seeds)};")
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Run:
    """A run that is done. `values`: of the axes, by their names, and the labels of its sweep."""

    sweep: str
    series: str
    number: int  # within the sweep, as in its manifest
    seed: int
    values: dict
    path: str


def finished(sweep: Sweep, directory: str) -> list[Run]:
    """The runs of a sweep that are done, by number; `directory` is the study's."""
    folder = os.path.join(directory, sweep.name)
    _, runs = read_manifest(folder)
    return [
        Run(sweep.name, sweep.series or sweep.name, number, run["seed"], sweep.labels | run["parameters"],
            os.path.join(folder, run["file"]))
        for number, run in sorted(runs.items())
        if run["state"] == "done"
    ]


def _list(values) -> str:
    return "[" + ", ".join(map(value_text, values)) + "]"


def value_text(value: Any) -> str:
    """In the syntax of inputs; a number is read back with the same bits."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "tolist"):  # numpy's
        return value_text(value.tolist())
    if isinstance(value, (list, tuple)):
        return _list(value)
    if isinstance(value, int) and not -(2**31) <= value < 2**31:
        return f"{value}L"
    return repr(value)
