# SPDX-License-Identifier: GPL-3.0-or-later
"""Room of stzpost that makes numbers of a result."""
