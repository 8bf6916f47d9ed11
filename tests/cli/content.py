# SPDX-License-Identifier: GPL-3.0-or-later
"""What two runs that must be the same are compared by."""
import os

import h5py
import numpy as np

TOLD = {"/@created_utc", "/@command_line", "/@ranks"}  # what a run says of itself; `ranks` is 1 on any number


def content(path):
    """Every dataset and attribute of a file but what tells when and how it was made, as bytes."""
    found = {}

    def take(name, item):
        for key, value in item.attrs.items():
            found[f"{name}@{key}"] = np.asarray(value).tobytes() if not isinstance(value, str) else value
        if isinstance(item, h5py.Dataset):
            found[name] = item[()].tobytes() if item.dtype.kind != "O" else str(item[()])

    with h5py.File(path, "r") as file:
        take("/", file)
        file.visititems(take)
    return {name: value for name, value in found.items() if name not in TOLD}


def files_of(folder, stem):
    return sorted(name for name in os.listdir(folder) if name.startswith(stem + ".") and name.endswith(".h5"))
