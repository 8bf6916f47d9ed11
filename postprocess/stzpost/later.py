# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of this package that are imported at their first use: NumPy, xarray, SciPy and matplotlib take most of a
second to import, and a short command needs none of them."""
from __future__ import annotations

import importlib
from typing import Any, Callable


class Module:
    """Stands for a module; an attribute of it imports the module."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(f".{self._name}", __package__), attribute)


def function(module: str, name: str) -> Callable:
    """Stands for a function of a module; a call imports the module."""

    def call(*args, **kwargs):
        return getattr(Module(module), name)(*args, **kwargs)

    return call
