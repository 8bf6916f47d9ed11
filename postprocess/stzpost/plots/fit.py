# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of a fit: the corner plot of the posterior, and the profile likelihood of each parameter."""
import numpy as np
from matplotlib.ticker import MaxNLocator
from scipy.ndimage import gaussian_filter

from .. import text as outside
from ..analysis.inference import DROP, LEVEL
from . import style
from .style import BLUE, GREY, LIGHT, MM, PAGE, VERMILLION

BINS = 40
PAIR_BINS = 30
SMOOTH = 1.0  # bins over which the density of a pair is smoothed
FLOOR = -8.0  # of a profile as it is drawn


def label(parameter):
    """The name without its unit, and the unit."""
    unit = "" if parameter.unit in ("", "1") else parameter.unit
    name = parameter.name.removesuffix("_" + unit.replace("^", "")) if unit else parameter.name
    return outside.label(name.replace("_", " ") + (f" ({unit.replace('^3', '³')})" if unit else ""))


@style.styled
def corner(inference, marks=None):
    """Diagonal: the posterior (blue), its interval by the profile (grey outside), the best (red). Below: where 68 and
    95 % of the posterior lie for each pair. `marks`: {name: value} that are shown as a dashed line."""
    count = len(inference.names)
    size = min(PAGE, (30 + 36 * count) * MM)
    figure, axes = style.new(size, size, nrows=count, ncols=count, squeeze=False)
    columns = [one.value(x) for one, x in zip(inference.parameters, inference.samples.T)]
    best, marks = inference.values(inference.best), marks or {}
    for i, one in enumerate(inference.parameters):
        for j, other in enumerate(inference.parameters):
            place = axes[i, j]
            if j > i:
                place.axis("off")
                continue
            place.xaxis.set_major_locator(MaxNLocator(3))
            place.yaxis.set_major_locator(MaxNLocator(3))
            if other.log:
                place.set_xscale("log")
            if i == j:
                _alone(place, one, columns[i], inference.intervals()[one.name], best[one.name])
            else:
                _pair(place, (other, one), (columns[j], columns[i]), best)
            for name, draw in ((other.name, place.axvline), (one.name if i != j else None, place.axhline)):
                if name in marks:
                    draw(marks[name], color=GREY, ls="--", lw=0.8)
            place.set_xlim(other.low, other.high)
            place.tick_params(labelbottom=i == count - 1, labelleft=j == 0 and i > 0)
        axes[count - 1, i].set_xlabel(label(one))
        if i:
            axes[i, 0].set_ylabel(label(one))
    return figure


def _alone(place, parameter, values, interval, best):
    edges = parameter.value(np.linspace(0, 1, BINS + 1))
    place.hist(values, edges, histtype="stepfilled", color=BLUE, alpha=0.35)
    top = place.get_ylim()[1]
    for low, high in ((parameter.low, interval[0]), (interval[1], parameter.high)):
        place.fill_between([low, high], 0, top, color=LIGHT, lw=0, zorder=0)
    place.axvline(best, color=VERMILLION, lw=0.8)
    place.set(ylim=(0, top), yticks=[])


def _pair(place, parameters, values, best):
    edges = [one.value(np.linspace(0, 1, PAIR_BINS + 1)) for one in parameters]
    density = gaussian_filter(np.histogram2d(*values, bins=edges)[0], SMOOTH)
    ordered = np.sort(density.ravel())[::-1]
    reached = np.cumsum(ordered) / ordered.sum()
    levels = [float(ordered[np.searchsorted(reached, share)]) for share in (LEVEL, 0.68)]
    middles = [one.value((np.arange(PAIR_BINS) + 0.5) / PAIR_BINS) for one in parameters]
    if levels[0] < levels[1] < ordered[0]:
        place.contourf(*middles, density.T, [*levels, ordered[0]], colors=[BLUE, BLUE], alpha=0.35)
        place.contour(*middles, density.T, levels, colors=BLUE, linewidths=0.7)
    else:  # too narrow for the bins
        place.plot(*values, ",", color=BLUE)
    place.plot(*(best[one.name] for one in parameters), "+", color=VERMILLION, ms=5)
    place.set_ylim(parameters[1].low, parameters[1].high)
    if parameters[1].log:
        place.set_yscale("log")


@style.styled
def profiles(inference, marks=None, labels=None):
    """Profile likelihood of each parameter; grey: outside the 95 % interval; a line at the value of `marks`."""
    figure, axes = style.new(PAGE, 55 * MM, ncols=len(inference.names), sharey=True, squeeze=False)
    grid, rows = inference.profiles
    for place, one, row in zip(axes[0], inference.parameters, rows):
        x = one.value(grid)
        place.plot(x, np.maximum(row, FLOOR), color=BLUE)
        place.axhline(DROP, color=GREY, ls="--", lw=0.7)
        if one.name in (marks or {}):
            place.axvline(marks[one.name], color=VERMILLION, lw=0.8)
        place.fill_between(x, FLOOR, 0.3, where=row < DROP, color=LIGHT, lw=0)
        place.set(xlabel=(labels or {}).get(one.name, label(one)), xlim=(one.low, one.high), ylim=(FLOOR, 0.3))
    axes[0, 0].set_ylabel("log profile likelihood")
    return figure
