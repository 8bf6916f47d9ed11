# SPDX-License-Identifier: GPL-3.0-or-later
"""Interactive pages: one self-contained HTML file of a run or of a sweep, for a browser without a network."""
from .interactive import write_run, write_sweep

__all__ = ["write_run", "write_sweep"]
