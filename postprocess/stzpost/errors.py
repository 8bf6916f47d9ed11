# SPDX-License-Identifier: GPL-3.0-or-later
"""The one kind of failure that a user may see: bad input, or data that the file does not hold."""


class StzPostError(Exception):
    """Its text is one line, shown after `stz-post:`."""

    code = 2  # exit code of the command


class NoData(StzPostError):
    """The file is whole, and does not hold what is asked for."""


class Unreadable(StzPostError):
    """A file, or a part of it, that is damaged, not complete, or that the system does not give."""


class Partly(StzPostError):
    """What was asked for is made, without what a file that cannot be read should have given to it."""

    code = 1


class Stopped(StzPostError):
    """Stopped early by a signal; the same command goes on."""

    code = 75
