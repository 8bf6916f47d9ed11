#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The points engine against the direct one, in small: engines.py PROGRAM SOURCE_DIR with its settings."""
import sys

import engines

if __name__ == "__main__":
    sys.argv += "--engine points --scenario relaxation --seeds 8 --first 101 --jobs 2 --alpha 0.01".split()
    engines.main()
