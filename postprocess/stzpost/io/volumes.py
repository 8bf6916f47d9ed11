# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields over voxels as other programs leave them: NumPy (.npy, .npz), VTK's images (.vti), HDF5. `read` gives the values
[x][y][z] and what was understood; `write` makes the HDF5 that `microstructure.file` reads."""
from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from typing import Any, Optional

import h5py
import numpy as np

from ..errors import StzPostError
from . import inputs, writing
from .files import open_file, reading

DATASET = "/microstructure/composition"  # where `microstructure.file` looks if no other is named


@dataclass(frozen=True)
class Choice:
    """How a file is to be read: name of the array, its axes in the order of its indices (a capital letter for one that
    runs backwards), the voxel of the file that becomes the first, and how many voxels from there on, each x y z."""

    array: Optional[str] = None
    axes: Optional[str] = None
    origin: Optional[tuple[int, int, int]] = None
    cells: Optional[tuple[int, int, int]] = None
    scale: float = 1.0


def read(path: str, choice: Choice) -> tuple[np.ndarray, list[str]]:
    """Values [x][y][z], and notes."""
    if not os.path.isfile(path):
        raise StzPostError(f"{path}: no such file")
    suffix = os.path.splitext(path)[1].lower()
    readers = {".npy": _read_npy, ".npz": _read_npz, ".vti": _read_vti}
    with reading(path):
        reader = readers.get(suffix) or (_read_hdf5 if h5py.is_hdf5(path) else None)
    if not reader:
        raise StzPostError(f"{path}: needs {', '.join(readers)} or a file in HDF5 format")
    inputs.note(path)
    values, axes, name = reader(path, choice)
    if values.dtype.kind not in "biuf":
        raise StzPostError(f"{path}: {name}: got values of type {values.dtype}, needs numbers")
    values, notes = _turned(path, values, axes, choice)
    values = _part(path, values, choice)
    values = choice.scale * values.astype(np.float64) if choice.scale != 1 else values
    return values, [f"{path}: {name}, {notes}", *_described(path, values)]


def write(path: str, values: np.ndarray, source: str) -> None:
    """[x][y][z], compressed, with what HDF5 says of axes."""
    with writing.hdf5(path) as file:
        kind = np.uint8 if values.dtype.kind == "b" else values.dtype
        made = file.create_dataset(DATASET, data=values.astype(kind), compression="gzip", shuffle=True)
        made.attrs.update({"source": os.path.basename(source), "dimensions": "x, y, z"})
        for number, axis in enumerate("xyz"):
            made.dims[number].label = axis


def _read_npy(path: str, choice: Choice) -> tuple[np.ndarray, str, str]:
    try:
        return np.load(path, allow_pickle=False), "xyz", "array"
    except (ValueError, OSError, EOFError) as error:
        raise StzPostError(f"{path}: cannot be read as an array of NumPy: {error}") from error


def _read_npz(path: str, choice: Choice) -> tuple[np.ndarray, str, str]:
    try:
        with np.load(path, allow_pickle=False) as file:
            name = _choose(path, list(file.files), choice.array)
            return file[name], "xyz", name
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise StzPostError(f"{path}: cannot be read as an archive of NumPy: {error}") from error


def _choose(path: str, names: list[str], wanted: Optional[str]) -> str:
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted in names:
        return wanted
    given = f"no array {wanted}" if wanted else f"{len(names)} arrays, so --array is needed"
    raise StzPostError(f"{path}: {given}; it has {', '.join(names) or 'none'}")


def _read_vti(path: str, choice: Choice) -> tuple[np.ndarray, str, str]:
    """By VTK's own reader, of points or cells; VTK has x fastest, so that indices are z y x."""
    try:
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonCore import vtkObject
        from vtkmodules.vtkIOXML import vtkXMLImageDataReader
    except ImportError as error:
        raise StzPostError(f"{path}: .vti needs VTK (Debian: python3-vtk9)") from error
    vtkObject.GlobalWarningDisplayOff()
    reader = vtkXMLImageDataReader()
    failed = [] if _ends(path, b"</VTKFile>") else ["cut off"]  # VTK reads what is there, and takes anything for the rest
    reader.AddObserver("ErrorEvent", lambda *_: failed.append("told"))
    reader.SetFileName(path)
    reader.Update()
    image = reader.GetOutput()
    parts = {"point": (image.GetPointData(), 0), "cell": (image.GetCellData(), 1)}
    found = {}
    for data, fewer in parts.values():
        shape = tuple(max(1, n - fewer) for n in image.GetDimensions())[::-1]
        for number in range(data.GetNumberOfArrays()):
            array = data.GetArray(number)
            if array is not None and array.GetNumberOfComponents() == 1:
                found[array.GetName()] = (array, shape)
    if failed or reader.GetErrorCode() or not image.GetNumberOfPoints():
        raise StzPostError(f"{path}: VTK cannot read it: damaged, or no image")
    name = _choose(path, list(found), choice.array)
    array, shape = found[name]
    return vtk_to_numpy(array).reshape(shape).copy(), "zyx", name


