# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays that are read from files where they are used: numpy's protocols for arrays of other kinds (NEP 13 and 18), which
xarray takes without any part of it that is private."""
from abc import abstractmethod
from typing import Any, Optional

import numpy as np


class Lazy(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of `name`, `shape` and `dtype` whose parts `_read` gets. Whatever is done with it gives a numpy array."""

    name: str
    shape: tuple
    dtype: np.dtype

    @abstractmethod
    def _read(self, key: tuple) -> Any:
        """The part at a key of integers and slices, one of each dimension."""

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<{self.name}, {self.shape}, {self.dtype}, not read yet>"

    def _repr_inline_(self, max_width: int) -> str:
        return "..."

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> np.ndarray:
        return np.asarray(self[...], dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return getattr(ufunc, method)(*_plain(inputs), **options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: dict) -> Any:
        return function(*_plain(args), **{name: _plain(value) for name, value in options.items()})

    def astype(self, dtype: Any, **options: Any) -> np.ndarray:
        return np.asarray(self).astype(dtype, **options)

    def transpose(self, *order: Any) -> np.ndarray:
        return np.asarray(self).transpose(*order)

    def reshape(self, *shape: Any) -> np.ndarray:
        return np.asarray(self).reshape(*shape)

    def __getitem__(self, key: Any) -> Any:
        """As of a numpy array. What is read is the box around the places that are asked for."""
        parts = list(key) if isinstance(key, tuple) else [key]
        at = next((i for i, part in enumerate(parts) if part is Ellipsis), len(parts))
        parts[at : at + 1] = [slice(None)] * (self.ndim - len(parts) + (at < len(parts)))
        if not any(isinstance(part, (np.ndarray, list)) for part in parts):
            return self._read(tuple(parts))
        pairs = [_box(part) for part in parts]
        return self._read(tuple(box for box, _ in pairs))[tuple(rest for _, rest in pairs)]


def _plain(value: Any) -> Any:
    """The value with numpy arrays in place of lazy ones."""
    if isinstance(value, (tuple, list)):
        return type(value)(_plain(part) for part in value)
    return np.asarray(value) if isinstance(value, Lazy) else value


def _box(part: Any) -> tuple[slice, Any]:
    """The slice that holds all places of an index, and the index within it."""
    if isinstance(part, slice):
        return part, slice(None)
    places = np.asarray(part)
    places = np.flatnonzero(places) if places.dtype == bool else places
    low = int(places.min()) if places.size else 0
    return slice(low, int(places.max()) + 1 if places.size else 0), places - low
