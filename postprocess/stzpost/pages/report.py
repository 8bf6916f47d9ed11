# SPDX-License-Identifier: GPL-3.0-or-later
"""One self-contained page for one or more result files: what was run, the verdicts, the figures."""
import base64
import os
import re
from importlib import resources

import numpy as np

from .. import text as outside
from ..analysis import registry, relaxation
from ..analysis.quantity import minus
from ..errors import StzPostError
from ..io import writing
from ..plots import figures, style
from ..studies import evidence, measured, targets
from ..units import POLYCRYSTAL, time_text
from . import shell

PROBES = (
    "Every scan of 10 × 10 patterns, a row for each level of strain. Dots: patterns with Bragg reflections; white: "
    "projected Ni-rich (bright), grey: Zr-rich. Above each map: its fraction of patterns with Bragg reflections."
)
WIDE = ("probes",)
SCREEN = ("distributions", "correlation", "avalanches", "slices")  # left out of the printed pages, which are five


def write(files, directory):
    """Writes report.html and the figures into a directory; returns the path of the page."""
    pictures = [_pictures(one) for one in files]
    page = _page(files, pictures)  # all is read by now: a file that cannot be read leaves no half of a report
    path = os.path.join(directory, "report.html")
    try:
        os.makedirs(directory, exist_ok=True)
        for stem, drawn in zip(_names(files), pictures):
            for kind, picture in drawn:
                writing.data(os.path.join(directory, f"{stem}-{kind}.png"), picture)
        with writing.text(path) as file:
            file.write(page)
    except OSError as error:
        raise StzPostError(f"{error.filename or directory}: {error.strerror}") from error
    return path


def _names(files):
    """Stems of the files, made distinct."""
    stems = [os.path.splitext(one.result.name)[0] for one in files]
    return [stem if stems.count(stem) == 1 else f"{stem}-{i + 1}" for i, stem in enumerate(stems)]


def _pictures(done):
    """Draws every figure of a file: [(kind, PNG bytes)]."""
    kinds = [(one.name, one.figure, done.found[one.name]) for one in registry.ANALYSES if one.name in done.found]
    if "nbed" in done.found:
        kinds.append(("probes", figures.probes, done.found["nbed"]))
    return [(kind, style.png(one(found))) for kind, one, found in kinds]


def _page(files, pictures):
    css = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    first = _first_figure(pictures)
    shown = f'<div class="figures first">\n{_figure(*first)}\n</div>' if first else ""
    body = [_head(files), shown, _verdicts(files)]
    body += [_file(one, [pic for pic in drawn if pic is not first]) for one, drawn in zip(files, pictures)]
    body.append(_conventions())
    return shell.document("stzkmc: report", css, "\n".join(body))


def _head(files):
    return (
        "<h1>Plasticity of a metallic-glass film: simulation and measurement</h1>\n"
        '<p class="lead">Kinetic Monte Carlo of shear transformation zones with stzkmc; '
        f"{len(files)} {'run' if len(files) == 1 else 'runs'}: {_e(', '.join(one.result.name for one in files))}.</p>"
    )


def _first_figure(pictures):
    """The picture that says most at a glance, to stand before the table: the relaxation where there is one."""
    drawn = [one for of_file in pictures for one in of_file]
    return next((one for one in drawn if one[0] == "relaxation"), drawn[0] if drawn else None)


def _verdicts(files):
    rows = targets.rows(evidence.evidence(files))
    lines = []
    for row in rows:
        kind = {targets.AGREES: "agrees", targets.DIFFERS: "differs"}.get(row.verdict, "neutral")
        detail = f"<small>{_e(minus(row.detail))}</small>" if row.detail else ""
        lines.append(
            f'<tr><td><b>{row.id}</b></td><td>{_e(row.quantity)}</td><td data-label="measured">{_e(row.measured)}</td>'
            f'<td data-label="model">{_e(minus(row.model))}</td><td data-label="class">{row.cls}</td>'
            f'<td data-label="verdict"><span class="verdict {kind}">{_e(minus(row.verdict))}</span>{detail}</td></tr>'
        )
    return (
        "<h2>Against the measurements</h2>\n"
        "<p>Only rows of class <i>prediction</i> are evidence: an <i>input</i> was put in and is echoed, a "
        "<i>calibrated</i> row was tuned to (the verdict is the deviation), and a row that <i>follows</i> comes out of one "
        "dashpot, or of independent events, as well (docs/experiment.md). Where no numbers are given, a trend was "
        "measured. A code in front names a row: T1 to T12 are measurements of the film by tension, relaxation and "
        "microscopy, and the set-up of those experiments; N1 to N5 are what nanobeam diffraction and microscopy saw "
        "of the flow. Errors are one "
        "standard error within the run; other samples of the same glass scatter more.</p>\n"
        f'<p class="note">Measured: {_e(measured.SOURCE)}. V and m describe the same slope: V = M'
        " k<sub>B</sub>T/(mσ), so V is not independent of m at a given stress. The strain rates "
        f"{targets.RATES_TEXT} are set at the first and the last time of observation.</p>\n"
        '<table class="stack"><thead><tr><th></th><th>quantity</th><th>measured</th><th>model</th><th>class</th>'
        "<th>verdict</th></tr></thead>\n<tbody>\n"
        + "\n".join(lines)
        + "\n</tbody></table>"
    )


