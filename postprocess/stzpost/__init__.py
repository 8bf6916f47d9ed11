# SPDX-License-Identifier: GPL-3.0-or-later
"""Post-processing of stzkmc result files: see docs/postprocessing.md for what is computed and how."""
from .errors import StzPostError
from .result import Result, open_result
from .sweep import flow_properties, open_sweep

__all__ = ["Result", "StzPostError", "flow_properties", "open_result", "open_sweep"]
__version__ = "0.1.0"
