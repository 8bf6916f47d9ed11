# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures for papers, of one or more results, each with the numbers that it shows: `stz-post figure NAME`.

A drawing takes results and returns the figure and its tables: name -> columns -> values, with units in the names.
"""
from __future__ import annotations

import math
import os
from typing import Any, Callable, NamedTuple, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from .. import text as outside
from ..analysis import correlation as correlation_module
from ..analysis import nbed, relaxation, tension
from ..analysis.fields import smear
from ..errors import StzPostError
from ..io.formats import write_csv
from ..io.result import Result
from . import figures, style, sweeps as sweep_figures
from .style import BLACK, BLUE, COLUMN, GREEN, LIGHT, MM, ORANGE, PAGE, PINK, SKY, VERMILLION

CYCLE = (BLUE, VERMILLION, GREEN, BLACK, PINK, ORANGE, SKY)
SIGNS = "os^vD<>"
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (2, 1)))
SUFFIXES = (".pdf", ".png")
MANY = len(CYCLE)


@style.styled
def draw_relaxation(results: Sequence[Result]):
    """Stress against time with the logarithmic fits."""
    figure, axes = style.new(COLUMN, 68 * MM)
    tables = {}
    for result, stem, look in _each(results):
        found = relaxation.analyse(result)
        keep = found.time_s > 0
        time, stress = found.time_s[keep], found.stress_GPa[keep]
        model = found.model(time)
        volumes = " (fit refused)" if found.fit.refused else f"\nV = {found.volumes_text()}"
        text = outside.label(stem) + volumes
        axes.semilogx(time, stress, look.sign, color=look.colour, mfc="none", mew=0.7, ms=look.size, label=text)
        if not found.fit.refused:
            axes.semilogx(time, model, "-", color=BLACK, lw=0.7, zorder=3)
        tables[stem] = {"time_s": time, "stress_GPa": stress, "fit_GPa": model}
    longest = [table["time_s"] for table in tables.values()]
    figures.mark_times(axes, np.concatenate(longest))
    figures.time_axis(axes, "time")
    axes.set(ylabel="axial stress (GPa)")
    low, high = axes.get_ylim()
    axes.set_ylim(low - (0.1 + 0.16 * len(results)) * (high - low), high)
    axes.legend(loc="lower left")
    return figure, tables


@style.styled
def draw_stress_strain(results: Sequence[Result]):
    """Stress-strain curves of pulled samples, and of relaxing ones the points at several times: films with actuators
    of different pull give a curve for each time."""
    figure, axes = style.new(COLUMN, 68 * MM)
    pulled, relaxed = {}, {}
    for result, stem, look in _each(results):
        if any(one.type == "strain-rate" for one in result.segments):
            found = tension.analyse(result)
            pulled[stem] = {"strain": found.strain, "stress_GPa": found.stress_GPa}
            axes.plot(100 * found.strain, found.stress_GPa, ls=look.line, lw=look.width, color=look.colour,
                      label=outside.label(stem))
        if any(one.type in relaxation.SEGMENT_TYPES for one in result.segments):
            for label, point in _at_marks(result).items():
                relaxed.setdefault(label, []).append((*point, stem))
    for number, (label, points) in enumerate(relaxed.items()):
        points.sort(key=lambda one: one[0])
        colour = style.shade(number, len(relaxed))
        x, y = ([point[i] for point in points] for i in (0, 1))
        axes.plot(100 * np.array(x), y, SIGNS[number % len(SIGNS)] + "-", color=colour, lw=0.8, label=label)
    if not (pulled or relaxed):
        raise StzPostError(f"{results[0].path}: neither strain-rate nor relaxation in the protocol")
    axes.set(xlabel="axial strain (%)", ylabel="axial stress (GPa)")
    axes.legend(loc="best", ncols=2 if len(pulled) + len(relaxed) > 4 else 1)
    tables = dict(pulled)
    rows = [(label, *point) for label, points in relaxed.items() for point in points]
    if rows:
        tables["times"] = dict(zip(("time", "strain", "stress_GPa", "result"), zip(*rows)))
    return figure, tables


@style.styled
def draw_bragg_fraction(results: Sequence[Result]):
    """Fraction of patterns with Bragg reflections against strain, with standard errors over scans."""
    figure, axes = style.new(COLUMN, 66 * MM)
    tables = {}
    for result, stem, look in _each(results):
        levels = nbed.analyse(result)
        columns = {
            "strain": [one.strain for one in levels],
            "fraction": [one.fraction for one in levels],
            "standard_error": [one.error for one in levels],
            "expected": [one.expected for one in levels],
        }
        strain = 100 * np.array(columns["strain"])
        axes.errorbar(strain + look.shift, columns["fraction"], columns["standard_error"], fmt=look.sign, ms=3,
                      color=look.colour, capsize=2, elinewidth=1, label=outside.label(stem))
        axes.plot(strain, columns["expected"], "--", color=look.colour, lw=look.width, zorder=1.5)
        tables[stem] = columns
    axes.plot([], [], "--", color=BLACK, lw=1.0, label="expectation")
    axes.set(xlabel="axial strain (%)", ylabel="patterns with Bragg reflections", ylim=(0, 1))
    axes.legend(loc="lower left")
    return figure, tables


@style.styled
def draw_localisation_map(results: Sequence[Result]):
    """Axial plastic strain, averaged over the STZ's shape and through the sample along y: the plane in which bands at
    45° to the tension along x would show. One colour scale, in multiples of each sample's mean."""
    columns = min(3, len(results))
    rows = math.ceil(len(results) / columns)
    width = COLUMN if columns == 1 else PAGE
    height = (64 if columns == 1 else 10 + 62 * rows) * MM
    figure, axes = style.new(width, height, nrows=rows, ncols=columns, squeeze=False)
    maps, tables = [], {}
    for result, stem, _ in _each(results):
        field = result.field("plastic_strain_axial").values.astype(float)
        spacing = float(result.setting("spacing_nm"))
        mean = field.mean()
        if not mean:
            raise StzPostError(f"{result.path}: no plastic strain")
        spread = smear(field, spacing, float(result.setting("volume_nm3")), result.film)
        maps.append((stem, spread.mean(axis=1) / mean, spacing))
        x, z = (spacing * (index.ravel() + 0.5) for index in np.indices(maps[-1][1].shape))
        tables[stem] = {"x_nm": x, "z_nm": z, "plastic_strain_over_mean": maps[-1][1].ravel()}
    span = max(np.abs(values - 1).max() for _, values, _ in maps)
    for place, (stem, values, spacing) in zip(axes.flat, maps):
        extent = [0, spacing * values.shape[0], 0, spacing * values.shape[1]]
        image = place.imshow(values.T, origin="lower", extent=extent, cmap="PuOr_r", vmin=1 - span, vmax=1 + span,
                             interpolation="nearest")
        place.set(xlabel="x (nm), tension", title=outside.label(stem))
        place.tick_params(top=False, right=False, direction="out")
    for place in axes.flat[len(maps):]:
        place.set_visible(False)
    for place in axes[:, 0]:
        place.set_ylabel("z (nm)")
    bar = figure.colorbar(image, ax=axes, shrink=0.9, aspect=24)
    bar.set_label("plastic strain / mean")
    bar.locator = MaxNLocator(5)
    bar.update_ticks()
    return figure, tables


