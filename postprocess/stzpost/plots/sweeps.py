# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of sweeps: each takes a Dataset of `open_sweep`, or what was computed from it, and returns a Figure."""
import math
import warnings
from dataclasses import dataclass

import matplotlib
import numpy as np

from .. import text
from ..errors import StzPostError
from ..analysis.flow import FLOW_PROPERTIES, flow_properties
from ..io.sweep import over_replicas
from ..units import number_text
from . import style
from .style import BLACK, COLUMN, GREY, MM

BOLTZMANN = 8.617333262e-5  # eV/K

# What the axes of figures call things; anything else goes by its name.
LABELS = {
    "width_eV": "barrier width (eV)",
    "composition_eV": "composition contrast (eV)",
    "softening_eV": "softening (eV)",
    "wavelength_nm": "domain wavelength (nm)",
    "rate_per_s": "strain rate (1/s)",
    "temperature_K": "temperature (K)",
    "flow_stress_GPa": "flow stress (GPa)",
    "yield_stress_GPa": "upper yield stress (GPa)",
    "yield_strain": "strain at upper yield",
    "overshoot": "upper yield over flow stress",
    "localisation": "localisation",
    "stress_axial_GPa": "axial stress (GPa)",
    "strain_axial": "axial strain",
    "plastic_strain_axial": "axial plastic strain",
    "time_s": "time (s)",
    "events": "events",
    "wall_s": "wall time (s)",
}


def label(name, values=None):
    """Text of an axis."""
    if name in LABELS:
        return LABELS[name]
    unit = values.attrs.get("units", "1") if values is not None else "1"
    name = name.removesuffix(f"_{unit}")
    return text.label(name.replace("_", " ") + (f" ({unit})" if unit not in ("", "1") else ""))


def quantity(dataset, name):
    """A number a run: one of the manifest's, or one of `flow_properties`."""
    runs = dataset["state"].dims
    if name in dataset and dataset[name].dims == runs and dataset[name].dtype.kind in "if":
        return dataset[name].where(dataset["state"] == "done")
    if name in FLOW_PROPERTIES:
        return flow_properties(dataset, [name])[name]
    known = sorted({n for n in dataset if dataset[n].dims == runs and dataset[n].dtype.kind in "if"} | set(FLOW_PROPERTIES))
    raise StzPostError(f"--value: got {name}, needs one of {', '.join(known)}")


def axes_of(dataset):
    """The names of the axes, in their order, those of numbers first."""
    return [name for name, c in dataset.coords.items() if "key" in c.attrs]


def axis(dataset, name, option):
    """The coordinate that an option names."""
    if name not in axes_of(dataset):
        raise StzPostError(f"{option}: got {name}, needs an axis of the sweep: {', '.join(axes_of(dataset)) or 'none'}")
    return dataset[name]


def _averaged(values, *kept):
    """Mean over the replicas and over all dimensions but those kept."""
    mean, error = over_replicas(values)
    others = [dim for dim in mean.dims if dim not in kept]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nothing but NaN
        return (mean.mean(others, keep_attrs=True), error) if others else (mean, error)


@style.styled
def heatmap(dataset, name, x, y):
    """A number of each run over two axes, averaged over replicas and other axes; for a sampled design, its points."""
    cx, cy = axis(dataset, x, "--x"), axis(dataset, y, "--y")
    values = quantity(dataset, name)
    figure, axes = style.new(COLUMN, 68 * MM)
    mean, _ = _averaged(values, *cx.dims, *cy.dims)
    if not np.isfinite(mean.values).any():
        raise StzPostError(f"no run is done that has a {name}")
    if cx.dims == cy.dims:
        image = axes.scatter(cx, cy, c=mean, cmap="viridis", s=26, edgecolors=BLACK, linewidths=0.4)
        _scale(axes, cx, cy)
    else:
        table = mean.transpose(cy.dims[0], cx.dims[0]).values
        image = axes.imshow(table, origin="lower", aspect="auto", cmap="viridis", interpolation="nearest")
        axes.set_xticks(range(cx.size), _ticks(cx))
        axes.set_yticks(range(cy.size), _ticks(cy))
        axes.tick_params(top=False, right=False, length=0)
        _numbers(axes, table, image)
    axes.set(xlabel=label(x, cx), ylabel=label(y, cy))
    bar = figure.colorbar(image, ax=axes)
    bar.set_label(label(name, values))
    return figure


