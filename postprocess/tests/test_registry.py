# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of analyses: what an entry promises is there, and no module with an `analyse` of a result lacks an entry."""
import ast
import importlib
from pathlib import Path

import pytest
import stzpost
from stzpost.analysis import registry
from stzpost.plots import figures

FOLDER = Path(stzpost.__file__).parent / "analysis"


@pytest.mark.parametrize("entry", registry.ANALYSES, ids=lambda entry: entry.name)
def test_an_entry_keeps_its_word(entry):
    module = importlib.import_module(f"stzpost.analysis.{entry.module}")
    assert callable(getattr(module, "analyse", None)), f"analysis/{entry.module}.py has no analyse(result)"
    assert callable(getattr(module, "quantities", None)), f"analysis/{entry.module}.py has no quantities(found)"
    name = entry.name.replace("-", "_")
    assert callable(getattr(figures, name, None)), f"plots/figures.py has no {name}(found)"
    assert entry.help and not entry.help.endswith(".") and entry.caption.endswith(".")


def test_no_module_is_forgotten():
    listed = {entry.module for entry in registry.ANALYSES}
    for path in sorted(FOLDER.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        takes = [one.arg for one in functions["analyse"].args.args] if "analyse" in functions else []
        if takes[:1] == ["result"] and "quantities" in functions and path.stem != "registry":
            assert path.stem in listed, f"analysis/{path.name} has no entry in ANALYSES (analysis/registry.py)"
