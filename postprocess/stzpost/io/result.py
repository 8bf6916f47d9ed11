# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading of result files (docs/output.md), those of running and killed runs included."""
import os
import re
from dataclasses import dataclass, field
from typing import Any, Optional, Union

import h5py
import numpy as np
import xarray as xr

from .. import text
from ..errors import NoData, StzPostError
from . import measure
from .files import open_file
from .resolved import settings

Path = Union[str, "os.PathLike[str]"]
FORMAT = "stzkmc-result"
FORMAT_VERSION = 1
NEEDED = ("time_s", "segment", "plastic_rate_per_s", "localisation")  # columns of every history
COMPONENTS = ["xx", "yy", "zz", "yz", "xz", "xy"]
# A dataset says its dimensions itself. What follows is for results of older programs, which did not: of a group, those
# of its datasets, or of some by name.
OLDER = {
    "history": ("row", "component"),
    "events": ("event", "axis"),
    "avalanches": ("avalanche", "axis"),
    "microstructure": ("x", "y", "z"),
    "nbed": ("scan", "probe_u", "probe_v"),
    "nbed/counts_by_domain": ("scan", "domain"),
    "nbed/origin_nm": ("scan", "axis"),
    "correlation": ("direction", "step"),
    "correlation/distance_nm": ("shell",),
    "correlation/radial": ("shell",),
    "correlation/direction": ("direction", "axis"),
}
for _kind in ("barrier_eV", "resolved_stress_GPa", "activation_eV"):
    OLDER |= {f"distributions/{_kind}": ("domain", f"{_kind}_bin"), f"distributions/{_kind}_edges": (f"{_kind}_edge",)}


@dataclass
class Segment:
    """A segment of the protocol; `clock_zero_s` is the time from which its own times count, `segment_clock_zero_s` the same
    from its start on."""

    index: int
    type: str
    temperature_K: float
    begin_s: float
    clock_zero_s: float
    end_s: float  # NaN while it runs
    events: int
    segment_clock_zero_s: float = 0.0
    duration_s: float = np.nan  # NaN while it runs


@dataclass
class Level:
    """One level of nanobeam diffraction: attributes and datasets by the names of the contract."""

    attrs: dict
    data: dict

    @property
    def strain(self) -> float:
        return float(self.attrs["strain"])


