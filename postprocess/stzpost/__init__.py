# SPDX-License-Identifier: GPL-3.0-or-later
"""Post-processing of stzkmc result files: see docs/postprocessing.md for what is computed and how."""
import os

STYLE = os.path.join(os.path.dirname(__file__), "stzpost.mplstyle")  # for matplotlib: plt.style.use(stzpost.STYLE)
__version__ = "0.1.0"

from .dataset import open_run  # noqa: E402  (modules below use the names above)
from .errors import StzPostError  # noqa: E402
from .result import Result, open_result  # noqa: E402
from .sweep import flow_properties, open_sweep  # noqa: E402

__all__ = ["Result", "STYLE", "StzPostError", "flow_properties", "open_result", "open_run", "open_sweep"]
