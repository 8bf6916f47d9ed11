# SPDX-License-Identifier: GPL-3.0-or-later
"""Interactive pages: one self-contained HTML file of a run, to be looked at in a browser without a network."""
from .build import write_run

__all__ = ["write_run"]
