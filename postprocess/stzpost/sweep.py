# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps (docs/sweeps.md): the manifest and the results as one Dataset, read when asked for, and as one file."""
import json
import os
import warnings

import h5py
import numpy as np
import xarray as xr

from . import tension
from .errors import StzPostError
from .lazy import Lazy
from .result import COMPONENTS, FORMAT

SWEEP_FORMAT = "stzkmc-sweep"
SWEEP_VERSION = 1
STATES = ["waiting", "running", "stopped", "failed", "done"]

# Columns of the manifest: unit, description.
NOTED = {
    "run": ("1", "number of the run"),
    "seed": ("1", "seed of its random numbers"),
    "state": ("", "waiting, running, stopped early, failed or done"),
    "attempts": ("1", "how often it was begun"),
    "wall_s": ("s", "wall time of its attempts"),
    "rows": ("1", "rows of its history"),
    "state_hash": ("", "hash of its last state"),
    "peak_stress_GPa": ("GPa", "largest axial stress"),
    "message": ("", "why it failed"),
    "file": ("", "result, from the sweep's directory"),
}
TEXTS = ("state", "state_hash", "message", "file")


def read_manifest(directory):
    """The header and, for each run, the last of each field. Lines torn by a kill are passed over."""
    path = os.path.join(directory, "manifest.jsonl")
    runs, header = {}, None
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                entry = _entry(line)
                if header is None:
                    header = entry
                elif entry is not None and "run" in entry:
                    runs.setdefault(entry["run"], {}).update(entry)
    except OSError as error:
        raise StzPostError(f"{path}: {error.strerror}") from error
    if not header or header.get("format") != SWEEP_FORMAT:
        raise StzPostError(f"{path}: not the manifest of a sweep")
    if header.get("format_version") != SWEEP_VERSION:
        raise StzPostError(f"{path}: format_version: got {header.get('format_version')}, needs {SWEEP_VERSION}")
    missing = set(range(header["points"] * header["replicas"])) - set(runs)
    if missing:
        raise StzPostError(f"{path}: not a whole manifest: run {min(missing)} is missing")
    return header, runs


def _entry(line):
    try:
        return json.loads(line)
    except ValueError:
        return None


def open_sweep(path):
    """A sweep as a Dataset: the axes as coordinates, `replica` as the last dimension of the runs, then `row` for what
    the histories hold (filled up with NaN) and `component` for tensors. Histories are read when they are used. Of runs
    that are not done, and of results that cannot be read (a warning names them), they are NaN. `path` is the
    directory, or the file that `collect` made of it."""
    path = os.fspath(path)
    if not os.path.isdir(path):
        return _open_collected(path)
    header, runs = read_manifest(path)
    dims, shape = _dimensions(header)
    files = np.full(shape, "", dtype=object)
    cells = {_cell(header, run): run for run in runs.values()}
    for cell, run in cells.items():
        if run["state"] == "done":
            files[cell] = os.path.join(path, run["file"])
    variables = {}
    columns = _columns(files)
    for name in NOTED:
        variables[name] = (dims, *_noted(name, shape, cells))
    for name in _final_names(runs):
        units = columns[name][2].get("units", "1") if name in columns else "1"
        attrs = {"units": units, "description": f"last value of {name}"}
        variables[f"final_{name}"] = (dims, _noted(name, shape, cells, done_only=True)[0], attrs)
    coords = _coordinates(header, cells, shape)
    rows = max((run.get("rows", 0) for run in runs.values() if run["state"] == "done"), default=0)
    for name, (dtype, width, attrs) in columns.items():
        lazy = _History(files, name, dtype, rows, width)
        extra = ("row", "component") if width else ("row",)
        variables[name + "_history" * (name in coords)] = (dims + extra, lazy, attrs)
    if any("component" in v[0] for v in variables.values()):
        coords["component"] = COMPONENTS
    attrs = {key: header[key] for key in ("design", "program_version", "git", "utc", "command_line", "seed")}
    return xr.Dataset(variables, coords=coords, attrs={"format": SWEEP_FORMAT, "source": path, **attrs})


def _dimensions(header):
    names = [dimension["name"] for dimension in header["dimensions"]]
    sizes = [dimension["size"] for dimension in header["dimensions"]]
    return (*names, "replica"), (*sizes, header["replicas"])


def _cell(header, run):
    return (*run["index"][: len(header["dimensions"])], run["replica"])


