# SPDX-License-Identifier: GPL-3.0-or-later
"""Events as particles in time: extended XYZ for OVITO and ASE, PolyData of VTK for ParaView. Lengths are in nm.

A frame has equally many events as another; its time is that of its last event. It holds the events since the frame
before, or all so far."""
from __future__ import annotations

import base64
import json
import os
from typing import Iterator

import numpy as np

from ..errors import StzPostError
from . import writing
from .dataset import open_run
from .result import Result

COLUMNS = ("time_s", "segment_time_s", "segment", "mode", "sign", "rotation", "plastic_strain_axial", "stress_axial_GPa")
SUFFIXES = (".xyz", ".extxyz", ".vtp")


def write(result: Result, path: str, frames: int, so_far: bool) -> list[str]:
    """Writes the events of a result by the suffix of `path`; returns the files."""
    stem, suffix = os.path.splitext(path)
    if suffix not in SUFFIXES:
        raise StzPostError(f"{path}: needs a name that ends in {', '.join(SUFFIXES)}")
    if frames < 1:
        raise StzPostError(f"--frames: got {frames}, needs at least 1")
    events = _events(result)
    parts = list(_frames(len(events["time_s"]), frames, so_far))
    if suffix != ".vtp":
        _write_xyz(path, result, events, parts)
        return [path]
    if len(parts) == 1:
        _write_vtp(path, events, parts[0])
        return [path]
    names = [f"{stem}.{number:04}.vtp" for number in range(len(parts))]
    for name, part in zip(names, parts):
        _write_vtp(name, events, part)
    return [*names, _write_series(f"{path}.series", names, [float(events["time_s"][part][-1]) for part in parts])]


def _events(result: Result) -> dict[str, np.ndarray]:
    """Columns of the events, and `position` of their voxels' centres, nm."""
    run = open_run(result.path)
    if not run.sizes.get("event", 0):
        raise StzPostError(f"{result.path}: no events (output.events = true)")
    found = {name: run[f"event_{name}"].values for name in COLUMNS}
    found["position"] = float(result.setting("spacing_nm")) * (run["event_site"].values + 0.5)
    return found


def _frames(count: int, frames: int, so_far: bool) -> Iterator[slice]:
    ends = np.unique(np.linspace(0, count, frames + 1).round().astype(int))
    for begin, end in zip(ends[:-1], ends[1:]):
        yield slice(0 if so_far else begin, end)


def _write_xyz(path: str, result: Result, events: dict, parts: list[slice]) -> None:
    box = float(result.setting("spacing_nm")) * np.atleast_1d(result.setting("cells"))
    lattice = " ".join(f"{edge:.10g}" for edge in np.diag(box).ravel())
    periodic = "T T F" if result.film else "T T T"
    kinds = "".join(f":{name}:{_letter(events[name])}:1" for name in COLUMNS)
    forms = [_form(events[name]) for name in COLUMNS]
    with writing.text(path) as file:
        for part in parts:
            columns = [events[name][part].tolist() for name in COLUMNS]
            file.write(f'{len(columns[0])}\nLattice="{lattice}" Properties=species:S:1:pos:R:3:id:I:1{kinds} '
                       f'Time={columns[0][-1]!r} length_unit=nm pbc="{periodic}"\n')
            places = events["position"][part].tolist()
            for number, (place, values) in enumerate(zip(places, zip(*columns)), part.start):
                words = [*(f"{one:.10g}" for one in place), str(number), *map(format, values, forms)]
                file.write(f"X {' '.join(words)}\n")


def _letter(values: np.ndarray) -> str:
    return "I" if values.dtype.kind in "iu" else "R"


def _form(values: np.ndarray) -> str:
    """How to print a value so that it is read as it was."""
    return {"i": "d", "u": "d"}.get(values.dtype.kind, ".9g" if values.dtype.itemsize == 4 else ".17g")


def _write_vtp(path: str, events: dict, part: slice) -> None:
    """One vertex an event; values in base64, each after its number of bytes."""
    place = events["position"][part]
    count = len(place)
    arrays = [("id", np.arange(part.start, part.stop)), *((name, events[name][part]) for name in COLUMNS)]
    numbers = "\n".join(_array(name, values) for name, values in arrays)
    vertices = _array("connectivity", np.arange(count)), _array("offsets", np.arange(1, count + 1))
    with writing.text(path) as file:
        file.write(
            '<?xml version="1.0"?>\n'
            '<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian" header_type="UInt64">\n<PolyData>\n'
            f'<Piece NumberOfPoints="{count}" NumberOfVerts="{count}" NumberOfLines="0" NumberOfStrips="0" '
            f'NumberOfPolys="0">\n<PointData Scalars="time_s">\n{numbers}\n</PointData>\n'
            f'<Points>\n{_array("position_nm", place)}\n</Points>\n'
            f"<Verts>\n{vertices[0]}\n{vertices[1]}\n</Verts>\n</Piece>\n</PolyData>\n</VTKFile>\n"
        )


def _array(name: str, values: np.ndarray) -> str:
    kind = {"i": "Int", "u": "UInt", "f": "Float"}[values.dtype.kind] + str(8 * values.dtype.itemsize)
    content = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    text = base64.b64encode(np.array([len(content)], "<u8").tobytes() + content).decode()
    components = values.shape[1] if values.ndim > 1 else 1
    return (f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="{components}" format="binary">{text}'
            "</DataArray>")


def _write_series(path: str, names: list[str], times: list[float]) -> str:
    """ParaView's list of files with their times."""
    files = [{"name": os.path.basename(name), "time": time} for name, time in zip(names, times)]
    with writing.text(path) as file:
        json.dump({"file-series-version": "1.0", "files": files}, file, indent=1)
    return path
