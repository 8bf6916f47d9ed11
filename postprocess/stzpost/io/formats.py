# SPDX-License-Identifier: GPL-3.0-or-later
"""Writers of formats that other programs open: HyperSpy's .hspy, EMD 0.2 (Berkeley), VTKHDF images, and CSV.

The layouts are those that HyperSpy 1.7 (hspy 3.1, EMD 0.2) and VTK 9.1 (VTKHDF 1.0) read, and are tested by loading
with them; to write them takes h5py alone.
"""
from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

import h5py
import numpy as np

from . import writing

TEXT = h5py.string_dtype("utf-8")


@dataclass(frozen=True)
class Axis:
    """One dimension of an array: `navigate` marks places on the specimen, as against pixels of a pattern."""

    name: str
    units: str
    scale: float
    offset: float = 0.0
    navigate: bool = False


def write_hspy(path: str, title: str, data: np.ndarray, axes: Sequence[Axis], metadata: Mapping[str, Any],
               signal_type: str = "", microscope: Mapping[str, Any] | None = None) -> None:
    """A signal for HyperSpy. `axes` are those of the array, in its order; `metadata` goes to `metadata.Simulation`,
    `microscope` to `metadata.Acquisition_instrument.TEM`."""
    with writing.hdf5(path) as file:
        file.attrs.update({"file_format": "HyperSpy", "file_format_version": "3.1"})
        group = file.create_group("Experiments").create_group(title)
        group.attrs.update({"package": "stzpost", "package_version": ""})
        chunks = (1,) + data.shape[1:] if data.ndim == 4 else None
        group.create_dataset("data", data=data, chunks=chunks, compression="gzip", compression_opts=4, shuffle=True)
        for index, (axis, size) in enumerate(zip(axes, data.shape)):
            numbers = {"scale": axis.scale, "offset": axis.offset, "size": size, "navigate": axis.navigate}
            kind = {"_type": "UniformDataAxis", "is_binned": False, "name": axis.name, "units": axis.units}
            group.create_group(f"axis-{index}").attrs.update({**kind, **numbers})
        group.create_group("learning_results")
        group.create_group("original_metadata")
        notes = group.create_group("metadata")
        notes.create_group("General").attrs["title"] = title
        signal_dimensions = sum(not axis.navigate for axis in axes)
        record = {1: "spectrum", 2: "image"}.get(signal_dimensions, "")
        notes.create_group("Signal").attrs.update({"record_by": record, "signal_type": signal_type})
        _tree(notes, {"Simulation": metadata, **({"Acquisition_instrument": {"TEM": microscope}} if microscope else {})})


def _tree(group: h5py.Group, entries: Mapping[str, Any]) -> None:
    """Mappings as groups, all else as their attributes."""
    for name, value in entries.items():
        if isinstance(value, Mapping):
            _tree(group.create_group(name), value)
        else:
            group.attrs[name] = value


def write_emd(path: str, title: str, data: np.ndarray, axes: Sequence[Axis], metadata: Mapping[str, Any]) -> None:
    """An EMD file of version 0.2 with one data group; `metadata` becomes attributes of the group `comments`. The array is
    stored with its axes in reverse (x first), as HyperSpy expects, which turns them round when it reads."""
    data, axes = data.T, axes[::-1]
    with writing.hdf5(path) as file:
        file.attrs.update({"version_major": 0, "version_minor": 2})
        group = file.create_group("data").create_group(title)
        group.attrs["emd_group_type"] = 1
        group.create_dataset("data", data=data, compression="gzip", compression_opts=4, shuffle=True)
        for index, (axis, size) in enumerate(zip(axes, data.shape)):
            dimension = group.create_dataset(f"dim{index + 1}", data=axis.offset + axis.scale * np.arange(size))
            dimension.attrs.update({"name": axis.name, "units": f"[{axis.units}]" if axis.units else ""})
        file.create_group("comments").attrs.update(metadata)


def write_vtkhdf(path: str, fields: Mapping[str, tuple[np.ndarray, str]], spacing: float) -> None:
    """Fields [x][y][z] with their units on one grid of voxels of edge `spacing` (nm), points at the voxels' centres."""
    shapes = {values.shape for values, _ in fields.values()}
    assert len(shapes) == 1, "fields of one grid"
    cells = np.array(shapes.pop())
    with writing.hdf5(path) as file:
        group = file.create_group("VTKHDF")
        group.attrs["Version"] = np.array([1, 0], np.int64)
        group.attrs.create("Type", b"ImageData", dtype=h5py.string_dtype("ascii", 9))
        group.attrs["WholeExtent"] = np.array([[0, n - 1] for n in cells], np.int64).ravel()
        group.attrs["Origin"] = np.full(3, 0.5 * spacing)
        group.attrs["Spacing"] = np.full(3, float(spacing))
        group.attrs["Direction"] = np.eye(3).ravel()
        points = group.create_group("PointData")
        for name, (values, unit) in fields.items():
            points.create_dataset(name, data=np.ascontiguousarray(values.T, np.float32)).attrs["units"] = unit


def write_csv(path: str, columns: Mapping[str, Sequence]) -> None:
    """Columns under a header of their names; numbers with all their digits."""
    with writing.text(path, newline="", errors="replace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(_plain(values) for values in columns.values())))


def write_hdf5(path: str, groups: Mapping[str, Mapping[str, tuple[np.ndarray, str]]]) -> None:
    """Plain HDF5: groups of arrays with their units."""
    with writing.hdf5(path) as file:
        for place, columns in groups.items():
            for name, (values, unit) in columns.items():
                values = np.asarray(values)
                packing = dict(compression="gzip", compression_opts=4, shuffle=True) if values.size > 4096 else {}
                file.create_dataset(f"{place}/{name}", data=values, **packing).attrs["units"] = unit


def counted(values: np.ndarray) -> np.ndarray:
    """Counts as the smallest of two types of integers that holds them."""
    return values.astype(np.uint16 if np.max(values, initial=0) <= np.iinfo(np.uint16).max else np.uint32)


def _plain(values: Sequence) -> list:
    return np.asarray(values).tolist()
