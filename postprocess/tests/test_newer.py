# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing private of other libraries is used, nor what their newer versions removed. That the commands run without the
removed names is what all tests of this folder show: conftest.py takes these away first."""
import ast
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from newer import REMOVED

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = [path for folder in (HERE.parent, HERE.parent.parent / "tests", HERE.parent.parent / "run")
           for path in sorted(folder.rglob("*.py")) if path.name != "newer.py"]
LIBRARIES = ("numpy", "scipy", "xarray", "matplotlib", "h5py", "hyperspy", "vtk")
METHODS = {"ptp", "itemset", "newbyteorder", "tostring"}  # of numpy's arrays


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def private(name):
    first, *rest = name.split(".")
    return first in LIBRARIES and any(part == "core" or part.startswith("_") for part in rest)


def called(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_only_public_names_that_stay(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [name for name in imported(tree) if private(name)]
    gone = set(REMOVED["numpy"].split())
    assert not [attr for owner, attr in called(tree) if owner in ("np", "numpy") and attr in gone]
    assert not [attr for owner, attr in called(tree) if owner not in ("np", "numpy") and attr in METHODS]


def test_removed_names_are_away():
    assert "trapz" in REMOVED["numpy"].split()
    with pytest.raises(AttributeError, match="newer versions"):
        getattr(np, "trapz")  # noqa: B009  (the check above is not to see it)


def test_module_is_the_command():
    words = [sys.executable, "-m", "stzpost", "--help"]
    done = subprocess.run(words, cwd=HERE.parent, capture_output=True, text=True)
    assert done.returncode == 0 and "stress-strain" in done.stdout
