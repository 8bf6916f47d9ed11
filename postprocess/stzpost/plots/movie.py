# SPDX-License-Identifier: GPL-3.0-or-later
"""Movies of a run: strain and events over time.

`plane` draws with matplotlib the plastic strain through the sample, the events of each frame, and the stress-strain or
stress-time curve. `space` draws with VTK the surface of the composition and the events as they come, coloured by their
time; VTK needs a display, which may be virtual (xvfb-run). The file's ending says the format: .mp4 (by ffmpeg) or .gif.
"""
from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from typing import Iterator

import matplotlib
import numpy as np
from matplotlib.animation import FFMpegWriter, PillowWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..analysis.growth import growth
from ..errors import StzPostError
from ..io import writing
from ..io.dataset import open_run
from ..io.result import Result
from ..units import time_text
from . import style
from .style import BLACK, BLUE, MM, VERMILLION

FORMATS = (".mp4", ".gif")
SIZE = (960, 720)  # pixels of a frame in space
PLANE_DPI = 140
BRIGHT = 40  # the last events, which are marked in the plane


def check(path: str) -> None:
    """Refuses a format that cannot be written here, before anything is drawn."""
    ending = os.path.splitext(path)[1].lower()
    if ending not in FORMATS:
        raise StzPostError(f"-o: got {path}, needs a name that ends in {' or '.join(FORMATS)}")
    if ending == ".mp4" and shutil.which("ffmpeg") is None:
        raise StzPostError(f"{path}: ffmpeg is not installed; a name that ends in .gif needs none")


def default_view() -> str:
    """In space where VTK and a display are there, else in the plane."""
    if not os.environ.get("DISPLAY"):
        return "plane"
    try:
        import vtkmodules.vtkRenderingCore  # noqa: F401
    except ImportError:
        return "plane"
    return "space"


def plane(result: Result, path: str, frames: int, rate: int) -> int:
    """Writes the movie of the plane x, z; returns the number of frames."""
    run = open_run(result.path)
    found = growth(result, run, frames)
    if len(found) < 2:
        raise StzPostError(f"{result.path}: nothing that grows (needs output.events or output.snapshots = true)")
    with matplotlib.rc_context({**style.RC, "figure.dpi": PLANE_DPI, "savefig.dpi": PLANE_DPI}):
        figure, (left, right) = style.new(160 * MM, 74 * MM, ncols=2)
        image, dots, title = _map(figure, left, run, found)
        mark = _curve(right, run)
        figure.canvas.draw()
        figure.set_layout_engine("none")  # nothing moves from frame to frame
        with _saving(figure, path, rate, PLANE_DPI) as writer:
            for one in found:
                image.set_data(one.percent.T)
                dots.set_offsets(_places(run, slice(max(0, one.events.stop - BRIGHT), one.events.stop)))
                title.set_text(one.label)
                stress = np.interp(one.time_s, run["time"].values, run["stress_axial_GPa"].values)
                mark.set_data([mark.abscissa(one)], [stress])
                writer.grab_frame()
    return len(found)


def space(result: Result, path: str, frames: int, rate: int) -> int:
    """Writes the movie in space; returns the number of frames."""
    if not os.environ.get("DISPLAY"):  # VTK would end the process
        raise StzPostError("--view space: VTK needs a display; a virtual one will do (xvfb-run stz-post movie ...)")
    from ..analysis.scene import Scene

    run = open_run(result.path)
    if "field_composition" not in run or not run.sizes.get("event", 0):
        raise StzPostError(f"{result.path}: no events (output.events = true)")
    figure = Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100))
    FigureCanvasAgg(figure)
    axes = figure.add_axes([0, 0, 1, 1])
    axes.set_axis_off()
    count = 0
    with _saving(figure, path, rate, 100) as writer:
        for picture in _shots(Scene(result, run, SIZE), run, frames):
            axes.clear()
            axes.set_axis_off()
            axes.imshow(picture, aspect="auto")
            writer.grab_frame()
            count += 1
    return count


def _shots(scene, run, frames: int) -> Iterator[np.ndarray]:
    times = run["event_time_s"].values
    for number in range(frames):
        end = round(len(times) * number / max(1, frames - 1))
        at = float(times[end - 1]) if end else 0.0
        yield scene.shot(end, 90.0 * number / frames, f"{time_text(at)}, {end} events")


@contextlib.contextmanager
def _saving(figure, path: str, rate: int, dpi: int):
    """What grabs the frames; the movie gets its name when it is whole."""
    writer = (FFMpegWriter if path.lower().endswith(".mp4") else PillowWriter)(fps=rate)
    try:
        with writing.replacing(path) as temporary, writer.saving(figure, temporary, dpi):
            yield writer
    except subprocess.CalledProcessError as error:
        raise StzPostError(f"{path}: ffmpeg could not write it (exit code {error.returncode})") from error


def _map(figure, axes, run, found):
    size = [float(run.attrs["spacing_nm"]) * run.sizes[axis] for axis in "xz"]
    top = max(one.percent.max() for one in found)
    image = axes.imshow(found[0].percent.T, origin="lower", extent=[0, size[0], 0, size[1]], cmap="cividis", vmin=0,
                        vmax=top)
    dots = axes.scatter([], [], s=7, facecolor="none", edgecolor="white", linewidth=0.6)
    axes.set(xlabel="x (nm), tension", ylabel="z (nm)")
    axes.tick_params(top=False, right=False, direction="out")
    figure.colorbar(image, ax=axes, location="left", shrink=0.85, pad=0.02).set_label("plastic strain (%)")
    return image, dots, axes.set_title(found[-1].label)


def _places(run, events: slice) -> np.ndarray:
    if not run.sizes.get("event", 0) or events.stop <= events.start:
        return np.empty((0, 2))
    sites = run["event_site"][events.start : events.stop].values
    return float(run.attrs["spacing_nm"]) * (sites[:, [0, 2]] + 0.5)


def _curve(axes, run):
    """The whole curve, and a mark that a frame moves: against strain if it changes, else against time."""
    strain, time, stress = (run[name].values for name in ("strain_axial", "time", "stress_axial_GPa"))
    straining = np.ptp(strain) > 0.2 * abs(strain[-1])
    x = 100 * strain if straining else time
    axes.plot(x, stress, color=BLUE)
    (mark,) = axes.plot([], [], "o", color=VERMILLION, mec=BLACK, ms=6)
    axes.set(xlabel="axial strain (%)" if straining else "time (s)", ylabel="axial stress (GPa)")
    mark.abscissa = (lambda one: 100 * one.strain) if straining else (lambda one: one.time_s)
    return mark


VIEWS = {"plane": plane, "space": space}
