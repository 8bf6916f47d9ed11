# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of the study of shear bands: growth against softening, critical softening, maps of slip."""
import numpy as np
from matplotlib.ticker import MaxNLocator

from . import style
from .style import BLACK, BLUE, GREEN, GREY, LIGHT, MM, PAGE, PINK, VERMILLION

GROUP = "structure"
MEASURES = {"net": "net growth", "running": "running growth"}
NAMED = {  # with a colour of their own and a label at their end; the others are pale
    "uniform": BLACK,
    "uniform, equal strength": GREY,
    "domains": VERMILLION,
    "frozen": BLUE,
    "equal histogram": GREEN,
    "random phases": PINK,
}
LINE_HEIGHT = 0.062  # of a panel, between two labels


@style.styled
def growth(record):
    """Growth against softening, by both measures; beside them the critical softening of every structure."""
    figure, (left, middle, right) = style.new(PAGE, 92 * MM, ncols=3, width_ratios=(1, 1, 0.8))
    for axes, (measure, title) in zip((left, middle), MEASURES.items()):
        found = [line for line in record["lines"] if (line["group"], line["measure"]) == (GROUP, measure)]
        _courses(axes, found)
        axes.set(title=title, xlabel="softening (eV)")
    left.set_ylabel("growth G per plastic strain")
    _critical(right, record)
    for axes, letter in zip((left, middle, right), "abc"):
        style.panel(axes, letter)
    return figure


def _courses(axes, found):
    """Lines with their 95 % intervals; those that are named stand at their ends."""
    axes.axhline(0, lw=0.6, color=GREY, zorder=0)
    ends = {}
    for line in found:
        x, rate, error = (np.array(line[key]) for key in ("softening_eV", "growth", "error"))
        colour = NAMED.get(line["name"])
        axes.plot(x, rate, "-", lw=1.2 if colour else 0.7, color=colour or LIGHT, zorder=2 if colour else 1)
        if colour:
            axes.fill_between(x, rate - 1.96 * error, rate + 1.96 * error, color=colour, alpha=0.15, lw=0, zorder=1)
            ends[line["name"]] = (x[-1], rate[-1])
    low, high = axes.get_ylim()
    names = sorted(ends, key=lambda name: ends[name][1])
    places = spread([(ends[name][1] - low) / (high - low) for name in names], LINE_HEIGHT)
    reach = axes.get_xlim()[1]
    for name, place in zip(names, places):
        axes.annotate(name, ends[name], (reach * 1.03, low + place * (high - low)), color=NAMED[name], fontsize=7,
                      va="center", annotation_clip=False, arrowprops={"arrowstyle": "-", "lw": 0.4, "color": NAMED[name]})
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


def _critical(axes, record):
    """Of each structure the 95 % interval of both measures; an arrow where it is open."""
    own = [line for line in record["lines"] if line["group"] == GROUP and line["critical_eV"] is not None]
    names = list(dict.fromkeys(line["name"] for line in own))
    top = max((max(line["softening_eV"]) for line in own), default=1.0)
    for line in own:
        running = line["measure"] == "running"
        y = names.index(line["name"]) + (0.16 if running else -0.16)
        colour = NAMED.get(line["name"], GREY)
        ends = np.array([float(value) for value in line["interval_95_eV"]])
        axes.plot(np.clip(ends, 0, top), [y, y], "-", lw=1.2, color=colour)
        for end, sign in zip(ends, "<>"):
            if not np.isfinite(end):
                axes.plot(np.clip(end, 0, top), y, sign, ms=3, color=colour, clip_on=False)
        if np.isfinite(float(line["critical_eV"])):
            axes.plot(float(line["critical_eV"]), y, "o", ms=3.5, mfc="white" if running else colour, mew=0.8, color=colour)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlim=(0, top), ylim=(len(names) - 0.5, -0.6), xlabel="critical softening (eV)", title="● net, ○ running")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(top=False, right=False, left=False)
    axes.spines[["top", "right", "left"]].set_visible(False)


@style.styled
def maps(found):
    """Slip over its mean of each glass (a row) at each softening (a column), on one scale."""
    names, softening = ([*dict.fromkeys(getattr(one, key) for one in found)] for key in ("name", "softening_eV"))
    size = 0.36 * PAGE
    figure, axes = style.new(0.88 * PAGE, size * len(names) + 12 * MM, nrows=len(names), ncols=len(softening), squeeze=False)
    top = max(np.quantile(one.slip, 0.999) for one in found)
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