@dataclass
class Result:
    """What a result file holds. Fields of the lattice are read when asked for (`field`)."""

    path: str
    attrs: dict
    config: dict  # attributes of /config
    input_text: str
    resolved_text: str
    history: xr.Dataset
    segments: list
    levels: list
    avalanches: xr.Dataset  # a row each; without variables if none were looked for
    correlation: list  # a Dataset a level, by ascending strain; attributes strain, time_s, mean, variance
    distributions: list  # the same; attributes strain, time_s
    microstructure: dict  # attributes of /microstructure
    engine: dict  # attributes of /engine
    field_names: list
    _units: dict = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        """What the run was, and how far it came, in about ten lines."""
        return "\n".join(f"{name + ':':<11} {said}" for name, said in _summary(self).items())

    @property
    def name(self) -> str:
        """The file's name as it can be shown and written anywhere."""
        return text.plain(os.path.basename(self.path))

    @property
    def complete(self) -> bool:
        return bool(self.attrs.get("complete", 0))

    @property
    def film(self) -> bool:
        """Whether the sample has free surfaces, normal to z: it is periodic along x and y alone."""
        return bool(self.resolved("lattice.boundary", "periodic") == "film")

    def rows(self, segment: Segment) -> xr.Dataset:
        """The history of one segment."""
        return self.history.isel(row=np.flatnonzero(self.history["segment"].values == segment.index))

    def engineering(self, segment: Optional[Segment] = None) -> xr.Dataset:
        """Axial strain and stress as a laboratory reads them, of a segment or of the whole history: elongation over the
        first length, force over the first area, and the area over the first (docs/theory.md §8)."""
        rows = self.history if segment is None else self.rows(segment)
        strain, stress = rows["strain_axial"], rows["stress_axial_GPa"]
        elastic = float(self.setting("young_GPa")), float(self.setting("poisson"))
        elongation, force = measure.engineering(strain.values, stress.values, *elastic)
        columns = {
            "engineering_strain": (elongation, "1", "elongation over the first length"),
            "engineering_stress_GPa": (force, "GPa", "force over the first area"),
            "area_ratio": (measure.area_ratio(strain.values, stress.values, *elastic), "1", "area over the first"),
        }
        return rows[["time_s", "strain_axial", "stress_axial_GPa"]].assign(
            {name: ("row", v, {"units": unit, "description": what}) for name, (v, unit, what) in columns.items()}
        )

    def times(self, segment: Segment) -> np.ndarray:
        """Times of those rows from the zero of the segment's clock. Results of older versions have no time within the
        segment, only the run's, which has few digits for them after a long rest."""
        rows = self.rows(segment)
        if "segment_time_s" in rows:
            return rows["segment_time_s"].values - segment.segment_clock_zero_s
        return rows["time_s"].values - segment.clock_zero_s

    def field(self, name: str) -> xr.DataArray:
        """A field of /microstructure over the lattice, as a DataArray with coordinates in nm."""
        if name not in self.field_names:
            raise NoData(f"{self.path}: no dataset /microstructure/{name}" + _unfinished(self))
        with open_file(self.path) as file:
            dataset = file["microstructure"][name]
            values, attrs = dataset[...], plain_attributes(dataset)
        if values.ndim != 3:
            raise StzPostError(f"{self.path}: /microstructure/{name}: got {values.ndim} dimensions, needs 3")
        spacing = self.setting("spacing_nm")
        axes = {axis: spacing * np.arange(n) for axis, n in zip("xyz", values.shape)}
        return xr.DataArray(values, dims=tuple("xyz"), coords=axes, attrs=attrs, name=name)

    def tables(self) -> list:
        """The paths of all groups that hold datasets, each of which `table` reads."""
        with open_file(self.path) as file:
            return _table_paths(file)

    def table(self, path: str) -> xr.Dataset:
        """The datasets of a group by its path, as "/avalanches" or that of an observer of your own, with the names of
        their dimensions and their attributes (`units`, `description`). The columns of a run that goes on may differ in
        length: the rows are those that all have. `to_dataframe()` makes a table of pandas of it."""
        with open_file(self.path) as file:
            group = file.get(path)
            known = _table_paths(file)
            if not isinstance(group, h5py.Group) or f"/{path.strip('/')}" not in known:
                raise NoData(f"{self.path}: no table {path}; it has {', '.join(known)}" + _unfinished(self))
            return _table(group)

    def resolved(self, path: str, default: Any = None) -> Any:
        """A value of the resolved input by its full path, as `--set` has it: resolved("order.loss"), a number, text or
        list. A path that is not there is an error, unless a default is given; so is a name without its group."""
        values = settings(self.resolved_text)
        if path in values:
            return values[path]
        alike = [one for one in values if re.fullmatch(rf".+\.{re.escape(path)}", one)]
        if alike:
            raise StzPostError(f"{self.path}: {path} is no full path of /config/resolved, needs {' or '.join(alike)}")
        if default is None:
            raise NoData(f"{self.path}: no {path} in /config/resolved")
        return default

    def model(self, default: str) -> str:
        """The model file that the input names, as the resolved input says in a comment."""
        found = re.search(r"^# model: ([^(\n]+)", self.resolved_text, re.M)
        return found[1].strip() if found else default

    def setting(self, name: str) -> Any:
        """An attribute of /config that an analysis needs."""
        if name not in self.config:
            raise NoData(f"{self.path}: no attribute {name} of /config")
        return self.config[name]


def open_result(path: Path) -> Result:
    """Reads a result file. Raises StzPostError for what is no result file of a known version."""
    path = os.fspath(path)
    with open_file(path) as file:
        return _read(path, file)


def _read(path, file):
    attrs = plain_attributes(file)
    if attrs.get("format") != FORMAT:
        said = f" (attribute format: got {attrs['format']!r})" if "format" in attrs else ""
        raise StzPostError(f"{path}: not a result of stzkmc{said}")
    if attrs.get("format_version") != FORMAT_VERSION:
        raise StzPostError(f"{path}: format_version: got {attrs.get('format_version')}, needs {FORMAT_VERSION}")
    config = file.get("config", {})
    micro = file.get("microstructure", {})
    return Result(
        path=path,
        attrs=attrs,
        config=plain_attributes(config),
        input_text=_text(config, "input"),
        resolved_text=_text(config, "resolved"),
        history=_history(path, file, attrs),
        segments=_segments(file),
        levels=_levels(file),
        avalanches=_table(file["avalanches"]) if "avalanches" in file else xr.Dataset(),
        correlation=[_table(group) for group in _by_strain(file, "correlation")],
        distributions=[_table(group) for group in _by_strain(file, "distributions")],
        microstructure=plain_attributes(micro),
        engine=plain_attributes(file.get("engine", {})),
        field_names=[name for name in micro if isinstance(micro[name], h5py.Dataset)],
    )


def _history(path, file, attrs):
    """The history as a Dataset. Of a running run, columns may differ in length and end in rows not yet filled."""
    for name in NEEDED:
        if "history" not in file or name not in file["history"]:
            raise StzPostError(f"{path}: no dataset /history/{name}")
    table = _table(file["history"])
    back = np.flatnonzero(np.diff(table["time_s"].values) < 0)
    return table.isel(row=slice(0, int(back[0]) + 1 if back.size else None)).assign_attrs(attrs)


def _table_paths(file):
    found = []

    def look(path, node):
        if isinstance(node, h5py.Dataset):
            found.append("/" + path.rpartition("/")[0])

    file.visititems(look)
    return sorted(set(found))


