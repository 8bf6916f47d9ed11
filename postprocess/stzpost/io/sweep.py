# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps (docs/sweeps.md): the manifest and the results as one Dataset, read when asked for, and as one file."""
import json
import os
import threading
import warnings

import h5py
import numpy as np
import xarray as xr

from .. import text as text_module
from ..errors import StzPostError
from . import writing
from .files import MOST_TOGETHER, look_ahead, open_file, open_text, reading
from .lazy import Lazy
from .resolved import settings
from .result import COMPONENTS, FORMAT, dimensions, plain_attributes

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
MOST_RUNS = 10**8
BLOCK_BYTES, CHUNK_BYTES = 1 << 26, 1 << 16  # of a collected sweep: what is held at a time, and packed together

# What the readers need: of the first line, and of each run.
HEADER = {("design", "program_version", "git", "utc", "command_line"): str, ("points", "replicas", "seed"): int,
          ("dimensions", "axes"): list}
RUN = {("state", "file"): str, ("index",): list, ("parameters",): dict, ("replica", "seed"): int}


def read_manifest(directory):
    """The header and, for each run, the last of each field. Lines torn by a kill are passed over."""
    path = os.path.join(directory, "manifest.jsonl")
    runs, header = {}, None
    try:
        with open_text(path) as file:
            for line in file:
                entry = _entry(line)
                if header is None:
                    header = entry
                elif isinstance(entry, dict) and isinstance(entry.get("run"), int):
                    runs.setdefault(entry["run"], {}).update(entry)
    except FileNotFoundError as error:
        raise StzPostError(f"{directory}: no sweep in it (there is no manifest.jsonl)") from error
    except OSError as error:
        raise StzPostError(f"{path}: {error.strerror}") from error
    if not isinstance(header, dict) or header.get("format") != SWEEP_FORMAT:
        raise StzPostError(f"{path}: not the manifest of a sweep")
    if header.get("format_version") != SWEEP_VERSION:
        raise StzPostError(f"{path}: format_version: got {header.get('format_version')}, needs {SWEEP_VERSION}")
    with reading(path):
        _check(path, header, runs)
    return header, runs


def _check(path, header, runs):
    """Whether what the others rely on is there, and of its kind: a line may be lost or damaged."""
    for names, kind in HEADER.items():
        _need(path, "line 1", header, names, kind)
    for line in header["dimensions"] + header["axes"]:
        _need(path, "line 1", line, ("name",), str)
    for line in header["axes"]:
        _need(path, "line 1", line, ("key", "unit", "description"), str)
        _need(path, "line 1", line, ("dimension",), int)
    dimensions = [line["size"] for line in header["dimensions"]]
    count = header["points"] * header["replicas"]
    if not 0 < count <= MOST_RUNS or np.prod(dimensions, dtype=float) != header["points"]:
        raise StzPostError(f"{path}: line 1: points, replicas and dimensions do not fit each other")
    for number in range(count):
        run = runs.get(number)
        if run is None or "index" not in run:
            raise StzPostError(f"{path}: not a whole manifest: run {number} is missing")
        where = f"run {number}"
        for names, kind in RUN.items():
            _need(path, where, run, names, kind)
        inside = all(isinstance(i, int) and 0 <= i < n for i, n in zip(run["index"], dimensions))
        if len(run["index"]) < len(dimensions) or not inside or not 0 <= run["replica"] < header["replicas"]:
            raise StzPostError(f"{path}: {where}: index and replica are outside of the sweep")
        if run["state"] not in STATES:
            raise StzPostError(f"{path}: {where}: state: got {run['state']!r}")
        _need(path, where, run["parameters"], [axis["name"] for axis in header["axes"]], (int, float, str, list, dict))
        numbers = [name for name, (unit, _) in NOTED.items() if unit and name in run]
        _need(path, where, {name: run[name] or 0 for name in numbers}, numbers, (int, float))
    for number in set(runs) - set(range(count)):
        del runs[number]


