# SPDX-License-Identifier: GPL-3.0-or-later
"""`python3 -m stzpost` is `stz-post`."""
import sys

from .cli.main import main

sys.exit(main())