def _table(group):
    """The datasets of a group, cut along their first dimension to what all that have it hold."""
    nodes = {name: node for name, node in group.items() if isinstance(node, h5py.Dataset)}
    rows = {}
    for node in nodes.values():
        for name, size in zip(dimensions(node)[:1], node.shape):
            rows[name] = min(rows.get(name, size), size)
    variables = {}
    for name, node in nodes.items():
        names, text_node = dimensions(node), h5py.check_string_dtype(node.dtype) is not None
        values = _plain(node[()]) if text_node else node[...]
        variables[name] = (names, values[: rows[names[0]]] if names else values, plain_attributes(node))
    vectors = variables.pop("direction", None)  # a dimension of this name has words for its labels
    made = xr.Dataset(variables, attrs=plain_attributes(group))
    labels = {"component": COMPONENTS, "domain": ["Ni-rich", "other"]}
    if vectors:
        labels["direction"] = [_letters(vector) for vector in vectors[1]]
    return made.assign_coords({name: words for name, words in labels.items() if made.sizes.get(name) == len(words)})


def _by_strain(file, name):
    return sorted(_groups(file, name), key=lambda group: float(group.attrs["strain"]))


def _letters(vector):
    """[1, -1, 0] as x-y."""
    return "".join(("-" if n < 0 else "") + letter for n, letter in zip(vector, "xyz") if n)


def _segments(file):
    segments = []
    for index, group in enumerate(_groups(file, "protocol")):
        a = plain_attributes(group)
        begin = float(a["begin_s"])
        segments.append(
            Segment(
                index,
                str(a["type"]),
                float(a["temperature_K"]),
                begin,
                float(a.get("clock_zero_s", begin)),
                float(a.get("end_s", np.nan)),
                int(a.get("events", 0)),
                float(a.get("segment_clock_zero_s", float(a.get("clock_zero_s", begin)) - begin)),
                float(a.get("duration_s", float(a.get("end_s", np.nan)) - begin)),
            )
        )
    return segments


def _levels(file):
    levels = []
    for group in _groups(file, "nbed"):
        levels.append(Level(plain_attributes(group), {name: group[name][...] for name in group}))
    return sorted(levels, key=lambda level: level.strain)


def _groups(file, name):
    parent = file.get(name, {})
    return [parent[child] for child in sorted(parent)]


def plain_attributes(node) -> dict:
    """Attributes of a file, group or dataset but `dimensions`: text as str, numbers as Python's, arrays as arrays."""
    return {name: _plain(value) for name, value in getattr(node, "attrs", {}).items() if name != "dimensions"}


def dimensions(node) -> tuple:
    """The names of a dataset's dimensions."""
    if "dimensions" in node.attrs:
        return tuple(_plain(node.attrs["dimensions"]).split())
    kind, _, name = re.sub(r"/level_\d+", "", node.name).strip("/").partition("/")
    return OLDER.get(f"{kind}/{name}", OLDER.get(kind, ()))[: node.ndim]


def _plain(value):
    """Text as str, numbers as Python's, arrays as arrays."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return text.whole(value)
    if isinstance(value, np.ndarray):
        return _plain(value.flat[0]) if value.size == 1 and value.ndim <= 1 else value
    return value.item() if isinstance(value, np.generic) else value


def _text(group, name):
    return _plain(group[name][()]) if name in group else ""


def _summary(result):
    """What the print of a result says, by name."""
    history, units = result.history, {"time_s": "s", "temperature_K": "K"}
    cells = np.atleast_1d(result.config.get("cells", np.nan))
    edges = " x ".join(f"{float(result.config.get('spacing_nm', np.nan)) * n:.4g}" for n in cells)
    rows = history.sizes.get("row", 0)

    def last(name):
        return float(history[name].values[-1]) if rows and name in history else np.nan

    return {
        "file": f"{result.path} ({'complete' if result.complete else 'not complete'})",
        "program": f"stzkmc {result.attrs.get('program_version', '?')}, seed {result.attrs.get('seed', '?')}, made "
        f"{result.attrs.get('created_utc', '?')} on {result.attrs.get('ranks', '?')} rank(s)",
        "model": result.model("in the input itself"),
        "box": f"{' x '.join(str(n) for n in cells)} voxels, {edges} nm",
        "engine": str(result.engine.get("choice", "?")),
        "protocol": ", then ".join(f"{one.type} at {one.temperature_K:g} K" for one in result.segments) or "none begun",
        "history": f"{rows} rows, to " + ", ".join(f"{last(name):.4g} {unit}" for name, unit in units.items()),
        "events": f"{last('events'):.0f}",
        "strain": f"{100 * last('strain_axial'):.4g} %, plastic {100 * last('plastic_strain_axial'):.4g} % (last, axial)",
        "stress": f"{last('stress_axial_GPa'):.4g} GPa (last, axial)",
    }


def _unfinished(result):
    return "" if result.complete else " (the run did not finish)"