def _file(done, pictures):
    parts = [f"<h2>{_e(done.result.name)}</h2>"]
    parts += [f'<p class="warning">{_e(note[0].upper() + note[1:])}.</p>' for note in done.notes]
    parts.append(provenance_table(done.result))
    shown = "\n".join(_figure(kind, data) for kind, data in pictures)
    parts.append(f'<div class="figures">\n{shown}\n</div>')
    numbers = "".join(f"<h3>{_e(name)}</h3>{numbers_table(one)}" for name, one in done.quantities.items())
    parts.append(f"<details><summary>All numbers</summary>{numbers}</details>")
    if done.result.resolved_text:
        parts.append(
            '<details class="input"><summary>Resolved input</summary>'
            f"<pre>{_e(done.result.resolved_text)}</pre></details>"
        )
    return "\n".join(parts)


def provenance_table(result):
    """What made the file, as HTML."""
    a = result.attrs
    rows = [
        ("program", f"stzkmc {a.get('program_version', '?')}, commit {a.get('git', '?')}"),
        ("command", a.get("command_line", "?")),
        ("made", a.get("created_utc", "?")),
        ("ranks, seed", f"{a.get('ranks', '?')}, {a.get('seed', '?')}"),
        ("state hash", a.get("state_hash", "–")),
        ("sample", _sample(result)),
        ("protocol", "; ".join(_segment(s) for s in result.segments)),
    ]
    lines = "".join(f"<tr><td>{name}</td><td>{_e(str(value))}</td></tr>" for name, value in rows)
    return f'<table class="run"><tbody>{lines}</tbody></table>'


def _sample(result):
    cells, spacing = np.atleast_1d(result.setting("cells")), float(result.setting("spacing_nm"))
    size = " × ".join(f"{n * spacing:.2f}" for n in cells)
    return f"{' × '.join(str(int(n)) for n in cells)} sites, {size} nm³"


def _segment(segment):
    duration = segment.duration_s
    length = time_text(duration) if np.isfinite(duration) else "unfinished"
    return f"{segment.type} at {segment.temperature_K:g} K, {length}, {segment.events} events"


def _caption(kind):
    return PROBES if kind == "probes" else registry.named(kind).caption


def _figure(kind, data):
    wide = ' class="wide"' if kind in WIDE else ' class="screen"' if kind in SCREEN else ""
    source = base64.b64encode(data).decode("ascii")
    return (
        f'<figure{wide}><div><img src="data:image/png;base64,{source}" alt="{_e(_caption(kind).split(".")[0])}"></div>'
        f"<figcaption>{_e(_caption(kind))}</figcaption></figure>"
    )


def numbers_table(quantities):
    """Quantities with their errors and units, as HTML."""
    lines = []
    for q in quantities:
        value, error, unit = q.shown()
        value += f" ± {error}" if error else ""
        lines.append(f"<tr><td>{_e(q.name)}</td><td>{value} {_e(unit)}</td></tr>")
    return f'<table class="numbers"><tbody>{"".join(lines)}</tbody></table>'


def _conventions():
    return (
        "<h2>Conventions</h2>\n<p>σ(t) = σ<sub>0</sub> − s ln(1 + t/t<sub>0</sub>); V = M k<sub>B</sub>T/s for M = 1"
        f" (axial stress), √3 (equivalent shear) and {POLYCRYSTAL} (Taylor factor); m = ∂ln σ/∂ln ε̇<sub>p</sub> = s/σ with σ"
        " averaged over ln t. The same s comes from the slope of ln ε̇<sub>p</sub> against σ. A fit with R² below"
        f" {relaxation.MIN_R2:g}, or that ends before 100 t<sub>0</sub>, is refused and not quoted.</p>"
    )


def summary(files):
    """The verdicts as text, a line a row."""
    rows = targets.rows(evidence.evidence(files))
    widths = [max(len(getattr(row, name)) for row in rows) for name in ("id", "quantity", "cls")]
    return "\n".join(
        f"{row.id:<{widths[0]}}  {row.quantity:<{widths[1]}}  {row.cls:<{widths[2]}}  {minus(row.verdict)}"
        for row in rows
    )


def _e(text):
    """Escaped text, in which no line ends between a number and what belongs to it."""
    text = re.sub(r"(?<=\d) (?=%|±|/s|nm|Å³|[GM]Pa|d\b|h\b|K\b|s\b)|(?<=±) ", "\u00a0", text)
    return outside.html(text)
