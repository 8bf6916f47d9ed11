# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic measurements with the truth attached (docs/synthetic.md).

A *specimen* is a simulated sample, i.e. a result file. Each kind of data has a module with its noise model, a frozen
dataclass of settings, whose fields are the options of `stz-post synth KIND`, and `make(specimen, settings)`, which
writes the specimen's files and says what they are.
"""
from .dataset import KINDS, TITLES, find_specimens, make_set, options
from .specimen import Specimen

__all__ = ["KINDS", "TITLES", "Specimen", "find_specimens", "make_set", "options"]
