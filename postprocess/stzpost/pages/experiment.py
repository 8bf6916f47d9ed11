# SPDX-License-Identifier: GPL-3.0-or-later
"""What `stz-post experiment` writes: experiment.json, the table as Markdown, the figures, and one page that needs no
other file."""
import base64
import json
import math
import os
import re
from dataclasses import asdict
from importlib import resources

import numpy as np

from ..analysis.quantity import finite, mean_error, minus
from ..errors import StzPostError
from ..io import writing
from ..plots import figures, style
from ..plots.style import BLACK, BLUE, COLUMN, GREEN, GREY, LIGHT, MM, SKY, VERMILLION
from ..studies import experiment, measured, nulls, runs as plan, targets, verdicts
from ..text import html as escape
from ..units import TAYLOR_FACTORS
from . import shell

CAPTIONS = {
    "onchip": "The array of specimens on chip, one actuator each. (a) Stress against strain at the times of observation, "
    "means over seeds. (b) Relaxation of the specimens at 5–10 % strain from 2 h on, with the log law of all.",
    "threshold": "Loss of stress from 2 h to 51 d against the stress at 2 h, with its standard error over seeds; specimens "
    "below and beyond 5 % strain. Dashed: the stated detection limit; dotted: the static threshold.",
    "volume": "Activation volume by every estimator, 95 % intervals, for the three Taylor factors in use. Shaded: the "
    f"measured range, {targets.VOLUME_TEXT}. Vertical lines: the microscopic χγ0ΩS times M.",
    "master": "Flow stress over temperature and rate on the line of the master curve.",
    "nbed": "Nanobeam diffraction. Fraction of patterns with Bragg reflections over all seeds with its standard error, "
    "single experiments of 8 scans, and the expectation.",
    "bands": "Localisation at 12.5 % strain, a seed each: the film's domains and the controls, with and without softening.",
}


def write(e, directory, quick):
    """Writes all of it; returns the path of the page."""
    rows = verdicts.rows(e)
    try:
        os.makedirs(directory, exist_ok=True)
        with writing.text(os.path.join(directory, "experiment.json")) as file:
            json.dump(record(e, rows, quick), file, ensure_ascii=False, indent=1)
        with writing.text(os.path.join(directory, "experiment.md")) as file:
            file.write(_markdown(e, rows, quick))
        pictures = []
        for name, draw in FIGURES.items():
            figure = draw(e)
            if figure is None:
                continue
            data = style.png(figure)
            writing.data(os.path.join(directory, f"{name}.png"), data)
            pictures.append((name, data))
        path = os.path.join(directory, "experiment.html")
        with writing.text(path) as file:
            file.write(_page(e, rows, pictures, quick))
    except OSError as error:
        raise StzPostError(f"{error.filename or directory}: {error.strerror}") from error
    return path


def record(e, rows, quick):
    """The whole outcome for scripts; numbers that are not finite are null."""
    found_threshold = experiment.threshold(e)
    found = {
        "quick": quick,
        "runs": e.runs,
        "planned": e.planned,
        "made_utc": list(e.made),
        "commits": list(e.commits),
        "rows": [row.record() for row in rows],
        "activation_volume": {"microscopic_A3": e.microscopic, "estimates": experiment.volumes(e)},
        "threshold": {
            "detection_limit_GPa": experiment.DETECTION_GPA,
            "static_threshold_GPa": found_threshold.stress_GPa,
            "error_over_seeds_GPa": found_threshold.seed_error,
            "error_of_the_array_GPa": found_threshold.array_error,
            "stress_and_loss_GPa": found_threshold.points,
        },
        "lattice_and_dashpot": [asdict(one) for one in nulls.differences(e)],
        "specimens": [
            {
                "stiffness_GPa": one.stiffness_GPa,
                "strain": list(one.strain.mean(axis=0)),
                "stress_GPa": list(one.stress.mean(axis=0)),
                "plastic_rate_per_s": list(np.exp(np.log(np.maximum(one.rate, 1e-300)).mean(axis=0))),
                "seeds": len(one.stress),
            }
            for one in e.specimens
        ],
        "nbed": [
            {
                "strain": level.strain,
                "fraction": level.mean,
                "error": level.error,
                "expected": float(level.expected.mean()),
                "events_a_volume": float(level.events.mean()),
            }
            for level in e.levels
        ],
        "flow": [asdict(one) for one in e.flow],
    }
    if e.master:
        found["master_curve"] = {
            "volume_A3": [e.master.volume, *e.master.volume_interval],
            "apparent_energy_eV": [e.master.enthalpy_eV, *e.master.enthalpy_interval],
            "apparent_energy_at_3_GPa_eV": e.master.energy(3.0),
            "ln_rate0": e.master.ln_rate0,
            "p": e.master.p,
        }
    if e.order_fit:
        fit = e.order_fit
        found["order_fit_of_one_experiment"] = {
            "initial": [fit.initial, *fit.initial_interval],
            "loss": [fit.loss, *fit.loss_interval],
            "p": fit.p,
        }
    return finite(found)


