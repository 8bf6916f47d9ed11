# SPDX-License-Identifier: GPL-3.0-or-later
"""The figure of `stz-post measured`: what was measured, with the law that was fitted."""
import os

import numpy as np

from .. import text as outside
from . import style
from .figures import time_axis
from .style import BLACK, BLUE, COLUMN, GREEN, GREY, MM, ORANGE, SKY, VERMILLION

COLORS = (BLUE, VERMILLION, GREEN, ORANGE, SKY, BLACK, GREY)


@style.styled
def measured(outcomes):
    """One panel: curves of all files of the first one's kind, or the points of several files together."""
    figure, axes = style.new(COLUMN, 62 * MM)
    joint = next((one for one in reversed(outcomes) if one.curve.get("points")), None)
    if joint:
        _points(axes, joint.points, joint.kind != "creep")
    elif outcomes[0].levels:
        _levels(axes, outcomes)
    else:
        for one, color in zip(outcomes, 99 * COLORS):
            _curve(axes, one, color)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    return figure


def _curve(axes, outcome, color):
    c = outcome.curve
    across = "time" if "time" in c else "strain"
    along = next(name for name in ("stress", "displacement", "strain") if name in c)
    scale = 100 if across == "strain" else 1
    label = outside.label(os.path.basename(str(outcome.file)))
    error = c.get("error")
    dense = len(c[across]) > 60
    up = 100 if along == "strain" else 1
    if dense:
        axes.plot(scale * c[across], up * c[along], ".", ms=1.5, color=color, label=label)
    else:
        axes.errorbar(
            scale * c[across], up * c[along], error, fmt="o", ms=3, capsize=2, color=color, mfc="none", label=label
        )
    law = next((one for one in outcome.estimates if "sigma0" in one.detail and not one.refused), None)
    if law and across == "time":
        time = np.geomspace(c[across][0], c[across][-1], 200)
        stress = law.detail["sigma0"] - law.s * np.log1p(time / law.detail["t0"])
        scale_of_u = law.s / law.detail["A1"] if along == "displacement" else -1.0
        axes.plot(time, -stress / scale_of_u, "-", color=BLACK, lw=0.8)
    labels = {"stress": "stress (GPa)", "displacement": "displacement (µm)", "strain": "strain (%)"}
    axes.set(ylabel=labels[along])
    if across == "time" and outcome.kind in ("relaxation", "displacement"):
        axes.set_xscale("log")
        time_axis(axes, "time")
    else:
        axes.set(xlabel="time (s)" if across == "time" else "strain (%)")


def _points(axes, points, bars_known):
    """Stresses against rates; the errors of creep are those of the rate."""
    temperature, rate, stress, error = np.array(points, float).T
    for number, one in enumerate(np.unique(np.round(temperature))):
        rows = np.round(temperature) == one
        known = bars_known and np.all(np.isfinite(error[rows]))
        bars = error[rows] if known else None
        color = COLORS[number % len(COLORS)]
        axes.errorbar(
            rate[rows], stress[rows], bars, fmt="o", ms=3, capsize=2, color=color, mfc="none", label=f"{one:g} K"
        )
    axes.set_xscale("log")
    axes.set(xlabel="strain rate (1/s)", ylabel="stress (GPa)")


def _levels(axes, outcomes):
    for one, color in zip(outcomes, 99 * COLORS):
        if one.levels:
            strain, mean = (100 * np.array([level[name] for level in one.levels]) for name in ("strain", "fraction"))
            half = 100 * np.array(
                [(level["interval"][1] or level["fraction"]) - level["fraction"] for level in one.levels]
            )
            label = outside.label(os.path.basename(str(one.file)))
            axes.errorbar(strain, mean, half, fmt="o", ms=3, capsize=2, color=color, label=label)
    axes.set(xlabel="strain (%)", ylabel="patterns with Bragg reflections (%)")