@style.styled
def draw_autocorrelation(results: Sequence[Result]):
    """Radial autocorrelation of the axial plastic strain at the last level, beside that of the STZ's shape alone."""
    figure, axes = style.new(COLUMN, 66 * MM)
    tables = {}
    for result, stem, look in _each(results):
        last = correlation_module.analyse(result)[-1]
        alone = last.of_shape(last.distance_nm)
        label = f"{outside.label(stem)}, {100 * last.strain:g} %"
        axes.plot(last.distance_nm, last.radial, look.sign + "-", color=look.colour, mfc="none", mew=0.7, ms=look.size,
                  lw=look.width, label=label)
        tables[stem] = {"distance_nm": last.distance_nm, "autocorrelation": last.radial, "of_the_shape": alone}
    axes.plot(last.distance_nm, alone, "--", color=BLACK, lw=1.0, label="independent events")
    axes.axhline(0, color=LIGHT, lw=0.8, zorder=0)
    axes.set(xlabel="distance (nm)", ylabel="autocorrelation of plastic strain", xlim=(0, None))
    axes.legend(loc="upper right")
    return figure, tables


FIGURES: dict[str, Callable] = {
    "relaxation": draw_relaxation,
    "stress-strain": draw_stress_strain,
    "bragg-fraction": draw_bragg_fraction,
    "localisation-map": draw_localisation_map,
    "autocorrelation": draw_autocorrelation,
}


