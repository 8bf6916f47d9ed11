# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample in space, made ready for a browser: surfaces of the composition as triangles, and a still picture for
paper and for a browser without WebGL."""
from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..units import time_ticks, time_unit

LEVELS = (-0.5, 0.0, 0.5, 1.0, 1.5)  # of the surfaces: deviations above the mean
FIRST = 0.5  # the level that is shown first
STEPS = 65535  # of a coordinate, in 16 bits
SURFACE = "#bfb273"
NO_MESHER = (
    "scikit-image is not installed (Debian: python3-skimage): the page shows no surface of the composition"
)


@dataclass
class Mesh:
    """The surface at a value of the composition."""

    level: float
    corners: np.ndarray  # [corner][3], nm
    triangles: np.ndarray  # [triangle][3], indices of corners


def surfaces(field: np.ndarray, step_nm: np.ndarray, mean: float, deviation: float) -> list[Mesh] | None:
    """Surfaces of a field [x][y][z] at LEVELS, as far as it has such values; None without scikit-image. `step_nm` is
    the distance of its values along each axis; the first lies half a step within the box."""
    try:
        from skimage.measure import marching_cubes
    except ImportError:
        return None
    found = []
    for level in (mean + one * deviation for one in LEVELS):
        if min(field.shape) < 2 or not field.min() < level < field.max():
            continue
        corners, triangles, *_ = marching_cubes(field, level, spacing=tuple(step_nm), allow_degenerate=False)
        found.append(Mesh(float(level), corners + np.asarray(step_nm) / 2, triangles))
    return found


def packed(meshes: list[Mesh], unit_nm: float) -> list[dict[str, Any]]:
    """Surfaces for JSON: whole numbers of `unit_nm`, columns after each other, in base64."""
    made = []
    for mesh in meshes:
        bits = 16 if len(mesh.corners) <= STEPS else 32
        corners = np.round(mesh.corners / unit_nm).astype("<u2")
        triangles = mesh.triangles.astype(f"<u{bits // 8}")
        made.append(
            {"level": round(mesh.level, 4), "corners": _text(corners), "triangles": _text(triangles), "bits": bits}
        )
    return made


def _text(columns: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(columns.T).tobytes()).decode("ascii")


def still(
    box_nm: np.ndarray, mesh: Mesh | None, places: np.ndarray, times_s: np.ndarray, logarithmic: bool
) -> bytes:
    """The picture, as PNG: the surface, and events [event][3] (nm) coloured by their times."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    with matplotlib.rc_context({"font.size": 9}):
        figure = Figure(figsize=(7.2, 5.4), dpi=150)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0.02, 0.86, 0.98), projection="3d", computed_zorder=False)
        if mesh is not None:
            faces = mesh.corners[mesh.triangles]
            axes.add_collection3d(Poly3DCollection(faces, facecolors=_shaded(faces), zorder=1))
        if len(places):
            norm = matplotlib.colors.LogNorm() if logarithmic else None
            looks = {"s": 9, "cmap": "viridis", "depthshade": False, "linewidths": 0, "zorder": 2}
            unit, length = ("", 1.0) if logarithmic else time_unit(times_s[-1])
            dots = axes.scatter(*places.T, c=times_s / length, norm=norm, **looks)
            label = "time" if logarithmic else f"time ({unit})"
            bar = figure.colorbar(dots, cax=figure.add_axes((0.86, 0.2, 0.02, 0.6)), label=label)
            if logarithmic:
                ticks = time_ticks(times_s.min(), times_s.max(), 8)
                bar.set_ticks([at for at, _ in ticks], labels=[text for _, text in ticks], minor=False)
                bar.minorticks_off()
        axes.set(xlabel="x (nm)", ylabel="y (nm)", zlabel="z (nm)")
        axes.set(xlim=(0, box_nm[0]), ylim=(0, box_nm[1]), zlim=(0, box_nm[2]))
        axes.set_box_aspect(box_nm)
        axes.view_init(elev=23, azim=40)
        return _png(figure)


def _shaded(faces: np.ndarray) -> np.ndarray:
    """Colours of triangles under a light from above, half transparent."""
    from matplotlib.colors import to_rgba

    normals = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    sizes = np.linalg.norm(normals, axis=1)
    light = np.abs(normals @ np.array([0.3, 0.3, 0.9])) / np.where(sizes > 0, sizes, 1)
    colours = np.tile(to_rgba(SURFACE, 0.35), (len(faces), 1))
    colours[:, :3] *= (0.6 + 0.4 * light)[:, None]
    return np.clip(colours, 0, 1)


def _png(figure) -> bytes:
    """In 256 colours, rare ones among them: a third of the bytes, and no eye sees it."""
    from PIL import Image

    figure.canvas.draw()
    whole = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[..., :3])
    small = io.BytesIO()
    whole.quantize(256, Image.MAXCOVERAGE).save(small, format="PNG", optimize=True)
    return small.getvalue()
