# SPDX-License-Identifier: GPL-3.0-or-later
import os
import pathlib
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads only wait for each other
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import newer  # noqa: E402  (beside this file)


def pytest_configure(config):
    newer.take_away()
    config.addinivalue_line("markers", "full: needs what only `run/setup --full` installs; fails without it")
