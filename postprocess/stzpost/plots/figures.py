# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures: each takes the outcome of an analysis and returns a matplotlib Figure."""
import math

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    StrMethodFormatter,
)

from .. import text as outside
from ..analysis import avalanches as avalanches_module
from ..analysis import distributions as distributions_module
from ..analysis import tension as tension_module
from ..analysis.relaxation import MARKS
from ..units import time_ticks
from . import style
from .style import BLACK, BLUE, COLUMN, GREEN, GREY, LIGHT, MM, ORANGE, PAGE, SKY, VERMILLION

# Of the first and the last level, by domain: wide and pale below, thin and dark above, so that all are seen.
DISTRIBUTIONS = (
    ({"color": "#8fc3e0", "lw": 3.4}, {"color": "#f3b68a", "lw": 2.6}),
    ({"color": BLUE, "lw": 1.5}, {"color": VERMILLION, "lw": 0.8, "ls": "--"}),
)

MAPS = {
    "composition": "cividis",
    "barrier_initial_eV": "viridis",
    "barrier_eV": "viridis",
    "plastic_strain_axial": "magma_r",
}


@style.styled
def relaxation(found):
    """(a) Stress against time with the logarithmic fit; (b) plastic strain rate against stress."""
    figure, (top, bottom) = style.new(COLUMN, 118 * MM, nrows=2)
    draw_stress_against_time(top, found)
    style.panel(top, "a")
    _rate_against_stress(bottom, found)
    style.panel(bottom, "b")
    return figure


@style.styled
def stress_strain(found):
    """(a) Stress-strain curve; (b) events per STZ volume and localisation."""
    figure, (top, bottom) = style.new(COLUMN, 112 * MM, nrows=2, sharex=True, gridspec_kw={"height_ratios": [3, 2]})
    percent = 100 * found.strain
    top.plot(percent, found.stress_GPa, color=BLUE, label="simulation")
    top.plot(100 * found.peak[0], found.peak[1], "v", color=BLACK, mfc="white", ms=5, label="upper yield")
    if math.isfinite(found.flow_GPa):
        top.plot(
            100 * np.array(tension_module.FLOW),
            [found.flow_GPa] * 2,
            "--",
            color=VERMILLION,
            lw=1.6,
            label="flow, mean 8–12 %",
        )
    top.set(ylabel="axial stress (GPa)", ylim=(0, 1.15 * found.stress_GPa.max()))
    top.legend(loc="lower right")
    style.panel(top, "a")
    bottom.plot(percent, found.events_per_stz, color=GREEN, label="events per STZ volume")
    yielded = found.plastic > 1e-3  # of less plastic strain the localisation is that of single events
    if yielded.any():
        bottom.plot(
            percent[yielded], found.localisation[yielded], "--", color=BLACK, label="localisation (1: homogeneous)"
        )
    bottom.set(xlabel="axial strain (%)", ylabel="events, localisation", xlim=(0, percent[-1]), ylim=(0, None))
    bottom.set_ylim(0, 1.65 * bottom.get_ylim()[1])
    bottom.legend(loc="upper left")
    style.panel(bottom, "b")
    return figure


@style.styled
def nbed(levels):
    """Fraction of patterns with Bragg reflections against strain."""
    figure, axes = style.new(COLUMN, 66 * MM)
    strain = [100 * level.strain for level in levels]
    axes.plot(strain, [level.expected for level in levels], "--", color=VERMILLION, label="expectation, whole sample")
    for number, level in enumerate(levels):
        offsets = np.linspace(-0.12, 0.12, level.scans)
        axes.plot(
            100 * level.strain + offsets,
            level.fractions,
            "o",
            ms=2.2,
            mfc="none",
            mec=GREY,
            mew=0.5,
            clip_on=False,
            label="single scans" if number == 0 else None,
        )
    axes.errorbar(
        strain,
        [level.fraction for level in levels],
        [level.error for level in levels],
        fmt="o",
        color=BLUE,
        capsize=2.5,
        elinewidth=1,
        label="mean of scans ± standard error",
    )
    axes.set(xlabel="axial strain (%)", ylabel="patterns with Bragg reflections", ylim=(0, 1))
    axes.legend(loc="lower left" if levels[-1].fraction > 0.5 else "upper right")
    return figure