def _coordinates(header, cells, shape):
    """Each axis along its dimension, with unit, description and key; the replicas by number."""
    coords = {"replica": np.arange(shape[-1])}
    for axis in header["axes"]:
        k = axis["dimension"]
        values = [None] * shape[k]
        for cell, run in cells.items():
            values[cell[k]] = run["parameters"][axis["name"]]
        if not all(isinstance(value, (int, float)) for value in values):
            values = [value if isinstance(value, str) else json.dumps(value) for value in values]
        attrs = {"units": axis["unit"], "description": axis["description"], "key": axis["key"]}
        coords[axis["name"]] = (header["dimensions"][k]["name"], np.asarray(values), attrs)
    return coords


# What a run's last line holds besides: the last values of columns of its history.
def _final_names(runs):
    known = {*NOTED, "utc", "ranks", "host", "git", "point", "replica", "input_hash", "estimate_s", "index", "parameters"}
    return list(dict.fromkeys(key for run in runs.values() for key in run if key not in known))


def _noted(name, shape, cells, done_only=False):
    values = np.full(shape, "", dtype=object) if name in TEXTS else np.full(shape, np.nan)
    for cell, run in cells.items():
        value = run.get(name) if run["state"] == "done" or not done_only else None
        if value is not None:
            values[cell] = value
    if name in ("run", "seed", "attempts"):
        values = values.astype(np.int64)
    unit, text = NOTED.get(name, ("1", ""))
    return values.astype(str) if name in TEXTS else values, {"units": unit, "description": text}


def _columns(files):
    """dtype, components and attributes of each column, from the first result that can be read."""
    for path in files.flat:
        if not path:
            continue
        try:
            with h5py.File(path, "r", locking=False) as file:
                found = {}
                for name, dataset in file["history"].items():
                    attrs = {key: _text(value) for key, value in dataset.attrs.items()}
                    width = dataset.shape[1] if dataset.ndim == 2 else 0
                    found[name] = (np.result_type(dataset.dtype, np.float32), width, attrs)
                return found
        except (OSError, KeyError):
            continue
    return {}


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


class _History(Lazy):
    """A column of all runs' histories; a run's file is opened when a part of it is asked for."""

    def __init__(self, files, name, dtype, rows, width):
        self.files, self.name, self.dtype = files, name, np.dtype(dtype)
        self.tail = (rows, width) if width else (rows,)
        self.shape = (*files.shape, *self.tail)

    def _read(self, key):
        runs, inner = key[: self.files.ndim], key[self.files.ndim :]
        chosen = self.files[runs]
        if isinstance(chosen, str):
            return self._read_run(chosen)[inner]
        blocks = [self._read_run(path)[inner] for path in chosen.flat]
        empty = np.empty(self.tail)[inner].shape
        return np.array(blocks, dtype=self.dtype).reshape(*chosen.shape, *empty)

    def _read_run(self, path):
        values = np.full(self.tail, np.nan, dtype=self.dtype)
        if not path:
            return values
        try:
            with h5py.File(path, "r", locking=False) as file:
                read = file["history"][self.name][...]
                values[: len(read)] = read
        except (OSError, KeyError, ValueError) as error:
            warnings.warn(f"{path}: {' '.join(str(error).split())}; taken for not done", stacklevel=2)
        return values


FLOW_PROPERTIES = {
    "yield_stress_GPa": ("GPa", "upper yield stress"),
    "yield_strain": ("1", "strain at upper yield"),
    "flow_stress_GPa": ("GPa", "mean stress from 8 to 12 % strain"),
    "overshoot": ("1", "upper yield over flow stress"),
    "localisation": ("1", "localisation at the end"),
}


def flow_properties(dataset):
    """What `stz-post stress-strain` says of the segment of each run that reaches the largest strain; NaN for what is
    not done or not reached."""
    shape = dataset["state"].shape
    values = {name: np.full(shape, np.nan) for name in FLOW_PROPERTIES}
    for cell in np.ndindex(shape):
        if str(dataset["state"].values[cell]) == "done":
            columns = ("segment", "strain_axial", "stress_axial_GPa", "localisation")
            rows = np.array([dataset[name][cell].values for name in columns])
            rows = rows[:, np.isfinite(rows).all(axis=0)]
            if rows.size:
                for name, value in _flow(*rows).items():
                    values[name][cell] = value
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