def _ticks(coordinate):
    values = coordinate.values.tolist()
    return [number_text(one) if isinstance(one, float) else text.label(one) for one in values]


def _numbers(axes, table, image):
    """The value in each field, light on dark; not where there are too many fields to read."""
    if table.size > 64:
        return
    for (row, column), value in np.ndenumerate(table):
        told = f"{value:#.3g}".rstrip(".") if math.isfinite(value) else "–"
        dark = math.isfinite(value) and image.norm(value) < 0.55
        axes.text(column, row, told, ha="center", va="center", fontsize=6.5, color="white" if dark else BLACK)


def _is_logarithmic(coordinate):
    values = coordinate.values
    return values.dtype.kind in "if" and values.size > 2 and values.min() > 0 and values.max() > 30 * values.min()


def _scale(axes, cx, cy=None):
    if _is_logarithmic(cx):
        axes.set_xscale("log")
    if cy is not None and _is_logarithmic(cy):
        axes.set_yscale("log")


def _colours(count):
    return [matplotlib.colormaps["viridis"](0.9 * i / max(1, count - 1)) for i in range(count)]


MARKERS = "osD^v<>ph*"


def _legend(axes, by):
    """Beside the axes, where no curve can be."""
    axes.legend(title=label(by.name, by).replace(" (", "\n("), title_fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


@style.styled
def lines(dataset, name, x, by):
    """A number of each run against one axis, a line for each value of another; bars are one standard error."""
    cx, cb = axis(dataset, x, "--x"), axis(dataset, by, "--by")
    if cx.dims == cb.dims:
        raise StzPostError(f"--by: got {by}, which goes along with {x}, needs another axis")
    values = quantity(dataset, name)
    mean, error = _averaged(values, *cx.dims, *cb.dims)
    error = error if error.dims == mean.dims else None
    figure, axes = style.new(COLUMN, 68 * MM)
    for i, colour in enumerate(_colours(cb.size)):
        line = mean.isel({cb.dims[0]: i})
        bars = error.isel({cb.dims[0]: i}) if error is not None else None
        axes.errorbar(cx, line, bars, fmt=MARKERS[i % len(MARKERS)] + "-", color=colour, ms=3.5, lw=1, capsize=1.5,
                      elinewidth=0.6, label=_ticks(cb)[i])
    _scale(axes, cx)
    axes.set(xlabel=label(x, cx), ylabel=label(name, values))
    _legend(axes, cb)
    return figure


@style.styled
def curves(dataset, by, x, y):
    """Curves of the histories, the mean over replicas and other axes on a common grid, coloured by one axis."""
    _expect_columns(dataset, x, y)
    cb = axis(dataset, by, "--by")
    figure, axes = style.new(COLUMN, 70 * MM)
    drawn = 0
    for i, colour in enumerate(_colours(cb.size)):
        part = dataset[[x, y]].isel({cb.dims[0]: i})
        grid, mean = _mean_curve(part[x].values, part[y].values)
        if grid is not None:
            drawn += 1
            axes.plot(grid, mean, color=colour, lw=style.nested(i, cb.size), label=_ticks(cb)[i])
    if not drawn:
        raise StzPostError("no run is done that has this curve")
    if x == "strain_axial" and y == "stress_axial_GPa":
        axes.set(xlim=(0, None), ylim=(0, None))
        axes.locator_params(axis="x", nbins=5)
    axes.set(xlabel=label(x, dataset[x]), ylabel=label(y, dataset[y]))
    if cb.size <= 12:
        _legend(axes, cb)
    return figure


@style.styled
def curve(result, x, y):
    """The curve of one result, a colour for each segment of the protocol."""
    _expect_columns(result.history, x, y)
    figure, axes = style.new(COLUMN, 70 * MM)
    for segment, colour in zip(result.segments, _colours(len(result.segments))):
        rows = result.rows(segment)
        axes.plot(rows[x], rows[y], color=colour, label=f"{segment.index + 1}: {segment.type}")
    axes.set(xlabel=label(x, result.history[x]), ylabel=label(y, result.history[y]))
    if len(result.segments) > 1:
        axes.legend(title="segment", title_fontsize=8, loc="best")
    axes.locator_params(axis="x", nbins=6)
    return figure


def _expect_columns(history, x, y):
    for name, option in ((x, "--x"), (y, "--y")):
        if name not in history or "row" not in history[name].dims or "component" in history[name].dims:
            raise StzPostError(f"{option}: got {name}, needs a column of the history with one number a row")


def _mean_curve(x, y):
    """Mean of curves that each rise in x, where all of them reach."""
    curves = []
    for one, other in zip(x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])):
        rising = np.isfinite(one) & np.isfinite(other)
        rising[rising] = one[rising] >= np.maximum.accumulate(one[rising])
        if rising.sum() > 1:
            curves.append((one[rising], other[rising]))
    if not curves:
        return None, None
    grid = np.linspace(max(c[0][0] for c in curves), min(c[0][-1] for c in curves), 400)
    return grid, np.mean([np.interp(grid, *c) for c in curves], axis=0)