@style.styled
def slices(found):
    """The fields on one plane of the sample."""
    columns = min(2, len(found))
    rows = math.ceil(len(found) / columns)
    figure, axes = style.new(
        COLUMN, (50 * rows + 4) * MM, nrows=rows, ncols=columns, sharex=True, sharey=True, squeeze=False
    )
    limits = _barrier_limits(found)
    for one, place, letter in zip(found, axes.flat, "abcd"):
        draw_map(figure, place, one, limits.get(one.name, (None, None)))
        style.panel(place, letter)
    for place in axes.flat[len(found) :]:
        place.set_visible(False)
    for place in axes[-1]:
        place.set_xlabel(f"{found[0].axes[0]} (nm)")
    for place in axes[:, 0]:
        place.set_ylabel(f"{found[0].axes[1]} (nm)")
    return figure


@style.styled
def probes(levels):
    """Every pattern of every scan: a dot where it has Bragg reflections, over the binary mask of the domains."""
    scans = max(level.scans for level in levels)
    figure, axes = style.new(PAGE, (6 + 21 * len(levels)) * MM, nrows=len(levels), ncols=scans, squeeze=False)
    figure.get_layout_engine().set(w_pad=0.5 * MM, h_pad=0.5 * MM, wspace=0.02, hspace=0.02)
    shades = ListedColormap([LIGHT, "white"])
    for level, line in zip(levels, axes):
        for scan, place in enumerate(line):
            place.set(xticks=[], yticks=[])
            if scan >= level.scans:
                place.set_visible(False)
                continue
            place.imshow(level.mask[scan].T, cmap=shades, vmin=0, vmax=1, origin="lower", interpolation="nearest")
            x, y = np.nonzero(level.bragg[scan])
            place.plot(x, y, "o", color=BLUE, ms=2.4, mew=0)
            place.set(xlim=(-0.5, 9.5), ylim=(-0.5, 9.5))
            place.set_title(f"{level.fractions[scan]:.2f}", pad=2)
        line[0].set_ylabel(f"{100 * level.strain:g} %", labelpad=4)
    return figure


@style.styled
def comparison(measured, found, shown=5):
    """A measurement with its errors, the likeliest runs, and their residuals below."""
    figure, (top, bottom) = style.new(COLUMN, 100 * MM, nrows=2, sharex=True, gridspec_kw={"height_ratios": [3, 2]})
    c = measured.columns
    value, error, label, across = {
        "relaxation": ("stress_GPa", "error_GPa", "axial stress (GPa)", "time"),
        "displacement": ("displacement_um", "error_um", "displacement (µm)", "time"),
        "volume": ("volume_A3", "error_A3", "activation volume (Å³)", "measurement"),
        "nbed": ("bragg", None, "patterns of 100 with Bragg reflections", "axial strain (%)"),
    }[measured.kind]
    scale = 100 if measured.kind == "nbed" else 1
    top.errorbar(
        scale * found[0].x, c[value], c[error] if error else None, fmt="o", color=BLACK, capsize=2, label="measured"
    )
    found = found[:shown]
    for number, (one, color) in enumerate(zip(found, (VERMILLION, BLUE, GREEN, GREY, LIGHT))):
        width = style.nested(number, len(found))
        order = np.argsort(one.x, kind="stable")
        x = scale * one.x[order]
        top.plot(x, one.simulated[order], "-", lw=width, color=color, label=outside.label(one.result.name))
        bottom.plot(x, one.residuals[order], "o", color=color, ms=style.sign_size(width), mfc="none")
    bottom.axhline(0, color=GREY, lw=0.6)
    if measured.kind in ("relaxation", "displacement"):
        top.set_xscale("log")
    top.set(ylabel=label)
    top.legend()
    bottom.set(xlabel=across, ylabel="residual / error")
    if top.get_xscale() == "log":
        time_axis(bottom, across)
    return figure


