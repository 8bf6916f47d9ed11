# SPDX-License-Identifier: GPL-3.0-or-later
"""The figure of a sweep of films: numbers against thickness, and layers against depth."""
import json

import numpy as np

from ..analysis import depth
from ..analysis.numbers import LAST, done
from ..analysis.points import mean
from ..errors import NoData, StzPostError
from ..io.result import open_result
from . import style
from .sweeps import axes_of, label

SHOWN = {  # number -> text of its axis
    "flow_stress_GPa": "flow stress (GPa)",
    "activation_volume_A3": "activation volume (Å³)",
    "localisation": "localisation",
    f"bragg_{100 * LAST:.0f}": f"Bragg fraction at {100 * LAST:.0f} %",
}
DEEPEST_NM = 8.0


@style.styled
def films(dataset, numbers):
    """(a–d) Numbers against the thickness, a line for each value of the sweep's other axis; (e) events over those of even
    flow and (f) remaining order against depth, thicker lines for thicker films. Bars and bands are 95 % intervals. A panel
    for which no run has data is left out."""
    thick = _thickness(dataset)
    other = [name for name in axes_of(dataset) if dataset[name].dims != dataset[thick.name].dims]
    if len(other) > 1:
        raise StzPostError(f"the figure takes films with one axis besides lattice.cells, the sweep has {', '.join(other)}")
    groups = dataset[other[0]].values.tolist() if other else [None]
    names = [name for name in SHOWN if np.isfinite(numbers[name].values).any()]
    layers = _layers(dataset)
    figure, panels = _panels(len(names) + (2 if layers else 0))
    colours = (style.BLUE, style.VERMILLION, style.GREEN, style.ORANGE, style.PINK, style.SKY, style.BLACK)
    for i, group in enumerate(groups):
        chosen = {other[0]: group} if other else {}
        for panel, name in zip(panels, names):
            _against_thickness(panel, thick, numbers[name].sel(chosen), colours[i % 7], group)
        _against_depth(panels[len(names):], dataset, thick, layers, chosen, colours[i % 7])
    for panel, name in zip(panels, names):
        panel.set(xscale="log", xlabel="thickness (nm)", ylabel=SHOWN[name])
        panel.set_xticks(thick.values, [f"{one:.2g}" if one < 100 else f"{one:.0f}" for one in thick.values])
        panel.set_xticks([], minor=True)
        panel.margins(0.1)  # room for the ends of bars
    for panel, text in zip(panels[len(names):], ("events over even flow", f"remaining order at {100 * LAST:.0f} %")):
        panel.set(xlabel="depth (nm)", ylabel=text)
    if other and names:
        _legend(panels[0], label(other[0], dataset[other[0]]))
    return figure


def _panels(count):
    """A figure, and so many panels with their letters, three a row."""
    if not count:
        raise StzPostError("no run is done that has a number of the figure")
    rows = -(-count // 3)
    figure, axes = style.new(style.PAGE, 52.5 * rows * style.MM, nrows=rows, ncols=min(3, count), squeeze=False)
    for panel in axes.flat[count:]:
        panel.remove()
    for panel, letter in zip(axes.flat[:count], "abcdef"):
        style.panel(panel, letter)
    return figure, axes.flat[:count]


def _legend(panel, title):
    """Above the bars, for which the panel grows."""
    low, high = panel.get_ylim()
    panel.set_ylim(low, high + 0.4 * (high - low))
    lines, _ = panel.get_legend_handles_labels()
    panel.legend(title=title, title_fontsize=8, loc="upper center", ncols=min(3, len(lines)), columnspacing=1)


def _layers(dataset):
    """{cell: Layers} of the runs that have events."""
    found = {}
    for cell, path in done(dataset):
        try:
            found[cell] = depth.layers(open_result(path), until_strain=LAST)
        except NoData:
            continue
    return found


def _thickness(dataset):
    """Of the films, nm, along the dimension of the axis lattice.cells."""
    named = [name for name in axes_of(dataset) if dataset[name].attrs["key"] == "lattice.cells"]
    first = next((path for _, path in done(dataset)), None)
    if not named or first is None or not open_result(first).film:
        raise StzPostError('the figure needs a sweep of films (lattice.boundary = "film") with an axis lattice.cells')
    spacing = float(open_result(first).setting("spacing_nm"))
    return dataset[named[0]].copy(data=[spacing * json.loads(str(cells))[2] for cells in dataset[named[0]].values])


def _against_thickness(panel, thick, values, colour, group):
    means = [mean(values.isel({thick.dims[0]: i}).values.ravel()) for i in range(thick.size)]
    halves = np.nan_to_num([one.half for one in means])
    panel.errorbar(thick.values, [one.value for one in means], halves, fmt="o-", ms=3, lw=0.9, capsize=1.5,
                   elinewidth=0.7, color=colour, label=None if group is None else f"{group:g}")


def _against_depth(panels, dataset, thick, layers, chosen, colour):
    """Means over the replicas of each thickness."""
    for i in range(thick.size):
        runs = dataset["run"].isel({thick.dims[0]: i}).sel(chosen).values.ravel()
        own = [one.by_depth() for cell, one in layers.items() if dataset["run"].values[cell] in runs]
        if not own:
            continue
        shown = own[0][0] <= DEEPEST_NM
        for panel, column in zip(panels, (1, 2)):
            means = [mean(values) for values in np.array([one[column] for one in own]).T[shown]]
            middle, half = (np.array([getattr(one, name) for one in means]) for name in ("value", "half"))
            panel.plot(own[0][0][shown], middle, "-", color=colour, lw=0.5 * style.nested(thick.size - 1 - i, thick.size))
            if i == thick.size - 1:
                panel.fill_between(own[0][0][shown], middle - half, middle + half, color=colour, alpha=0.2, lw=0)