@style.styled
def _onchip(e):
    if not e.specimens:
        return None
    figure, (top, bottom) = style.new(COLUMN, 122 * MM, nrows=2)
    for i, (label, color) in enumerate(zip(experiment.TIMES, (BLACK, SKY, GREEN, VERMILLION))):
        strain = [100 * float(one.strain[:, i].mean()) for one in e.specimens]
        stress = [float(one.stress[:, i].mean()) for one in e.specimens]
        width = style.nested(i, len(experiment.TIMES))
        looks = {"color": color, "mfc": "none", "ms": style.sign_size(width), "lw": width}
        top.plot(strain, stress, "os^v"[i] + "-", label=label, **looks)
    top.set(xlabel="strain (%)", ylabel="stress (GPa)", xlim=(0, None), ylim=(0, None))
    top.legend(title="after release")
    style.panel(top, "a")
    times = np.array(list(experiment.TIMES.values()))
    for one in e.specimens:
        if one.flowing:
            for a in one.analysed:
                late = a.time_s >= times[0]
                bottom.semilogx(a.time_s[late], a.stress_GPa[late], color=LIGHT, lw=0.5)
            bottom.semilogx(times, one.stress.mean(axis=0), "o", ms=3, color=BLUE)
    main = e.estimates[0] if e.estimates else None
    if main and not main.refused and any(one.flowing for one in e.specimens):
        mean = np.mean([one.stress.mean(axis=0) for one in e.specimens if one.flowing], axis=0)
        line = mean.mean() - main.s * (np.log(times) - np.log(times).mean())
        bottom.semilogx(times, line, "-", color=VERMILLION, label=f"s = {1e3 * main.s:.0f} MPa")
        bottom.legend()
    bottom.set(xscale="log", xlim=(0.3 * times[0], None), ylabel="stress (GPa)")
    figures.mark_times(bottom, times)
    figures.time_axis(bottom, "time after release")
    style.panel(bottom, "b")
    return figure


@style.styled
def _threshold(e):
    if not e.specimens:
        return None
    figure, axes = style.new(COLUMN, 66 * MM)
    for below, color, label in ((True, BLUE, "below 5 % strain"), (False, GREEN, "beyond")):
        specimens = [
            one for one in e.specimens if (float(one.strain[:, 0].mean()) < experiment.FLOWING[0]) == below
        ]
        losses = np.array([mean_error(1e3 * one.loss) for one in specimens]).reshape(-1, 2)
        stress = [one.stress[:, 0].mean() for one in specimens]
        axes.errorbar(
            stress, losses[:, 0], np.nan_to_num(losses[:, 1]), fmt="o", color=color, ms=3, capsize=2, label=label
        )
    axes.legend(loc="upper left")
    axes.axhline(1e3 * experiment.DETECTION_GPA, ls="--", color=GREY, lw=0.8)
    stress = experiment.threshold(e).stress_GPa
    if stress:
        axes.axvline(stress, ls=":", color=GREY, lw=0.8)
    axes.set(xlabel="stress at 2 h (GPa)", ylabel="loss to 51 d (MPa)")
    return figure


