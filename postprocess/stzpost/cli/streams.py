# SPDX-License-Identifier: GPL-3.0-or-later
"""stdout and stderr, whatever the caller has made of them."""
import contextlib
import io
import os
import sys


class _Lossy(io.FileIO):
    """What cannot be written is lost: a message is no reason to end."""

    def write(self, data):
        with contextlib.suppress(OSError):
            return super().write(data)
        return len(data)


def prepare():
    """No character and no failure of stderr is an error; a stream that was closed (`>&-`) becomes one that fails when it is
    used, else the next file to be opened would get its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_WRONLY if number == 0 else os.O_RDONLY)
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)
    if sys.stderr is sys.__stderr__:  # else somebody else's, as a test's
        encoding = sys.stderr.encoding if sys.stderr else "utf-8"
        sys.stderr = io.TextIOWrapper(_Lossy(2, "w", closefd=False), encoding, write_through=True)
    for stream in sys.stdout, sys.stderr:
        stream.reconfigure(errors="replace")


def forget_stdout():
    """What is left of stdout cannot be written as Python ends either."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