def collect(directory, path):
    """Writes a sweep into one HDF5 file at `path`: what `open_sweep` gives, one run at a time, so that memory does not
    grow with the number of runs. Returns the number of runs that are done, and of those that could not be read."""
    dataset = open_sweep(directory)
    if os.path.exists(path) and os.path.samefile(path, os.path.join(directory, "manifest.jsonl")):
        raise StzPostError(f"{path}: is the sweep's manifest, needs another name")
    temporary = f"{path}.new.{os.getpid()}"
    try:
        with warnings.catch_warnings(record=True) as said, h5py.File(temporary, "w") as file:
            warnings.simplefilter("always")
            _write(dataset, file)
            damaged = sorted({str(warning.message).split(": ")[0] for warning in said})
        os.replace(temporary, path)
    except OSError as error:
        raise StzPostError(f"{path}: {error.strerror or error}") from error
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
    return int((dataset["state"] == "done").sum()), damaged


def _write(dataset, file):
    texts = h5py.string_dtype()
    file.attrs.update({key: str(value) for key, value in dataset.attrs.items()})
    file.attrs["format_version"] = SWEEP_VERSION
    order = dataset["state"].ndim
    for name, variable in {**dataset.coords, **dataset.data_vars}.items():
        text = variable.dtype.kind in "UO"
        stored = file.create_dataset(
            name,
            shape=variable.shape,
            dtype=texts if text else variable.dtype,
            **({"compression": "gzip", "chunks": _chunk(variable.shape, order)} if variable.ndim > order else {}),
        )
        stored.attrs["dimensions"] = list(variable.dims)
        stored.attrs["coordinate"] = int(name in dataset.coords)
        for key, value in variable.attrs.items():
            stored.attrs[key] = value
        if variable.ndim <= order:
            stored[...] = variable.values.astype(object) if text else variable.values
    lazy = [name for name, variable in dataset.data_vars.items() if variable.ndim > order]
    for cell in np.ndindex(dataset["state"].shape):
        if str(dataset["state"].values[cell]) == "done":
            for name in lazy:
                file[name][cell] = dataset[name][cell].values
        else:
            for name in lazy:
                file[name][cell] = np.nan


def _chunk(shape, order):
    return (1,) * order + tuple(max(1, n) for n in shape[order:])


class _Stored(Lazy):
    """A dataset of a collected file."""

    def __init__(self, path, name, shape, dtype):
        self.path, self.name, self.shape, self.dtype = path, name, shape, dtype

    def _read(self, key):
        with h5py.File(self.path, "r", locking=False) as file:
            return file[self.name][key]


def _open_collected(path):
    if not os.path.isfile(path):
        raise StzPostError(f"{path}: no such directory or file")
    try:
        with h5py.File(path, "r", locking=False) as file:
            if _text(file.attrs.get("format", "")) != SWEEP_FORMAT:
                hint = "; open it with open_result" if _text(file.attrs.get("format", "")) == FORMAT else ""
                raise StzPostError(f"{path}: not a collected sweep of stzkmc{hint}")
            variables = {name: _stored(path, file[name]) for name in file}
            attrs = {key: _text(value) for key, value in file.attrs.items()}
    except OSError as error:
        raise StzPostError(f"{path}: not a readable HDF5 file ({' '.join(str(error).split())})") from error
    coords = {name: variable for name, variable in variables.items() if variable[2].pop("coordinate")}
    return xr.Dataset({n: v for n, v in variables.items() if n not in coords}, coords=coords, attrs=attrs)


def _stored(path, dataset):
    attrs = {key: _text(value) for key, value in dataset.attrs.items()}
    dims = tuple(_text(name) for name in attrs.pop("dimensions"))
    if h5py.check_string_dtype(dataset.dtype):
        return dims, dataset.asstr()[...].astype(str), attrs
    if "row" in dims:
        return dims, _Stored(path, dataset.name, dataset.shape, dataset.dtype), attrs
    return dims, dataset[...], attrs


def over_replicas(values):
    """Mean over the replicas that are there, and its standard error (NaN with fewer than two)."""
    count = values.notnull().sum("replica")
    total = values.sum("replica", skipna=True)
    mean = (total / count.where(count > 0)).assign_attrs(values.attrs)
    square = ((values - mean) ** 2).sum("replica", skipna=True)
    return mean, np.sqrt(square / (count - 1).where(count > 1) / count)