@style.styled
def avalanches(found):
    """(a) Share of avalanches at least as large as a size, and by chance; (b) radius of gyration against size."""
    figure, (top, bottom) = style.new(COLUMN, 112 * MM, nrows=2, gridspec_kw={"height_ratios": [3, 2]})
    size, share = avalanches_module.exceedance(found.size)
    largest = max(10.0, found.size.max())
    chance = avalanches_module.by_chance(found.window, 2 * largest)
    top.loglog(size, share, "o", mfc="none", mec=BLUE, mew=0.7, label="simulation")
    top.loglog(*chance, "--", color=VERMILLION, label="independent events")
    top.set(xlabel="size $n$ (events)", ylabel="avalanches of at least $n$ events", xlim=(0.9, 1.3 * largest))
    top.set_ylim(0.5 / len(found.size), 2)
    top.legend(loc="upper right")
    style.panel(top, "a")
    larger = found.size > 1
    bottom.semilogx(found.size[larger], found.radius_nm[larger], ".", color=LIGHT, mew=0, ms=3.5, label="each")
    sizes = np.unique(found.size[larger])
    means = [found.radius_nm[found.size == n].mean() for n in sizes]
    bottom.semilogx(sizes, means, "o", mfc="none", mec=BLUE, mew=0.7, label="mean")
    bottom.set(xlabel="size $n$ (events)", ylabel="radius of gyration (nm)", xlim=(0.9, 1.3 * largest), ylim=(0, None))
    bottom.set_ylim(0, 1.25 * bottom.get_ylim()[1])
    bottom.legend(loc="upper left", ncols=2)
    style.panel(bottom, "b")
    for axes in (top, bottom):
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    return figure


@style.styled
def correlation(levels):
    """(a) Radial mean at every level; (b) along directions at the last."""
    figure, (top, bottom) = style.new(COLUMN, 112 * MM, nrows=2)
    for number, level in enumerate(levels):
        sign, colour = "os^vD<>"[number % 7], style.shade(number, len(levels))
        width = style.nested(number, len(levels))
        top.plot(level.distance_nm, level.radial, sign + "-", ms=style.sign_size(width), mfc="none", mew=0.6, lw=width,
                 color=colour, label=f"{100 * level.strain:g} %")
    distance = np.linspace(0, levels[-1].distance_nm[-1], 200)
    top.plot(distance, levels[-1].of_shape(distance), ":", color=BLACK, label="shape of an STZ alone")
    top.set(xlabel="distance (nm)", ylabel="autocorrelation, all directions")
    top.legend(loc="upper right", ncols=2 if len(levels) > 4 else 1)
    style.panel(top, "a")
    lines = zip(levels[-1].families.items(), (ORANGE, GREEN, SKY, BLACK), ("o-", "s--", "^-", "v:"), (0, 2, 1, 3))
    for (name, (distance, values)), colour, line, depth in lines:  # pairs share their distances: 0 with 2, 1 with 3
        width = style.nested(depth, 4)
        bottom.plot(distance, values, line, ms=style.sign_size(width), mfc="none", mew=0.6, lw=width, color=colour,
                    zorder=2 + 0.1 * depth, label=name)
    bottom.set(xlabel="distance (nm)", ylabel=f"autocorrelation at {100 * levels[-1].strain:g} %")
    bottom.set_xlim(0, levels[-1].distance_nm[-1])
    bottom.legend(loc="upper right")
    style.panel(bottom, "b")
    for axes in (top, bottom):
        axes.axhline(0, color=LIGHT, lw=0.8, zorder=0)
        axes.set_xlim(left=0)
    return figure


