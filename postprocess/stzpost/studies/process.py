# SPDX-License-Identifier: GPL-3.0-or-later
"""A run from Python: `stzpost.run(input, to=...)`. The program is a process of its own, so that no failure of it can end
Python, and MPI has its ranks."""
from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, Union

from ..errors import Stopped, StzPostError
from ..text import plain
from .sweeps import value_text

if TYPE_CHECKING:
    import xarray as xr

STOPPED = 75  # exit code of a run that wrote a checkpoint
MOST_RANKS = 65536  # of a number beyond, a slip, mpirun makes lists that fill the memory
LINE = re.compile(
    r"\s*(?P<percent>\d+) %, (?P<left>.*?)  (?P<segment>\d+)/(?P<segments>\d+) (?P<type>\S+)  strain (?P<strain>\S+) %  "
    r"(?P<stress>\S+) GPa  t (?P<time>\S+) s  (?P<events>\d+) events"
)


@dataclass(frozen=True)
class Progress:
    """How far a run is, of a line that the program wrote (some seconds apart)."""

    share: float  # of the run that is done, 0 to 1
    left: str  # as "2 min left"
    segment: int  # of the protocol, from 1
    segments: int
    type: str  # of the segment
    strain: float
    stress_GPa: float
    time_s: float
    events: int


def run(
    config: Union[str, "os.PathLike[str]", Mapping],
    to: Union[str, "os.PathLike[str]", None] = None,
    *,
    ranks: int = 1,
    progress: Optional[Callable[[Progress], Any]] = None,
    program: str = "stzkmc",
    restart: bool = False,
    force: bool = False,
    max_walltime_s: Optional[float] = None,
    **settings: Any,
) -> "xr.Dataset":
    """Carries out a run and returns it as `open_run` does.

    ================  ===================================================================================
    `config`          the path of an input file; or its text (with a line break); or the input as nested dicts
    `to`              the result file; default: the input's name with .h5 in the current folder, else run.h5
    `ranks`           of MPI
    `progress`        a function that is called with a `Progress` while the run goes on
    `program`         the engine, a name on PATH or a path
    `restart`         go on from the newest checkpoint; a finished result is taken as it is
    `force`           replace an existing result
    `max_walltime_s`  stop after so long, with a checkpoint
    `settings`        groups and keys over the input, as dicts: lattice={"cells": [16, 16, 16]},
                      protocol={0: {"rate_per_s": 1e-5}}, run={"seed": 2}
    ================  ===================================================================================

    Raises StzPostError with the program's one-line message; `code` is its exit code. KeyboardInterrupt (also in a
    notebook) makes the program write a checkpoint first; then the same call with `restart=True` goes on. A second one
    kills it. An exception of `progress` stops the run alike. `Stopped` (a StzPostError) says that it ended early by
    itself, with a checkpoint: by `max_walltime_s`, or a signal from elsewhere.
    """
    with contextlib.ExitStack() as files:
        path = _input_file(config, files)
        if to is None:
            named = not isinstance(config, Mapping) and "\n" not in os.fspath(config)
            to = os.path.splitext(os.path.basename(path))[0] + ".h5" if named else "run.h5"
        output = os.fspath(to)
        command = [find(program), "run", path, "-o", output]
        command += ["--restart"] * restart + ["--force"] * force
        if max_walltime_s is not None:
            command += ["--max-walltime", repr(float(max_walltime_s))]
        for name, value in _flat(settings):
            command += ["--set", f"{name}={value_text(value)}"]
        if ranks != 1:
            command = [_mpirun(ranks), "--bind-to", "none", "-n", str(ranks), *command]
        for word in command:
            _expect_text(word)
        _carry_out(command, output, progress)
    from ..io.dataset import open_run

    return open_run(output)


def find(program: str, option: str = "program") -> str:
    """The engine's path."""
    found = shutil.which(program)
    if not found:
        raise StzPostError(
            f"{option}: {program}: no such program; build it (cmake --build build), then put build/src on PATH or give "
            f"{option} build/src/stzkmc"
        )
    return os.path.abspath(found)


