# SPDX-License-Identifier: GPL-3.0-or-later
"""A result as one xarray Dataset: `open_run(path)`, or `xarray.open_dataset(path, engine="stzkmc")`.

The history is read at once; fields, events and snapshots are read when they are looked at, and then only the part asked
for. The file is not kept open, so that a Dataset may outlive a rename, be pickled, or follow a run that goes on.
"""
from __future__ import annotations

import json
import os
from typing import Iterable, Optional, Sequence, Union

import numpy as np
import xarray as xr
from xarray.backends import BackendEntrypoint

from ..errors import StzPostError
from .files import open_file, open_text, reading
from .lazy import Lazy
from .result import FORMAT, Result, dimensions, open_result, plain_attributes

Path = Union[str, "os.PathLike[str]"]
AXES = ("x", "y", "z")


def open_run(path: Path) -> xr.Dataset:
    """The result file `path` (docs/output.md) as a Dataset whose variables have `units` and `description`.

    ========================  =====================================================  ====================
    variables                 what                                                   dimensions
    ========================  =====================================================  ====================
    as in `/history`          means over the sample                                  time (, component)
    `protocol_...`            the segments of the protocol                           protocol
    `field_...`               `/microstructure`, lazy                                x, y, z
    `event_...`               `/events`, lazy; coordinate `event_time_s`             event (, axis)
    `nbed_...`                virtual diffraction                                    level, scan, probe_u, probe_v
    `snapshot_...`            fields at strains, from the files beside, lazy         snapshot, x, y, z
    ========================  =====================================================  ====================

    Lengths are in nm (coordinates x, y, z: centres of voxels), times in s. The Dataset's attributes are those of the
    file, of `/config` and of `/microstructure`, with `input` and `resolved`, the texts. Raises StzPostError for what is
    no result file.
    """
    return xr.open_dataset(os.fspath(path), engine=StzkmcBackend)


class StzkmcBackend(BackendEntrypoint):
    """Reads results of stzkmc for xarray (engine "stzkmc")."""

    description = "results of stzkmc"
    open_dataset_parameters = ("filename_or_obj", "drop_variables")

    def open_dataset(  # type: ignore[override]
        self, filename_or_obj: Path, *, drop_variables: Union[str, Iterable[str], None] = None
    ) -> xr.Dataset:
        result = open_result(filename_or_obj)
        with reading(result.path):
            return self._assemble(result, drop_variables)

    @staticmethod
    def _assemble(result: Result, drop_variables: Union[str, Iterable[str], None]) -> xr.Dataset:
        attrs = {**result.attrs, **result.config, **result.microstructure}
        made = xr.Dataset(attrs={**attrs, "input": result.input_text, "resolved": result.resolved_text})
        made.update(_history(result))
        made.update(_protocol(result))
        made.update(_fields(result))
        made.update(_events(result))
        made.update(_nbed(result))
        made.update(_snapshots(result))
        names = [drop_variables] if isinstance(drop_variables, str) else list(drop_variables or [])
        return made.drop_vars([name for name in names if name in made.variables])


class LazyArray(Lazy):
    """Datasets of HDF5 files, one or several of the same shape, which are then the first dimension.

    `rows` cuts the first dimension of a single file (of a running run, columns may differ in length); `turned` says
    that the file has [z][y][x].
    """

    def __init__(self, paths: Sequence[str], name: str, rows: Optional[int] = None, turned: bool = False) -> None:
        self.paths, self.name, self.turned = list(paths), name, turned
        self.stacked = turned  # snapshots are files of their own, whose fields VTK wants turned
        with open_file(self.paths[0]) as file:
            shape, self.dtype = tuple(file[name].shape), file[name].dtype
        shape = shape[::-1] if turned else shape
        shape = (rows,) + shape[1:] if rows is not None else shape
        self.shape = (len(self.paths),) + shape if self.stacked else shape

    def _read(self, key: tuple) -> np.ndarray:
        if not self.stacked:
            return self._part(self.paths[0], key)
        first, inner = key[0], key[1:]
        if not isinstance(first, slice):
            return self._part(self.paths[first], inner)
        parts = [self._part(path, inner) for path in self.paths[first]]
        return np.stack(parts) if parts else np.empty((0,) + self.shape[1:], self.dtype)

    def _part(self, path: str, key: tuple) -> np.ndarray:
        """h5py takes neither steps backwards nor ends beyond the dataset: read forwards, then turn round."""
        shape = self.shape[1:] if self.stacked else self.shape
        forwards, turn = [], []
        for part, n in zip(key, shape):
            if not isinstance(part, slice):
                forwards.append(part)
                continue
            places = range(*part.indices(n))
            turn.append(slice(None, None, -1 if places.step < 0 else 1))
            places = places[::-1] if places.step < 0 else places
            forwards.append(slice(places.start, max(places.start, places.stop), places.step))
        with open_file(path) as file:
            dataset = file[self.name]
            values = dataset[tuple(forwards[::-1])].T if self.turned else dataset[tuple(forwards)]
        return np.asarray(values)[tuple(turn)]


