# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays that are read from files where they are used, for xarray, by its public BackendArray alone."""
from abc import abstractmethod
from typing import Any, Optional

import numpy as np
from xarray.backends import BackendArray


class Lazy(BackendArray):
    """An array of a `shape` and a `dtype` whose parts `_read` gets. Slices of it are lazy too."""

    shape: tuple
    dtype: np.dtype

    @abstractmethod
    def _read(self, key: tuple) -> Any:
        """The part at a key of integers and slices, one of each dimension."""

    def get_duck_array(self) -> np.ndarray:
        return np.asarray(self._read((slice(None),) * len(self.shape)))

    async def async_get_duck_array(self) -> np.ndarray:
        return self.get_duck_array()

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> np.ndarray:
        return np.asarray(self.get_duck_array(), dtype)

    def transpose(self, order: Any) -> np.ndarray:
        return self.get_duck_array().transpose(order)

    @property
    def oindex(self) -> "Lazy":  # the class of an indexer says what it means
        return self

    vindex = oindex

    def __getitem__(self, key: Any) -> Any:
        """At an indexer of xarray: a lazy part, or with lists of places the box around them, read, and these places of it."""
        parts = key.tuple
        if not any(isinstance(part, np.ndarray) for part in parts):
            return _Part(self, parts)
        pairs = [_box(part, n) for part, n in zip(parts, self.shape)]
        values = np.asarray(self._read(tuple(box for box, _ in pairs)))
        return _vectorized(values, pairs) if type(key).__name__ == "VectorizedIndexer" else _outer(values, pairs)


class _Part(Lazy):
    """A part of another one: of each dimension of that one a place, or a range of them."""

    def __init__(self, whole: Lazy, key: tuple) -> None:
        self.whole, self.dtype = whole, whole.dtype
        self.places = [range(n)[part] for n, part in zip(whole.shape, key)]
        self.shape = tuple(len(place) for place in self.places if isinstance(place, range))

    def _read(self, key: tuple) -> Any:
        left = iter(key)
        chosen = [place[next(left)] if isinstance(place, range) else place for place in self.places]
        return self.whole._read(tuple(_slice(place) if isinstance(place, range) else place for place in chosen))


def _slice(places: range) -> slice:
    return slice(places.start, places.stop if places.stop >= 0 else None, places.step)


def _box(part: Any, n: int) -> tuple:
    """The slice or the place to read for an index of one dimension, and the index within what is read."""
    if not isinstance(part, np.ndarray):
        return part, part
    part = np.where(part < 0, part + n, part)
    low = int(part.min()) if part.size else 0
    return slice(low, int(part.max()) + 1 if part.size else 0), part - low


def _outer(values: np.ndarray, pairs: list) -> np.ndarray:
    left = [rest for _, rest in pairs if isinstance(rest, (slice, np.ndarray))]
    for axis, rest in enumerate(left):
        values = values[(slice(None),) * axis + (rest,)] if isinstance(rest, np.ndarray) else values
    return values


def _vectorized(values: np.ndarray, pairs: list) -> np.ndarray:
    """The dimensions of the places come first, as xarray wants it."""
    axes = [axis for axis, (_, rest) in enumerate(pairs) if isinstance(rest, np.ndarray)]
    return np.moveaxis(values, axes, range(len(axes)))[tuple(pairs[axis][1] for axis in axes)]
