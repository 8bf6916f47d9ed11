# SPDX-License-Identifier: GPL-3.0-or-later
"""Post-processing of stzkmc result files: see docs/postprocessing.md for what is computed and how."""
import importlib
import os
from typing import TYPE_CHECKING

from .errors import StzPostError

if TYPE_CHECKING:
    from .analysis.flow import flow_properties
    from .io.dataset import open_run
    from .io.result import Result, open_result
    from .io.sweep import open_sweep
    from .studies.process import input_text, run

STYLE = os.path.join(os.path.dirname(__file__), "plots", "stzpost.mplstyle")  # for matplotlib: plt.style.use(stzpost.STYLE)
SUFFIXES = (".png", ".pdf", ".svg")  # of figures
__version__ = "1.0.0"

__all__ = ["Result", "STYLE", "StzPostError", "flow_properties", "input_text", "open_result", "open_run", "open_sweep", "run"]

# Imported at their first use, since NumPy and xarray take long to import.
_LATER = {
    "open_run": "io.dataset",
    "Result": "io.result",
    "open_result": "io.result",
    "flow_properties": "analysis.flow",
    "open_sweep": "io.sweep",
    "input_text": "studies.process",
    "run": "studies.process",
}


def __getattr__(name):
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)


def __dir__():
    return sorted({*globals(), *__all__})