def draw_heat_map(sweep, value: str, x: str | None, y: str | None):
    """A number of each run of a sweep over two of its axes; beside it the number of every run."""
    axes = sweep_figures.axes_of(sweep)
    if len(axes) < 2 and not (x and y):
        raise StzPostError(f"heat-map: the sweep has {len(axes)} axes, needs two")
    figure = sweep_figures.heatmap(sweep, value, x or axes[-1], y or axes[-2])
    return figure, {"heat-map": _every_run(sweep, sweep_figures.quantity(sweep, value), value)}


def draw_master_curve(sweep, value: str, x: str | None, y: str | None):
    """Flow stresses of a sweep of rate (x) and temperature (y) on one curve over kT ln(rate0/rate)."""
    found = sweep_figures.master(sweep, x or "rate_per_s", y or "temperature_K", value)
    columns = {"temperature_K": found.temperature_K, "rate_per_s": found.rate_per_s, value: found.stress_GPa}
    return sweep_figures.master_figure(found), {"master-curve": {**columns, "energy_eV": found.energy_eV}}


SWEEP_FIGURES: dict[str, Callable] = {"heat-map": draw_heat_map, "master-curve": draw_master_curve}


def write(figure, tables: dict, stem: str) -> list[str]:
    """Writes STEM.pdf, STEM.png and the numbers: STEM.csv, or STEM-NAME.csv for each of several tables. A stem with one
    of these endings loses it."""
    root, ending = os.path.splitext(stem)
    stem = root if ending.lower() in (*SUFFIXES, ".csv") else stem
    if not os.path.basename(stem):
        raise StzPostError(f"-o: got {stem or 'an empty name'}, needs the name of files")
    paths = [stem + suffix for suffix in SUFFIXES]
    for path in paths:
        style.save(figure, path)
    try:
        for name, columns in tables.items():
            path = f"{stem}.csv" if len(tables) == 1 else f"{stem}-{name}.csv"
            write_csv(path, columns)
            paths.append(path)
    except OSError as error:
        raise StzPostError(f"{error.filename or stem}: {error.strerror}") from error
    return paths


def _every_run(sweep, values, name: str) -> dict:
    """A number of every run, with the run's place on the axes of the sweep."""
    wanted = {axis: sweep[axis].broadcast_like(values) for axis in [*sweep_figures.axes_of(sweep), "replica"]}
    order = values.dims
    return {axis: column.transpose(*order).values.ravel() for axis, column in wanted.items()} | {name: values.values.ravel()}


class Look(NamedTuple):
    """How the curve of one of several results is drawn, so that it is seen where it coincides with others."""

    colour: str
    sign: str
    line: Any  # style of a line
    width: float  # of it
    size: float  # of the sign
    shift: float  # of points that share an abscissa, in percent of strain


def _each(results: Sequence[Result]):
    """Results with distinct names and looks."""
    if len(results) > MANY:
        raise StzPostError(f"figure: got {len(results)} results, needs at most {MANY}, else nobody can tell them apart")
    stems = [os.path.splitext(one.name)[0] for one in results]
    for index, stem in enumerate(stems):
        name = stem if stems.count(stem) == 1 else f"{stem} {index + 1}"
        width = style.nested(index, len(results))
        shift = 0.16 * (index - (len(results) - 1) / 2)
        yield results[index], name, Look(CYCLE[index], SIGNS[index], LINES[index], width, style.sign_size(width), shift)


def _at_marks(result: Result) -> dict:
    """Strain and stress at the times of the experiment that the run reaches, interpolated in ln t."""
    found = relaxation.analyse(result)
    rows = result.rows(found.segment)
    keep = result.times(found.segment) >= 0
    strain = rows["strain_axial"].values[keep]
    positive = found.time_s > 0
    at = {label: (time, stress) for label, (time, stress) in found.marks.items()}
    log_time = np.log(found.time_s[positive])
    return {
        label: (float(np.interp(math.log(time), log_time, strain[positive])), stress)
        for label, (time, stress) in at.items()
    }
