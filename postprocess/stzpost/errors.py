# SPDX-License-Identifier: GPL-3.0-or-later
"""The one kind of failure that a user may see: bad input, or data that the file does not hold."""


class StzPostError(Exception):
    """Its text is one line, shown after `stz-post:`."""

    code = 2  # exit code of the command


class NoData(StzPostError):
    """The file is whole, and does not hold what is asked for."""


class Stopped(StzPostError):
    """Stopped early by a signal; the same command goes on."""

    code = 75