def _need(path, where, entry, names, kind):
    for name in names:
        if not isinstance(entry, dict) or not isinstance(entry.get(name), kind):
            raise StzPostError(f"{path}: not a whole manifest: {where}: {name} is missing or damaged")


def _entry(line):
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # the latter of lists in lists without end
        return None


def open_sweep(path):
    """A sweep as a Dataset: the axes as coordinates, `replica` as the last dimension of the runs, then `row` for what
    the histories hold (filled up with NaN) and `component` for tensors. Histories are read when they are used. Of runs
    that are not done, and of results that cannot be read (a warning names them), they are NaN. The attribute
    `segment_types` has the types of the protocol's segments. `path` is the directory, or the file that `collect` made of
    it."""
    path = os.fspath(path)
    if not os.path.isdir(path):
        return _open_collected(path)
    header, runs = read_manifest(path)
    with reading(os.path.join(path, "manifest.jsonl")):
        return _assemble(path, header, runs)


def _assemble(path, header, runs):
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
    results = _Results(files)
    for name, (dtype, width, attrs, own) in columns.items():
        lazy = _History(results, name, dtype, rows, width)
        variables[name + "_history" * (name in coords)] = (dims + own, lazy, attrs)
    if any("component" in v[0] for v in variables.values()):
        coords["component"] = COMPONENTS
    attrs = {key: header[key] for key in ("design", "program_version", "git", "utc", "command_line", "seed")}
    attrs["segment_types"] = " ".join(_segment_types(header))
    return xr.Dataset(variables, coords=coords, attrs={"format": SWEEP_FORMAT, "source": path, **attrs})


def _segment_types(header):
    """The types of the protocol's segments in the first run, as the sweep's settings say."""
    said = settings(str(header.get("identity", "")))
    number = 0
    while (name := f"protocol[{number}].type") in said:
        yield str(said[name])
        number += 1


def segments_of_type(dataset, kind):
    """Of each run of a sweep, the numbers of its segments of a type; None where the sweep does not say the types, as one
    file that an older version made of it."""
    types = dataset.attrs.get("segment_types", "").split()
    if not types:
        return None
    keys = [f"protocol[{number}].type" for number in range(len(types))]
    varied = {c.attrs["key"]: c.broadcast_like(dataset["state"]).transpose(*dataset["state"].dims).values
              for c in dataset.coords.values() if c.attrs.get("key") in keys}
    found = np.empty(dataset["state"].shape, dtype=object)
    for cell in np.ndindex(found.shape):
        own = [str(varied[key][cell]) if key in varied else first for key, first in zip(keys, types)]
        found[cell] = [number for number, one in enumerate(own) if one == kind]
    return found


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
        if is_reserved(axis["name"]):
            raise StzPostError(f"the sweep has an axis {axis['name']}, which is a name of its own; give it another by `name`")
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
    """dtype, components, attributes and dimensions of each column, from the first result that can be read."""
    for path in files.flat:
        if not path:
            continue
        try:
            with open_file(path) as file:
                found = {}
                for name, dataset in file["history"].items():
                    width = dataset.shape[1] if dataset.ndim == 2 else 0
                    dtype = np.result_type(dataset.dtype, np.float32)
                    found[name] = (dtype, width, plain_attributes(dataset), dimensions(dataset))
                return found
        except StzPostError:
            continue
    return {}


def _text(value):
    value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return text_module.whole(value) if isinstance(value, str) else value