def _mpirun(ranks):
    if not isinstance(ranks, int) or not 1 <= ranks <= MOST_RANKS:
        raise StzPostError(f"ranks: got {ranks!r}, needs a whole number from 1 to {MOST_RANKS}")
    found = shutil.which("mpirun")
    if not found:
        raise StzPostError(f"ranks: got {ranks}, and no mpirun is on PATH")
    return found


def _input_file(config, files):
    """The path of the input, which is written beside where the call is made if it is a text, so that its models and
    fields are found as from there."""
    if not isinstance(config, Mapping):
        text = os.fspath(config)
        if "\n" not in text:
            return os.path.join(os.curdir, text) if text.startswith("-") else text
    else:
        text = input_text(config)
    _expect_text(text)
    try:
        handle, path = tempfile.mkstemp(".cfg", ".run-", os.getcwd(), text=True)
    except OSError as error:
        raise StzPostError(f"{os.getcwd()}: {error.strerror}: no input can be written here") from error
    files.callback(os.unlink, path)
    with os.fdopen(handle, "wb") as file:
        file.write(os.fsencode(text))
    return path


def _expect_text(words):
    """Refuses what neither a file nor an argument of a program can hold; names of files that are not UTF-8 can be."""
    try:
        held = b"\0" not in os.fsencode(words)
    except UnicodeEncodeError:
        held = False
    if not held:
        raise StzPostError(f"{plain(words)[:200]}: needs a text without NUL and half characters")


def input_text(config: Mapping, indent: str = "") -> str:
    """Nested dicts in the syntax of inputs: a dict is a group, a list of dicts a list of groups."""
    lines = []
    for name, value in config.items():
        if isinstance(value, Mapping):
            lines.append(f"{indent}{name}: {{\n{input_text(value, indent + '  ')}{indent}}};\n")
        elif isinstance(value, (list, tuple)) and value and all(isinstance(one, Mapping) for one in value):
            groups = ",\n".join(f"{indent}  {{\n{input_text(one, indent + '    ')}{indent}  }}" for one in value)
            lines.append(f"{indent}{name} = (\n{groups}\n{indent});\n")
        else:
            lines.append(f"{indent}{name} = {value_text(value)};\n")
    return "".join(lines)


def _flat(settings, place=""):
    """(path, value) of nested dicts; of a list of groups the numbers are keys, or a list of dicts stands for all."""
    for name, value in settings.items():
        if isinstance(value, (list, tuple)) and value and all(isinstance(one, Mapping) for one in value):
            value = dict(enumerate(value))
        path = f"{place}[{name}]" if isinstance(name, int) else f"{place}.{name}".lstrip(".")
        if isinstance(value, Mapping):
            yield from _flat(value, path)
        else:
            yield path, value


def _carry_out(command, output, progress):
    """The process to its end; whatever interrupts the wait makes it write a checkpoint."""
    said = deque(maxlen=200)
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        encoding="utf-8", errors="replace", start_new_session=True,
    )
    with process:
        try:
            for line in process.stderr:
                said.append(line.rstrip("\n"))
                told = LINE.search(line)
                if told and progress:
                    progress(_progress(told))
        except BaseException:
            _stop(process)
            raise
    if process.returncode:
        message = _message(said, process.returncode, command)
        if process.returncode == STOPPED:
            raise Stopped(f"{message}; run(..., to={output!r}, restart=True) goes on")
        error = StzPostError(message)
        error.code = process.returncode
        raise error


def _stop(process):
    """Asks for a checkpoint and waits for it; kills when interrupted again. USR1, since mpirun hands that on to all."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGUSR1)
    try:
        process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise


def _message(said, code, command):
    """The line of the program, else the first that mpirun or the system said."""
    own = [line.removeprefix("stzkmc: ") for line in said if line.startswith("stzkmc: ")]
    stopped = [re.sub(r"^\S+ \S+  ", "", line) for line in said if code == STOPPED and "--restart" in line]
    other = [line for line in said if line.strip(" -")]
    return (own or stopped or other or [f"{' '.join(command[:2])}: exit {code}"])[-1 if own or stopped else 0]


def _progress(told):
    return Progress(
        int(told["percent"]) / 100,
        told["left"],
        int(told["segment"]),
        int(told["segments"]),
        told["type"],
        float(told["strain"]) / 100,
        float(told["stress"]),
        float(told["time"]),
        int(told["events"]),
    )