@dataclass
class Master:
    """Flow stresses against the activation energy kT ln(rate0/rate); rate0 is what brings them nearest to one curve."""

    temperature_K: np.ndarray
    rate_per_s: np.ndarray
    stress_GPa: np.ndarray
    rate0_per_s: float
    energy_eV: np.ndarray
    curve: np.ndarray  # coefficients of a parabola, GPa over eV
    rms_GPa: float
    spread_GPa: float  # standard deviation of the flow stresses themselves

    @property
    def volume_nm3(self):
        """Apparent activation volume -dE/d(stress) in the middle."""
        slope = np.polyval(np.polyder(self.curve), np.median(self.energy_eV))
        return float(-1.0 / (slope * 6.2415091))


def master(dataset, rate="rate_per_s", temperature="temperature_K", name="flow_stress_GPa"):
    """Looks for the rate0 of `Master`, from 1 to 1e30 /s, by the residual of a parabola."""
    cr, ct = axis(dataset, rate, "--rate"), axis(dataset, temperature, "--temperature")
    values, _ = _averaged(quantity(dataset, name), *cr.dims, *ct.dims)
    grid_rate, grid_temperature = (c.broadcast_like(values).values.ravel() for c in (cr, ct))
    stress = values.transpose(*cr.broadcast_like(values).dims).values.ravel()
    keep = np.isfinite(stress)
    grid_rate, grid_temperature, stress = grid_rate[keep], grid_temperature[keep], stress[keep]
    if len(set(grid_temperature)) < 2 or len(stress) < 6:
        raise StzPostError(f"a master curve needs a {name} of at least six runs at two temperatures")

    def fit(log_rate0):
        energy = BOLTZMANN * grid_temperature * (log_rate0 - np.log(grid_rate))
        curve = np.polyfit(energy, stress, 2)
        return energy, curve, float(np.sqrt(np.mean((np.polyval(curve, energy) - stress) ** 2)))

    logs = np.linspace(0, math.log(1e30), 1400)
    best = logs[int(np.argmin([fit(value)[2] for value in logs]))]
    energy, curve, rms = fit(best)
    return Master(grid_temperature, grid_rate, stress, math.exp(best), energy, curve, rms, float(np.std(stress)))


@style.styled
def master_figure(found):
    """(a) Flow stress against rate at each temperature; (b) the same on one curve."""
    figure, (top, bottom) = style.new(COLUMN, 118 * MM, nrows=2)
    temperatures = sorted(set(found.temperature_K))
    for i, (colour, temperature) in enumerate(zip(_colours(len(temperatures)), temperatures)):
        at = found.temperature_K == temperature
        order = np.argsort(found.rate_per_s[at])
        mark = MARKERS[i % len(MARKERS)]
        top.semilogx(found.rate_per_s[at][order], found.stress_GPa[at][order], mark + "-", color=colour, lw=0.8,
                     label=f"{temperature:g} K")
        bottom.plot(found.energy_eV[at], found.stress_GPa[at], mark, color=colour)
    line = np.linspace(found.energy_eV.min(), found.energy_eV.max(), 200)
    bottom.plot(line, np.polyval(found.curve, line), "-", color=GREY, lw=0.8, zorder=0)
    top.set(xlabel="strain rate (1/s)", ylabel="flow stress (GPa)")
    top.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    exponent = math.log10(found.rate0_per_s)
    bottom.set(xlabel=rf"$kT\,\ln(\dot\varepsilon_0/\dot\varepsilon)$ (eV), $\dot\varepsilon_0 = 10^{{{exponent:.1f}}}$ /s",
               ylabel="flow stress (GPa)")
    style.panel(top, "a")
    style.panel(bottom, "b")
    return figure
