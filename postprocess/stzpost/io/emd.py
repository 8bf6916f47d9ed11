# SPDX-License-Identifier: GPL-3.0-or-later
"""EMD 1.0: the trees of arrays and metadata in HDF5 that py4DSTEM and emdfile read and write.

A file holds root groups, a root its metadata (`metadatabundle`) and nodes; each group says its kind (`emd_group_type`)
and the class that it becomes in Python (`python_class`). A 4D-STEM scan is the array `datacube` of the class DataCube,
with the axes Rx, Ry (places of the probe) and Qx, Qy (pixels of a pattern), its pixel sizes the root's metadata
`calibration`. Maps over the places are arrays below the scan.
"""
from __future__ import annotations

from typing import Any, Mapping, Sequence

import h5py
import numpy as np

from . import writing
from .formats import Axis

ROOT = "datacube_root"
SCAN = f"{ROOT}/datacube"  # its values lie in SCAN/data, for readers of plain HDF5


def write_scan(path: str, counts: np.ndarray, axes: Sequence[Axis], calibration: Mapping[str, Any],
               notes: Mapping[str, Any], maps: Mapping[str, tuple[np.ndarray, str]]) -> None:
    """A scan [Rx][Ry][Qx][Qy] with its four `axes`; `calibration` has py4DSTEM's names, `notes` any, and `maps` are
    arrays [Rx][Ry] with their units. Packed pattern by pattern of a row, so that others read parts of it quickly."""
    with writing.hdf5(path) as file:
        file.attrs.update({"emd_group_type": "file", "version_major": 1, "version_minor": 0})
        file.attrs["authoring_program"] = "stzpost"
        root = _group(file, ROOT, "root", "Root")
        bundle = root.create_group("metadatabundle")
        bundle.attrs["emd_group_type"] = "metadatabundle"
        _metadata(bundle, "calibration", "Calibration", calibration)
        _metadata(bundle, "simulation", "Metadata", notes)
        packing = {"chunks": (1,) + counts.shape[1:], "compression": "gzip", "compression_opts": 4, "shuffle": True}
        names = ("Rx", "Ry", "Qx", "Qy")
        scan = _array(root, "datacube", "DataCube", counts, "counts", zip(names, axes), packing)
        for name, (values, unit) in maps.items():
            _array(scan, name, "Array", values, unit, zip(names, axes[:2]), {})


def _group(parent: h5py.Group, name: str, kind: str, python_class: str) -> h5py.Group:
    group = parent.create_group(name)
    group.attrs.update({"emd_group_type": kind, "python_class": python_class})
    return group


def _array(parent, name, python_class, values, unit, axes, packing) -> h5py.Group:
    group = _group(parent, name, "array", python_class)
    group.create_dataset("data", data=values, **packing).attrs["units"] = unit
    for number, (label, axis) in enumerate(axes):
        places = axis.offset + axis.scale * np.arange(values.shape[number])
        group.create_dataset(f"dim{number}", data=places).attrs.update({"name": label, "units": axis.units})
    return group


def _metadata(bundle: h5py.Group, name: str, python_class: str, entries: Mapping[str, Any]) -> None:
    """Truth values, numbers, arrays and texts, each with the name of its type, by which readers turn it back."""
    group = _group(bundle, name, "metadata", python_class)
    for key, value in entries.items():
        kinds = {bool: "bool", str: "string", np.ndarray: "array"}
        kind = kinds.get(type(value), "number")
        stored = np.bytes_(value.encode()) if kind == "string" else value
        group.create_dataset(key, data=stored).attrs["type"] = np.bytes_(kind)
