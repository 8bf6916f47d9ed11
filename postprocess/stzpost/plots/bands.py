# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of the study of shear bands: growth against softening, critical softening, maps of slip."""
import numpy as np

from ..analysis.quantity import NORMAL_95
from . import style
from .style import BLACK, BLUE, GREEN, GREY, LIGHT, MM, PAGE, SKY, VERMILLION

GROUP = "structure"
MEASURES = {"net": "net growth", "running": "running growth"}
NAMED = {  # with a colour of their own and a label at their end; the others are pale
    "uniform": BLACK,
    "uniform, equal strength": SKY,
    "domains": VERMILLION,
    "frozen": BLUE,
    "equal histogram": GREEN,
}
LINE_HEIGHT = 0.06  # of a panel, between two labels
BESIDE_EV = 0.003  # by which points of one softening stand side by side


@style.styled
def growth(record):
    """Growth against softening, by both measures, with 95 % intervals."""
    figure, both = style.new(PAGE, 82 * MM, ncols=2)
    for axes, (measure, title) in zip(both, MEASURES.items()):
        found = [line for line in record["lines"] if (line["group"], line["measure"]) == (GROUP, measure)]
        _courses(axes, found)
        axes.set(xlabel="softening (eV)", ylabel=f"{title} G per plastic strain")
    return figure


def _courses(axes, found):
    """Lines; those that are named stand at their ends."""
    axes.axhline(0, lw=0.6, color=GREY, zorder=0)
    ends = {}
    for line in found:
        x, rate, error = (np.array(line[key]) for key in ("softening_eV", "growth", "error"))
        colour = NAMED.get(line["name"])
        if colour:
            x = x + BESIDE_EV * (list(NAMED).index(line["name"]) - len(NAMED) // 2)
            axes.errorbar(x, rate, NORMAL_95 * error, fmt="o-", ms=2.5, lw=1.1, elinewidth=0.7, color=colour, zorder=3)
            ends[line["name"]] = (x[-1], rate[-1])
        else:
            axes.plot(x, rate, "-", lw=0.8, color=LIGHT, zorder=1)
    low, high = axes.get_ylim()
    reach = axes.get_xlim()[1]
    names = sorted(ends, key=lambda name: ends[name][1])
    places = spread([(ends[name][1] - low) / (high - low) for name in names], LINE_HEIGHT)
    for name, place in zip(names, places):
        axes.annotate(name, ends[name], (reach * 1.04, low + place * (high - low)), color=NAMED[name], va="center", fontsize=7,
                      annotation_clip=False, arrowprops={"arrowstyle": "-", "lw": 0.4, "color": NAMED[name]})
    axes.set(ylim=(low, high))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(top=False, right=False)


def spread(places, least):
    """Places in order, moved apart to the distance `least` as little as may be, about their middles."""
    groups = [[place] for place in places]
    begins = list(places)
    i = 1
    while i < len(groups):
        if begins[i] - (begins[i - 1] + least * (len(groups[i - 1]) - 1)) < least:
            groups[i - 1] += groups.pop(i)
            begins.pop(i)
            one = groups[i - 1]
            begins[i - 1] = sum(one) / len(one) - 0.5 * least * (len(one) - 1)
            i = max(1, i - 1)
        else:
            i += 1
    return [begin + least * j for begin, one in zip(begins, groups) for j in range(len(one))]


@style.styled
def critical(record):
    """Critical softening of each structure with its 95 % interval, by both measures; an arrow where that is open."""
    own = [line for line in record["lines"] if line["group"] == GROUP and line["critical_eV"] is not None]
    names = list(dict.fromkeys(line["name"] for line in own))
    figure, axes = style.new(0.72 * PAGE, (16 + 7 * len(names)) * MM)
    top = max((max(line["softening_eV"]) for line in own), default=1.0)
    for line in own:
        running = line["measure"] == "running"
        y = names.index(line["name"]) + (0.17 if running else -0.17)
        colour = VERMILLION if running else BLACK
        ends = np.array([float(value) for value in line["interval_95_eV"]])
        axes.plot(np.clip(ends, 0, top), [y, y], "-", lw=1.2, color=colour)
        for end in ends:
            if not np.isfinite(end):
                axes.plot(0 if end < 0 else top, y, "<" if end < 0 else ">", ms=4, color=colour, clip_on=False)
        if np.isfinite(float(line["critical_eV"])):
            axes.plot(float(line["critical_eV"]), y, "o", ms=4, color=colour)
    for y in range(len(names) - 1):
        axes.axhline(y + 0.5, lw=0.4, color=LIGHT, zorder=0)
    for x, text, colour in ((0.0, "running growth", VERMILLION), (0.42, "net growth", BLACK)):
        axes.text(x, 1.01, text, color=colour, transform=axes.transAxes, va="bottom")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlim=(0, top), ylim=(len(names) - 0.5, -0.5), xlabel="critical softening (eV)")
    axes.tick_params(top=False, right=False, left=False, which="both")
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure


@style.styled
def maps(found):
    """Slip over its mean of each glass (a row) at each softening (a column), on one scale."""
    names, softening = ([*dict.fromkeys(getattr(one, key) for one in found)] for key in ("name", "softening_eV"))
    size = 0.36 * PAGE
    figure, axes = style.new(0.88 * PAGE, size * len(names) + 12 * MM, nrows=len(names), ncols=len(softening), squeeze=False)
    top = max(np.quantile(one.slip, 0.99) for one in found)
    for one in found:
        place = axes[names.index(one.name), softening.index(one.softening_eV)]
        nx, ny = one.slip.shape
        extent = [0, one.spacing_nm * nx, 0, one.spacing_nm * ny]
        image = place.imshow(one.slip.T, origin="lower", extent=extent, cmap="magma", vmin=0, vmax=top)
        how = f"softening {one.softening_eV:g} eV" if one.softening_eV else "no softening"
        place.set_title(f"{one.name}, {how}")
        place.tick_params(top=False, right=False, direction="out")
    for place in axes[-1]:
        place.set_xlabel("x (nm), tension")
    for place in axes[:, 0]:
        place.set_ylabel("y (nm)")
    bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=30, extend="max")
    bar.set_label("plastic strain / mean")
    return figure