class _Results:
    """Reads the histories of runs for all their columns. Who goes from run to run asks of each for the same columns: what
    was asked of one run is read of the next at once, so that its file is opened once; and files that follow each other
    are held against their checksums together."""

    def __init__(self, files):
        self.files = files
        self.number = {path: number for number, path in enumerate(files.flat) if path}
        self.lock = threading.Lock()
        self.path, self.asked, self.held = "", [], {}  # the run that was read last
        self.ahead, self.known = 1, 0  # so many files together, the next time from this one on

    def __reduce__(self):  # a copy begins anew
        return _Results, (self.files,)

    def column(self, path, name):
        with self.lock:
            others = []
            if path != self.path:
                self._look_ahead(path)
                others = self.asked
                self.path, self.asked, self.held = path, [], {}
            if name not in self.held:
                self._read(path, name, others)
            self.asked.append(name)
            return self.held.pop(name)

    def _read(self, path, name, others):
        with open_file(path) as file:
            history = file["history"].id
            self.held[name] = _read_column(history, name)
            for other in set(others) - {name}:
                if other.encode() in history:
                    self.held[other] = _read_column(history, other)

    def _look_ahead(self, path):
        """Twice as many each time, as long as run follows run."""
        number = self.number[path]
        if number != self.number.get(self.path, -2) + 1:
            self.ahead, self.known = 1, 0
        elif number >= self.known:
            self.ahead = min(2 * self.ahead, MOST_TOGETHER)
            self.known = number + self.ahead
            look_ahead([one for one in self.files.flat[number : self.known] if one])


class _History(Lazy):
    """A column of all runs' histories; a run's file is opened when a part of it is asked for."""

    def __init__(self, results, name, dtype, rows, width):
        self.results, self.name, self.dtype = results, name, np.dtype(dtype)
        self.tail = (rows, width) if width else (rows,)
        self.shape = (*results.files.shape, *self.tail)

    def _read(self, key):
        order = self.results.files.ndim
        runs, inner = key[:order], key[order:]
        chosen = self.results.files[runs]
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
            with reading(path):
                read = self.results.column(path, self.name)
                values[: len(read)] = read
        except StzPostError as error:
            warnings.warn(f"{error}; taken for not done", stacklevel=2)
        return values


# Names that an axis may not have, as the readers need them (src/config/sweep.c has the same list): dimensions, fields of
# the manifest, numbers of each run, and the columns from which these are derived.
RESERVED = {
    *("point", "replica", "row", "component"),
    *NOTED,
    *("utc", "ranks", "host", "git", "input_hash", "estimate_s", "index", "parameters"),
    *("yield_stress_GPa", "yield_strain", "flow_stress_GPa", "overshoot", "localisation"),  # analysis/flow.py
    *("segment", "strain_axial", "stress_axial_GPa"),
}


def is_reserved(name):
    """Whether a name is no axis's: `final_` begins last values, `_history` ends columns that are called like an axis."""
    return name in RESERVED or name.startswith("final_") or name.endswith("_history")


def collect(directory, path, say=lambda done, runs: None):
    """Writes a sweep into one HDF5 file at `path`: what `open_sweep` gives, some runs at a time, so that memory does not
    grow with the number of runs. Returns the number of runs that are done, and what is wrong with those of them that could
    not be read. `say` is told after each run how many have been looked at."""
    dataset = open_sweep(directory)
    own = ["manifest.jsonl", *dataset["file"].values.flat]
    if os.path.exists(path) and any(_is_same(path, os.path.join(directory, str(name))) for name in own):
        raise StzPostError(f"{path}: is a file of the sweep itself, needs another name")
    with writing.large_hdf5(path) as (file, check):
        damaged = _write(dataset, file, directory, lambda done, runs: (check(), say(done, runs)))
    return int((dataset["state"] == "done").sum()), damaged