@style.styled
def distributions(levels):
    """Barriers, resolved stress and distance to activation: the first and the last level, by domain."""
    kinds = distributions_module.LABELS
    figure, places = style.new(COLUMN, 138 * MM, nrows=len(kinds))
    chosen = [levels[0]] if len(levels) == 1 else [levels[0], levels[-1]]
    for place, letter, (name, (label, _, unit)) in zip(places, "abc", kinds.items()):
        for level, looks in zip(chosen, DISTRIBUTIONS[-len(chosen) :]):
            one = level.kinds[name]
            if len(one.edges) < 3:
                continue  # a single bin: no stress yet
            for domain, look in zip(one.counts, looks):
                if one.counts[domain].sum():
                    text = f"{100 * level.strain:g} %, {domain}"
                    place.stairs(one.density(domain), one.edges, label=text, **look)
        place.set(xlabel=f"{label} ({unit})", ylabel=f"density (1/{unit})", ylim=(0, None))
        place.set_ylim(0, 1.1 * place.get_ylim()[1])
        style.panel(place, letter)
    _clip_to_data(places, chosen, list(kinds))
    places[0].set_ylim(0, 1.45 * places[0].get_ylim()[1])
    places[0].legend(loc="upper center", handlelength=2, ncols=2)
    return figure


