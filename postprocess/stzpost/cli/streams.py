# SPDX-License-Identifier: GPL-3.0-or-later
"""stdout and stderr, whatever the caller has made of them."""
import contextlib
import io
import os
import sys

from .. import text


class _Plain(io.TextIOWrapper):
    """Names of files and heads of tables do not steer a terminal."""

    def write(self, words):
        super().write(text.lines(words))
        return len(words)


class _Lossy(io.FileIO):
    """What cannot be written is lost: a message is no reason to end."""

    def write(self, data):
        with contextlib.suppress(OSError):
            return super().write(data)
        return len(data)


def prepare():
    """What is printed is plain, and no character and no failure of stderr is an error. A stream that was closed (`>&-`)
    becomes one that fails when it is used, else the next file to be opened would get its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_WRONLY if number == 0 else os.O_RDONLY)
    for name, number in ("stdout", 1), ("stderr", 2):
        stream = getattr(sys, name)
        if stream is not getattr(sys, f"__{name}__"):  # somebody else's, as a test's
            with contextlib.suppress(AttributeError):
                stream.reconfigure(errors="replace")
        else:
            file = _Lossy(2, "w", closefd=False) if number == 2 else open(1, "wb", closefd=False)
            coding = stream.encoding if stream else "utf-8"
            setattr(sys, name, _Plain(file, coding, "replace", line_buffering=os.isatty(number), write_through=number == 2))


def forget_stdout():
    """What is left of stdout cannot be written as Python ends either."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