@style.styled
def _volume(e):
    kept = [one for one in e.estimates if not one.refused]
    if not kept:
        return None
    figure, axes = style.new(COLUMN, (22 + 13 * len(kept)) * MM)
    axes.axvspan(*targets.VOLUME_RANGE, color=LIGHT, lw=0)
    for (label, factor), color in zip(TAYLOR_FACTORS.items(), (BLACK, BLUE, VERMILLION)):
        axes.axvline(factor * e.microscopic, color=color, lw=0.6, ls=":")
        for i, one in enumerate(kept):
            v, low, high = one.volume(factor)
            bars = [[max(0, v - low)], [max(0, high - v)]]
            axes.errorbar(
                v, i, xerr=bars, fmt="o", color=color, ms=3, capsize=2, label=f"M = {label}" if i == 0 else None
            )
    axes.set_yticks(
        range(len(kept)), [one.method.replace(", ", ",\n").replace("through ", "through\n") for one in kept]
    )
    axes.set(xlabel="activation volume (Å³)", ylim=(len(kept) - 0.5, -0.5), xlim=(0, 230))
    axes.tick_params(axis="y", which="both", length=0)
    above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
    axes.legend(**above, ncols=3, columnspacing=0.9, handlelength=0.7, handletextpad=0.4)
    return figure


@style.styled
def _master(e):
    if e.master is None:
        return None
    figure, axes = style.new(COLUMN, 66 * MM)
    temperatures = sorted({one.temperature_K for one in e.flow})
    for temperature, color in zip(temperatures, (BLUE, BLACK, VERMILLION)):
        points = [(one.rate_per_s, s) for one in e.flow if one.temperature_K == temperature for s in one.stress_GPa]
        axes.semilogx(*zip(*points), "o", color=color, ms=3, mfc="none", label=f"{temperature:g} K")
        line = np.geomspace(1e-9, 0.1, 50)
        axes.semilogx(line, e.master.stress(temperature, line), "-", color=color, lw=0.8)
    axes.set(xlabel="strain rate (1/s)", ylabel="flow stress (GPa)")
    axes.legend()
    return figure


@style.styled
def _nbed(e):
    if not e.levels:
        return None
    figure, axes = style.new(COLUMN, 66 * MM)
    strain = np.array([100 * level.strain for level in e.levels])
    singles = np.array([level.fractions.mean(axis=1) for level in e.levels])
    axes.plot(strain, singles, "-", color=LIGHT, lw=0.6)
    axes.plot([], [], "-", color=LIGHT, label="8 scans")
    axes.plot(strain, [level.expected.mean() for level in e.levels], "--", color=VERMILLION, label="expectation")
    errors = [level.error if math.isfinite(level.error) else 0 for level in e.levels]
    means = [level.mean for level in e.levels]
    axes.errorbar(strain, means, errors, fmt="o", color=BLUE, capsize=2.5, label="all seeds")
    axes.set(xlabel="axial strain (%)", ylabel="patterns with Bragg reflections", ylim=(0, 1))
    axes.legend(loc="lower left")
    return figure


@style.styled
def _bands(e):
    if len(e.bands) < 2:
        return None
    figure, axes = style.new(COLUMN, 62 * MM)
    names = list(plan.STRUCTURES)
    for softening, color, shift in ((0.0, BLUE, -0.12), (plan.SOFTENING_EV, VERMILLION, 0.12)):
        seen = False
        for i, name in enumerate(names):
            values = [float(one.localisation[-1]) for one in e.bands.get((name, softening), [])]
            label = None if seen or not values else f"softening {softening:g} eV"
            seen = seen or bool(values)
            axes.plot([i + shift] * len(values), values, "o", color=color, ms=3, mfc="none", label=label)
    axes.axhline(targets.HOMOGENEOUS, ls="--", lw=0.7, color=GREY)
    axes.set_xticks(range(len(names)), [name.replace("-", "-\n") for name in names])
    axes.set(ylabel="localisation", ylim=(0.9, None))
    axes.tick_params(axis="x", which="both", length=0)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure


