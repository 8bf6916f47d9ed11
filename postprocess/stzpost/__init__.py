# SPDX-License-Identifier: GPL-3.0-or-later
"""Post-processing of stzkmc result files: see docs/postprocessing.md for what is computed and how."""
from .errors import StzPostError
from .result import Result, open_result

__all__ = ["Result", "StzPostError", "open_result"]
__version__ = "0.1.0"