def _write(dataset, file, directory, say):
    texts = h5py.string_dtype()
    file.attrs.update({key: text_module.whole(value) for key, value in dataset.attrs.items()})
    file.attrs["format_version"] = SWEEP_VERSION
    order = dataset["state"].ndim
    for name, variable in {**dataset.coords, **dataset.data_vars}.items():
        text, lazy = variable.dtype.kind in "UO", variable.ndim > order
        packing = {"compression": "gzip", "chunks": _chunk(variable, order), "fillvalue": np.nan} if lazy else {}
        stored = file.create_dataset(name, shape=variable.shape, dtype=texts if text else variable.dtype, **packing)
        stored.attrs["dimensions"] = list(variable.dims)
        stored.attrs["coordinate"] = int(name in dataset.coords)
        for key, value in variable.attrs.items():
            stored.attrs[key] = value
        if not lazy:
            stored[...] = np.vectorize(text_module.whole, otypes=[object])(variable.values) if text else variable.values
    lazy = {name: _column(name, dataset) for name, variable in dataset.data_vars.items() if variable.ndim > order}
    done = dataset["state"].values == "done"
    paths = np.vectorize(lambda name: os.path.join(directory, str(name)), otypes=[object])(dataset["file"].values)
    return sorted(_write_histories(file, lazy, done, paths, say))


def _write_histories(file, columns, done, paths, say):
    """Copies the histories of the runs that are done, in blocks of runs; yields what is said of those that cannot be read."""
    order, number = done.ndim, 0
    width = sum(np.prod(file[name].shape[order:]) * file[name].dtype.itemsize for name in columns)
    outer = 0  # dimensions over which blocks follow each other
    while outer < order and np.prod(done.shape[outer:]) * width > BLOCK_BYTES:
        outer += 1
    for first in np.ndindex(done.shape[:outer]):
        inner = done[first]
        look_ahead(list(np.atleast_1d(paths[first])[np.atleast_1d(inner)]))
        block = {name: np.full((*np.shape(inner), *file[name].shape[order:]), np.nan, file[name].dtype) for name in columns}
        for cell in np.ndindex(np.shape(inner)):
            fault = done[(*first, *cell)] and _copy_run(paths[(*first, *cell)], block, columns, cell)
            if fault:
                yield fault
            number += 1
            say(number, done.size)
        for name, values in block.items():
            file[name][first] = values


def _is_same(path, other):
    return os.path.exists(other) and os.path.samefile(path, other)


def _column(name, dataset):
    """What a variable is called in the results."""
    short = name.removesuffix("_history")
    return short if short in dataset.coords else name


def _copy_run(path, block, columns, cell):
    """The histories of one run into its cell of a block of each; what is said if they cannot be read, else None."""
    try:
        with open_file(path) as run:
            history = run["history"].id
            for name, column in columns.items():
                read = _read_column(history, column)
                block[name][(*cell, slice(0, len(read)))] = read
    except StzPostError as error:
        for values in block.values():
            values[cell] = np.nan
        return str(error)
    return None


def _read_column(history, name):
    """A column of the history whose number in libhdf5 is given: a tenth of the time of h5py's interface above it."""
    dataset = h5py.h5d.open(history, name.encode())
    read = np.empty(dataset.shape, dataset.dtype)
    dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, read)
    return read


def _chunk(variable, order):
    """Whole histories, of so many runs that a chunk is worth its place in the file's tables."""
    shape, width = variable.shape, variable.dtype.itemsize
    chunk = [1] * order + [max(1, n) for n in shape[order:]]
    for axis in reversed(range(order)):
        chunk[axis] = max(1, min(shape[axis], CHUNK_BYTES // int(np.prod(chunk) * width)))
        if chunk[axis] < shape[axis]:
            break
    return tuple(chunk)


class _Stored(Lazy):
    """A dataset of a collected file."""

    def __init__(self, path, name, shape, dtype):
        self.path, self.name, self.shape, self.dtype = path, name, shape, dtype

    def _read(self, key):
        with open_file(self.path) as file:
            return file[self.name][key]


def _open_collected(path):
    if not os.path.isfile(path):
        raise StzPostError(f"{path}: no such directory or file")
    with open_file(path) as file:
        if _text(file.attrs.get("format", "")) != SWEEP_FORMAT:
            hint = "; open it with open_result" if _text(file.attrs.get("format", "")) == FORMAT else ""
            raise StzPostError(f"{path}: not a collected sweep of stzkmc{hint}")
        variables = {name: _stored(path, file[name]) for name in file}
        attrs = {key: _text(value) for key, value in file.attrs.items()}
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