def _ends(path: str, mark: bytes) -> bool:
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - 64))
        return file.read().rstrip().endswith(mark)


def _read_hdf5(path: str, choice: Choice) -> tuple[np.ndarray, str, str]:
    with open_file(path) as file:
        names: list[str] = []
        file.visititems(lambda name, node: names.append(name) if _is_field(node) else None)
        wanted = choice.array.strip("/") if choice.array else None
        name = _choose(path, names, wanted)
        _refuse_unwritten(path, file[name])
        return file[name][()], _declared(file[name]), name


def _is_field(node: Any) -> bool:
    return isinstance(node, h5py.Dataset) and sum(n > 1 for n in node.shape or ()) == 3 and node.dtype.kind in "biuf"


def _declared(dataset: h5py.Dataset) -> str:
    """Axes by HDF5's labels or scales, else as images of VTK have them, else x y z."""
    said = ""
    for dimension, size in zip(dataset.dims, dataset.shape):
        scales = [key or os.path.basename(scale.name) for key, scale in dimension.items()]
        said += (dimension.label or (scales or [""])[0])[-1:] if size > 1 or dataset.ndim == 3 else ""
    if sorted(said) == ["x", "y", "z"]:
        return said
    return "zyx" if dataset.name.startswith("/VTKHDF/") else "xyz"


def _refuse_unwritten(path: str, dataset: h5py.Dataset) -> None:
    """Values that were never written, or whose source is gone, read as the fill value."""
    if dataset.external or dataset.is_virtual:
        sources = [one[0] for one in dataset.external or []]
        sources += [one.file_name for one in dataset.virtual_sources()] if dataset.is_virtual else []
        gone = [s for s in sources if s != "." and not os.path.exists(os.path.join(os.path.dirname(path), s))]
        if gone:
            raise StzPostError(f"{path}: {dataset.name}: its values lie in {gone[0]}, which is not there")
    elif dataset.chunks:
        wanted = np.prod([-(-n // c) for n, c in zip(dataset.shape, dataset.chunks)])
        if dataset.id.get_num_chunks() < wanted:
            raise StzPostError(f"{path}: {dataset.name}: not all of its values were ever written")
    elif dataset.id.get_storage_size() == 0:
        raise StzPostError(f"{path}: {dataset.name}: its values were never written")


def _turned(path: str, values: np.ndarray, axes: str, choice: Choice) -> tuple[np.ndarray, str]:
    """To [x][y][z]; axes of one value beside the three are left out."""
    shape = values.shape
    values = values.reshape([n for n in shape if n > 1]) if values.ndim > 3 else values
    if values.ndim != 3:
        raise StzPostError(f"{path}: got {' x '.join(map(str, shape)) or 'one'} values, needs three dimensions")
    given = choice.axes or axes
    letters = given.lower()
    if sorted(letters) != ["x", "y", "z"]:
        raise StzPostError(f"--axes: got {given}, needs x, y and z in the order of the indices, such as zyx or zYx")
    values = values[tuple(slice(None, None, -1 if letter.isupper() else 1) for letter in given)]
    by = "as given" if choice.axes else "as declared or usual"
    return values.transpose([letters.index(letter) for letter in "xyz"]), f"indices {given} ({by})"


def _part(path: str, values: np.ndarray, choice: Choice) -> np.ndarray:
    origin = choice.origin or (0, 0, 0)
    cells = choice.cells or tuple(n - o for n, o in zip(values.shape, origin))
    if any(o < 0 or c < 1 or o + c > n for o, c, n in zip(origin, cells, values.shape)):
        raise StzPostError(f"{path}: --origin {origin} and --cells {cells} reach beyond its {values.shape} voxels")
    return values[tuple(slice(o, o + c) for o, c in zip(origin, cells))]


def _described(path: str, values: np.ndarray) -> list[str]:
    """What the values are; refuses what no composition can be."""
    bad = np.argwhere(~np.isfinite(values)) if values.dtype.kind == "f" else []
    if len(bad):
        raise StzPostError(f"{path}: {len(bad)} values are no number, the first at voxel {bad[0].tolist()}")
    low, high = float(values.min()), float(values.max())
    voxels = " x ".join(map(str, values.shape))
    said = [f"{voxels} voxels x y z, values from {low:g} to {high:g}, mean {values.mean():g}"]
    if low < 0 or high > 1:
        hint = "; percent? --scale 0.01 makes fractions of them" if low >= 0 and high <= 100 else ""
        raise StzPostError(f"{path}: values from {low:g} to {high:g}, needs 0 to 1{hint}")
    if set(np.unique(values[:1])) <= {0, 1} and np.isin(values, (0, 1)).all() and low < high:
        said.append("0 and 1 alone: a map of two phases, 1 Ni-rich")
    if low == high:
        said.append("all values are the same: never written?")
    return said