FIGURES = {
    "onchip": _onchip,
    "threshold": _threshold,
    "volume": _volume,
    "master": _master,
    "nbed": _nbed,
    "bands": _bands,
}


def _origin(e):
    """Which runs, of when, by which program."""
    return f"{e.runs} of {e.planned} runs, {e.made[0]} to {e.made[1]}, made by stzkmc {', '.join(e.commits)}"


def _markdown(e, rows, quick):
    """The table, as docs/experiment.md has it."""
    lines = [f"{_origin(e)}{' (quick: few seeds)' if quick else ''}.", ""]
    lines += ["| row | class | measured | simulated | null model | verdict | test | how |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        cells = (row.id, row.cls, row.measured, row.model, _null(row), row.verdict, row.test, row.detail)
        lines.append("| " + " | ".join(minus(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _null(row):
    """The null model's value and verdict."""
    return f"{row.null_model} ({row.null_verdict})" if row.null_model else "–"


def _unbroken(text):
    """Escaped, with one minus sign, and units kept on the line of their numbers."""
    return re.sub(r"(?<=[\d)]) (?=%|Å³|GPa|MPa|nm|/s\b|eV|K\b)", "\u00a0", escape(minus(text)))


def _page(e, rows, pictures, quick):
    css = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")

    lines = []
    for row in rows:
        kind = {targets.AGREES: "agrees", targets.DIFFERS: "differs"}.get(row.verdict, "neutral")
        lines.append(
            f'<tr><td><b>{row.id}</b></td><td>{_unbroken(row.quantity)}</td><td data-label="measured">'
            f'{_unbroken(row.measured)}</td><td data-label="model">{_unbroken(row.model)}</td>'
            f'<td data-label="null model">{_unbroken(_null(row))}</td><td data-label="class">{row.cls}'
            f'</td><td data-label="verdict"><span class="verdict {kind}">{escape(row.verdict)}</span>'
            f"<small>{_unbroken(row.detail)}</small><small><i>test:</i> {_unbroken(row.test)}</small>"
            + (f"<small><i>fails it:</i> {_unbroken(row.fails)}</small>" if row.fails else "")
            + "</td></tr>"
        )
    shown = [
        f'<figure><div><img src="data:image/png;base64,{base64.b64encode(data).decode("ascii")}" '
        f'alt="{escape(CAPTIONS[name].split(".")[0])}"></div><figcaption>{escape(CAPTIONS[name])}</figcaption></figure>'
        for name, data in pictures
    ]
    warning = '<p class="warning">Quick version: few seeds, so that many tests have little power.</p>' if quick else ""
    body = (
        "<h1>The experiment: every measured number</h1>\n"
        f'<p class="lead">{escape(_origin(e))}. Each verdict is by the test that the table states.</p>\n{warning}'
        "<p>Only rows of class <i>prediction</i> are evidence. An <i>input</i> is echoed, a <i>calibrated</i> row was tuned "
        "to. A row <i>follows</i> if the null model passes the same test: one Eyring dashpot in the same springs, with the "
        "measured strength and rate sensitivity, and clusters and events that fall independently. It has no lattice, no "
        "elastic interaction, no domains and no distribution of barriers.</p>\n"
        '<table class="stack"><thead><tr><th></th><th>quantity</th><th>measured</th><th>simulated</th><th>null model</th><th>class</th>'
        "<th>verdict</th></tr></thead>\n<tbody>\n"
        + "\n".join(lines)
        + f'\n</tbody></table>\n<p class="note">Measured: {escape(measured.SOURCE)}.</p>\n'
        + _differences(e)
        + _volumes(e)
        + _extra(e)
        + '<h2>Figures</h2>\n<div class="figures">\n'
        + "\n".join(shown)
        + "\n</div>"
    )
    return shell.document("stzkmc: the experiment", css, body)


def _differences(e):
    """Where the lattice and a dashpot with its stress and slope part, and what it takes to measure that."""
    lines = []
    for one in nulls.differences(e):
        error = f" ± {1e3 * one.error_GPa:.0f}" if math.isfinite(one.error_GPa) else ""
        cells = (f"{one.stress_GPa:.2f}", f"{1e3 * one.loss_GPa:.0f}{error}", f"{1e3 * one.dashpot_loss_GPa:.0f}")
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in (*cells, one.specimens or "–")) + "</tr>")
    if not lines:
        return ""
    return (
        "<h2>Lattice or dashpot</h2>\n<p>What an experiment would have to measure so that it tells the lattice from one "
        "dashpot with the same stress and slope: the loss of specimens released to stresses below yield. There the "
        "lattice has few soft sites, and loses less. Specimens: how many, with two readings of 20 MPa noise each, show "
        "the difference (two-sided test at 5 %, power 95 %); –: no number does.</p>\n"
        "<table><thead><tr><th>stress at 2 h (GPa)</th><th>loss to 51 d, lattice (MPa)</th><th>dashpot (MPa)</th>"
        "<th>specimens</th></tr></thead><tbody>\n" + "\n".join(lines) + "\n</tbody></table>\n"
    )


def _volumes(e):
    lines = []
    for one in experiment.volumes(e):
        if one["refused"]:
            cells = [f"refused: {one['refused']}"] + [""] * (len(TAYLOR_FACTORS) + 1)
        else:
            cells = ["{:.0f} ({:.0f}–{:.0f})".format(*one[f"V_M={label}"]) for label in TAYLOR_FACTORS]
            cells += [f"{one['m']:.4f}", f"{one['over_microscopic']:.2f}"]
        lines.append(f"<tr><td>{escape(one['method'])}</td>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
    head = "".join(f"<th>V, M = {label} (Å³)</th>" for label in TAYLOR_FACTORS)
    return (
        f"<h2>Activation volume</h2>\n<table><thead><tr><th>estimator</th>{head}<th>m</th><th>V over microscopic</th></tr>"
        "</thead><tbody>\n"
        + "\n".join(lines)
        + f'\n</tbody></table>\n<p class="note">Mean and 95 % interval; m over the mean stress of the window. Microscopic χγ0ΩS = '
        f"{e.microscopic:.1f} Å³.</p>\n"
    )


def _three(master):
    """V of the master curve with its 95 % interval, for each Taylor factor."""
    low, high = master.volume_interval
    return ", ".join(
        f"{factor * master.volume:.1f} Å³ ({factor * low:.1f}–{factor * high:.1f}) for M = {label}"
        for label, factor in TAYLOR_FACTORS.items()
    )


def _extra(e):
    parts = []
    if e.master:
        m = e.master
        parts.append(
            f"Master curve: V = {_three(m)}; "
            f"apparent activation energy {m.enthalpy_eV:.2f} eV ({m.enthalpy_interval[0]:.2f}–{m.enthalpy_interval[1]:.2f}) "
            f"at no stress and {m.energy(3.0):.2f} eV at 3 GPa; residuals of one line: p = {m.p:.2g}."
        )
    if e.order_fit:
        f = e.order_fit
        parts.append(
            f"Order fitted to the counts of one experiment of 8 scans a level: initial fraction {f.initial:.2f} "
            f"({f.initial_interval[0]:.2f}–{f.initial_interval[1]:.2f}), loss {f.loss:.2f} ({f.loss_interval[0]:.2f}–"
            f"{f.loss_interval[1]:.2f})."
        )
    return "".join(f"<p>{escape(part)}</p>\n" for part in parts)
