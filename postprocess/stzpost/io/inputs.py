# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a command has read. Where its output is one of them, the name is a slip, and a result of hours would be
lost."""
import contextlib
import os

_read = None  # (device, number) of each; None outside a command, as in a session that works with a file for days


@contextlib.contextmanager
def remembered():
    """What is read inside is not replaced inside."""
    global _read
    before, _read = _read, set()
    try:
        yield
    finally:
        _read = before


def note(path):
    """Tells that a file is being read."""
    if _read is not None:
        with contextlib.suppress(OSError):
            _read.add(_number(path))


def is_one(path):
    """Whether a path leads to a file that was read."""
    try:
        return bool(_read) and _number(path) in _read
    except OSError:
        return False


def _number(path):
    status = os.stat(path)
    return status.st_dev, status.st_ino