def snapshot_files(path: Path) -> list[str]:
    """The snapshots of a result, as its list (`.hdf.series`) names them; those that exist."""
    stem = os.path.splitext(os.fspath(path))[0]
    try:
        with open_text(stem + ".hdf.series") as file:
            names = [os.fspath(entry["name"]) for entry in json.load(file)["files"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StzPostError(f"{stem}.hdf.series: not a list of snapshots ({error})") from error
    files = [os.path.join(os.path.dirname(stem), name) for name in names]
    return [file for file in files if os.path.exists(file)]


def _lazy(dims: Sequence[str], array: LazyArray, attrs: dict) -> xr.Variable:
    return xr.Variable(dims, array, attrs)


def _history(result: Result) -> dict:
    renamed = result.history.rename_dims(row="time")
    time = renamed["time_s"]
    made = {name: renamed[name].variable for name in renamed.data_vars if name != "time_s"}
    if "component" in renamed.coords:
        made["component"] = renamed["component"].variable
    return {**made, "time": xr.Variable("time", time.values, time.attrs)}


def _protocol(result: Result) -> dict:
    seconds = ("begin_s", "clock_zero_s", "segment_clock_zero_s", "end_s", "duration_s")
    units = {"temperature_K": "K", **dict.fromkeys(seconds, "s"), "events": "1"}
    segments = result.segments
    made = {"protocol_type": xr.Variable("protocol", [one.type for one in segments])} if segments else {}
    for name, unit in units.items() if segments else ():
        values = [getattr(one, name) for one in segments]
        made[f"protocol_{name}"] = xr.Variable("protocol", values, {"units": unit})
    return made


def _grid(result: Result) -> dict:
    """Coordinates of the voxels' centres."""
    spacing, cells = float(result.setting("spacing_nm")), np.atleast_1d(result.setting("cells"))
    return {
        axis: xr.Variable(axis, spacing * (np.arange(int(n)) + 0.5), {"units": "nm"}) for axis, n in zip(AXES, cells)
    }


def _fields(result: Result) -> dict:
    made = {}
    with open_file(result.path) as file:
        for name in result.field_names:
            node = file["microstructure"][name]
            if node.ndim == 3:
                array = LazyArray([result.path], f"microstructure/{name}")
                made[f"field_{name}"] = _lazy(dimensions(node), array, plain_attributes(node))
    return {**_grid(result), **made} if made else {}


def _events(result: Result) -> dict:
    with open_file(result.path) as file:
        group = file.get("events", {})
        columns = {name: (dimensions(group[name]), plain_attributes(group[name])) for name in group}
        rows = min((len(group[name]) for name in group), default=0)
    made = {}
    for name, (dims, attrs) in columns.items():
        made[f"event_{name}"] = _lazy(dims, LazyArray([result.path], f"events/{name}", rows), attrs)
    return made


def _nbed(result: Result) -> dict:
    if not result.levels:
        return {}
    with open_file(result.path) as file:
        group = next(iter(file["nbed"].values()))
        attrs = {name: plain_attributes(group[name]) for name in group}
        dims = {name: ("level", *dimensions(group[name])) for name in group}
    made = {
        "level": xr.Variable("level", [one.strain for one in result.levels], {"units": "1", "long_name": "strain"}),
        "nbed_bragg_expected": xr.Variable(
            "level", [float(one.attrs.get("bragg_expected", np.nan)) for one in result.levels], {"units": "1"}
        ),
    }
    for name in attrs:
        made[f"nbed_{name}"] = xr.Variable(dims[name], np.stack([one.data[name] for one in result.levels]), attrs[name])
    return made


def _snapshots(result: Result) -> dict:
    paths = snapshot_files(result.path)
    if not paths:
        return {}
    numbers = []
    for path in paths:
        with open_file(path) as file:
            numbers.append(plain_attributes(file))
    with open_file(paths[0]) as file:
        points = file["VTKHDF/PointData"]
        attrs = {name: plain_attributes(points[name]) for name in points}
    units = {"time_s": "s", "stress_axial_GPa": "GPa", "strain_axial": "1", "plastic_strain_axial": "1"}
    made = {
        f"snapshot_mean_{name}": xr.Variable("snapshot", [float(one[name]) for one in numbers], {"units": unit})
        for name, unit in units.items()
    }
    for name, attr in attrs.items():
        made[f"snapshot_{name}"] = _lazy(
            ("snapshot",) + AXES, LazyArray(paths, f"VTKHDF/PointData/{name}", turned=True), attr
        )
    return {**_grid(result), "snapshot": np.arange(len(paths)), **made}


def is_result(path: Path) -> bool:
    """Whether the file is a result of stzkmc (and not a snapshot, a checkpoint or something else)."""
    try:
        with open_file(path) as file:
            return plain_attributes(file).get("format") == FORMAT
    except StzPostError:
        return False