@style.styled
def energy(found):
    """(a) Work, heat and elastic energy; (b) the heat's share of the plastic work."""
    figure, (top, bottom) = style.new(COLUMN, 112 * MM, nrows=2, sharex=True, gridspec_kw={"height_ratios": [3, 2]})
    if found.against_strain:
        x = 100 * found.path
        label = "axial strain, summed over the way (%)" if found.turns else "axial strain (%)"
    else:
        x, label = np.where(found.time_s > 0, found.time_s, np.nan), "time"
        bottom.set_xscale("log")
    every = max(1, len(x) // 12)
    curves = (
        (found.work, "-", "o", BLACK, "work"),
        (found.heat, "--", "s", VERMILLION, "heat"),
        (found.elastic, "-.", "^", BLUE, "elastic energy"),
        (found.internal, ":", "v", GREEN, "of it, internal stress"),
    )
    for number, (values, line, sign, colour, name) in enumerate(curves):
        start = number * every // len(curves)  # signs of curves that cover each other stand side by side
        top.plot(x, values, line, marker=sign, ms=3, mfc="white", markevery=(start, every), color=colour, label=name)
    top.set(ylabel="energy (MJ/m³)")
    low, high = top.get_ylim()
    top.set_ylim(low, high + 0.35 * (high - low))
    top.legend(loc="upper left", ncols=2, columnspacing=1, handlelength=1.8)
    style.panel(top, "a")
    bottom.plot(x, found.heat_share, color=VERMILLION)
    bottom.set(xlabel=label, ylabel="heat / plastic work", xlim=(np.nanmin(x), np.nanmax(x)))
    if not found.against_strain:
        mark_times(top, x[np.isfinite(x)])
        time_axis(bottom, label)
    shown = found.heat_share[np.isfinite(found.heat_share)]
    bottom.set_ylim(min(0, np.quantile(shown, 0.05)) if len(shown) else 0, 1)
    style.panel(bottom, "b")
    return figure


def _clip_to_data(places, levels, kinds):
    """Leaves out the empty bins below the data."""
    for place, name in zip(places, kinds):
        ends = []
        for level in levels:
            one = level.kinds[name]
            filled = np.flatnonzero(sum(one.counts.values()))
            if len(one.edges) >= 3:
                ends.append((one.edges[filled[0]], one.edges[filled[-1] + 1]))
        if ends:
            place.set_xlim(min(low for low, _ in ends), max(high for _, high in ends))


def draw_stress_against_time(axes, found):
    """Stress against time, the logarithmic fit, and the times of the experiment."""
    keep = found.time_s > 0
    time = found.time_s[keep]
    axes.semilogx(time, found.stress_GPa[keep], "o", mfc="none", mec=BLUE, mew=0.7, ms=3, label="simulation")
    line = np.geomspace(max(found.window[0], time[0]), found.window[1], 400)
    label = r"$\sigma_0 - s\,\ln(1+t/t_0)$"
    label += f", $R^2$ = {found.fit.r2:.4f}" + (" (refused)" if found.fit.refused else "")
    axes.semilogx(line, found.model(line), "-", color=VERMILLION, label=label)
    if not found.fit.refused:
        axes.plot([], [], " ", label=f"V = {found.volumes_text()}")
    mark_times(axes, time)
    time_axis(axes, "time $t$")
    axes.set(ylabel=r"axial stress $\sigma$ (GPa)")
    _headroom(axes)
    axes.legend(loc="lower left")


def _rate_against_stress(axes, found):
    inside = (found.time_s >= found.window[0]) & (found.time_s <= found.window[1]) & (found.rate_per_s > 0)
    stress, rate = found.stress_GPa[inside], found.rate_per_s[inside]
    axes.semilogy(stress, rate, "o", mfc="none", mec=BLUE, mew=0.7, ms=3, label="simulation")
    if "ln_rate0" in found.rate_fit.parameters:
        p = found.rate_fit.parameters
        line = np.array([stress.min(), stress.max()])
        label = r"$\propto\exp(\sigma/s)$" + f", $R^2$ = {found.rate_fit.r2:.4f}"
        label += " (refused)" if found.rate_fit.refused else ""
        axes.semilogy(line, np.exp(p["ln_rate0"] + line / p["s"]), "-", color=VERMILLION, label=label)
    axes.set(xlabel=r"axial stress $\sigma$ (GPa)", ylabel="plastic strain rate (1/s)")
    axes.legend(loc="upper left")


def mark_times(axes, time):
    """The times of the experiment above the upper axis; 35 d stands higher, since it is near 8 d and 51 d."""
    reached = {label: at for label, at in MARKS.items() if time.min() <= at <= 1.01 * time.max()}
    above = axes.get_xaxis_transform()
    for label, at in reached.items():
        axes.axvline(at, color=LIGHT, lw=0.8, zorder=0)
        height, side = (1.12 if label == "35 d" else 1.02), ("left" if label == "51 d" else "center")
        axes.text(at, height, label, transform=above, ha=side, va="bottom")
    axes.tick_params(axis="x", which="both", top=False)


def time_axis(axes, label):
    """Ticks of a logarithmic axis of time in the units that a reader would use."""
    axes.set_xlabel(label)
    low, high = axes.get_xlim()
    ticks = time_ticks(low, 0.5 * high)  # a text at the very end would stand beyond the axes
    if ticks:
        axes.xaxis.set_major_locator(FixedLocator([at for at, _ in ticks]))
        axes.xaxis.set_major_formatter(FixedFormatter([text for _, text in ticks]))
        axes.xaxis.set_minor_locator(NullLocator())


def _headroom(axes):
    """Room for the legend below the curve."""
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.4 * (high - low), high)


def _barrier_limits(found):
    """One colour scale for the barriers before and after."""
    values = [one.values for one in found if one.name.startswith("barrier")]
    if not values:
        return {}
    limits = (min(v.min() for v in values), max(v.max() for v in values))
    return {"barrier_initial_eV": limits, "barrier_eV": limits}


def draw_map(figure, axes, one, limits=(None, None)):
    """A field on a plane, in its own colours, with a scale."""
    extent = [
        -0.5 * one.spacing_nm,
        (one.values.shape[0] - 0.5) * one.spacing_nm,
        -0.5 * one.spacing_nm,
        (one.values.shape[1] - 0.5) * one.spacing_nm,
    ]
    image = axes.imshow(
        one.values.T,
        origin="lower",
        extent=extent,
        cmap=MAPS[one.name],
        vmin=limits[0],
        vmax=limits[1],
        interpolation="nearest",
    )
    axes.tick_params(top=False, right=False, direction="out")
    bar = figure.colorbar(image, ax=axes, location="top", shrink=0.9, aspect=14, pad=0.03)
    bar.set_label(one.label if one.unit == "1" else f"{one.label} ({one.unit})", labelpad=4)
    bar.locator = MaxNLocator(4)
    bar.update_ticks()
