# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures: each takes the outcome of an analysis and returns a matplotlib Figure."""
import math

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.ticker import MaxNLocator

from . import style, tension as tension_module
from .relaxation import MARKS
from .style import BLACK, BLUE, COLUMN, GREEN, GREY, LIGHT, MM, PAGE, VERMILLION

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
    keep = found.time_s > 0
    time = found.time_s[keep]
    top.semilogx(time, found.stress_GPa[keep], "o", mfc="none", mec=BLUE, mew=0.7, ms=3, label="simulation")
    line = np.geomspace(max(found.window[0], time[0]), found.window[1], 400)
    label = r"$\sigma_0 - s\,\ln(1+t/t_0)$"
    label += f", $R^2$ = {found.fit.r2:.4f}" + (" (refused)" if found.fit.refused else "")
    top.semilogx(line, found.model(line), "-", color=VERMILLION, label=label)
    _marks(top, time)
    top.set(xlabel="time $t$ (s)", ylabel=r"axial stress $\sigma$ (GPa)")
    _headroom(top)
    top.legend(loc="lower left")
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
    bottom.set_ylim(0, 1.35 * bottom.get_ylim()[1])
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
        _map(figure, place, one, limits.get(one.name, (None, None)))
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
        "relaxation": ("stress_GPa", "error_GPa", "axial stress (GPa)", "time (s)"),
        "displacement": ("displacement_um", "error_um", "displacement (µm)", "time (s)"),
        "volume": ("volume_A3", "error_A3", "activation volume (Å³)", "measurement"),
        "nbed": ("bragg", None, "patterns of 100 with Bragg reflections", "axial strain (%)"),
    }[measured.kind]
    scale = 100 if measured.kind == "nbed" else 1
    top.errorbar(
        scale * found[0].x, c[value], c[error] if error else None, fmt="o", color=BLACK, capsize=2, label="measured"
    )
    for one, color in zip(found[:shown], (VERMILLION, BLUE, GREEN, GREY, LIGHT)):
        order = np.argsort(one.x, kind="stable")
        x = scale * one.x[order]
        top.plot(x, one.simulated[order], "-", color=color, label=one.result.name)
        bottom.plot(x, one.residuals[order], "o", color=color, ms=3)
    bottom.axhline(0, color=GREY, lw=0.6)
    if measured.kind in ("relaxation", "displacement"):
        top.set_xscale("log")
    top.set(ylabel=label)
    top.legend()
    bottom.set(xlabel=across, ylabel="residual / error")
    return figure


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


def _marks(axes, time):
    """The times of the experiment on the upper axis; 35 d is too near to 51 d for a label of its own."""
    reached = {label: at for label, at in MARKS.items() if time[0] <= at <= 1.01 * time[-1]}
    for at in reached.values():
        axes.axvline(at, color=LIGHT, lw=0.8, zorder=0)
    axes.tick_params(axis="x", which="both", top=False)
    upper = axes.secondary_xaxis("top")
    upper.set_xticks(list(reached.values()), ["" if label == "35 d" else label for label in reached])
    upper.minorticks_off()
    upper.tick_params(length=0, pad=2)


def _headroom(axes):
    """Room for the legend below the curve."""
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.25 * (high - low), high)


def _barrier_limits(found):
    """One colour scale for the barriers before and after."""
    values = [one.values for one in found if one.name.startswith("barrier")]
    if not values:
        return {}
    limits = (min(v.min() for v in values), max(v.max() for v in values))
    return {"barrier_initial_eV": limits, "barrier_eV": limits}


def _map(figure, axes, one, limits):
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
