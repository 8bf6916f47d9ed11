# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a page together: values, tables, texts, our script and plotly, in one file that asks no network."""
from __future__ import annotations

import base64
from importlib import resources

from .. import text
from ..errors import StzPostError
from ..io import writing
from ..io.result import Result
from ..units import number_text
from . import report, shell
from .run_data import collect
from .sweep_data import collect_sweep

# Nothing may be fetched: the browser itself enforces that the page is whole.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"


def _plot(name: str, kind: str = "", before: str = "") -> str:
    """Where a plot goes, with its title; `before` stands there until it is drawn."""
    return f'<figure><figcaption></figcaption>{before}<div id="{name}" class="{f"plot {kind}".strip()}"></div></figure>'


SCENE_CONTROLS = (
    '<p class="controls" id="scene-controls" role="group" aria-label="View" hidden><span><label>Surface at Ni fraction '
    '<input id="iso" type="range" min="0" step="1"></label> <output for="iso" id="iso-value"></output></span> '
    '<button type="button" data-turn="-15">Turn left</button><button type="button" data-turn="15">Turn right</button>'
    '<label><input id="show-events" type="checkbox" checked> events</label></p>'
    '<p id="no-webgl" class="warning" hidden>This browser has no WebGL (3D graphics): a still picture stands for the '
    "view that turns.</p>"
)

SECTIONS = {
    "curves": (
        "Curves",
        f'<div class="plots">{_plot("stress-strain")}{_plot("stress-time")}{_plot("rate")}{_plot("bragg")}</div>',
    ),
    "scene": (
        "Composition and events",
        "",  # by what the run has, see _scene
    ),
    "map": (
        "Plastic strain",
        "<p>Axial plastic strain, averaged through the sample along y and over the shape of an STZ. Tension is along x: "
        "bands would lie at 45°.</p>"
        '<p class="controls"><label>Time <input id="time" type="range" min="0" step="1"></label> '
        f'<output for="time" id="time-value"></output></p>{_plot("map", "square")}',
    ),
    "scans": (
        "Virtual nanobeam diffraction",
        '<p class="controls"><label>Level and scan <select id="scan"></select></label></p>'
        f'<div class="plots">{_plot("scan-bragg", "square")}{_plot("scan-density", "square")}</div>',
    ),
}


def write_run(result: Result, path: str) -> list[str]:
    """Writes the page of one result; returns what it lacks, a line each."""
    values, done = collect(result)
    bodies = {name: body for name, (_, body) in SECTIONS.items()}
    lacks = []
    if "scene" in values:
        bodies["scene"] += _scene(values["scene"].pop("still"), values["scene"])
        lacks = [values["scene"].pop("note")]
    parts = [f"<h1>{_e(result.name)}</h1>", _lead(result)]
    notes = [*done.notes, *filter(None, lacks)]
    parts += [f'<p class="warning">{_e(note[0].upper() + note[1:])}.</p>' for note in notes]
    for name, (title, _) in SECTIONS.items():
        if name in values:
            parts.append(f'<section aria-labelledby="h-{name}"><h2 id="h-{name}">{title}</h2>{bodies[name]}</section>')
    tables = "".join(f"<h3>{_e(name)}</h3>{report.numbers_table(one)}" for name, one in done.quantities.items())
    parts.append(f'<section><h2>Numbers</h2><div class="tables">{tables}</div></section>')
    parts.append(f"<section><h2>Provenance</h2>{report.provenance_table(result)}</section>")
    for title, shown in (("Input", result.input_text), ("Resolved input", result.resolved_text)):
        if shown:
            parts.append(f"<details><summary>{title}</summary><pre>{_e(shown)}</pre></details>")
    _save(path, f"stzkmc: {result.name}", "\n".join(parts), values, "run")
    return [one for one in lacks if one]


def _scene(picture: bytes, scene: dict) -> str:
    """The view in space. Its still picture is seen until the view is drawn, without WebGL, and on paper."""
    told = ["A surface of equal Ni fraction, at first half a deviation above its mean."] if scene["surfaces"] else []
    told += ["Events are coloured by their time."] if "events" in scene else []
    title = _e(scene["title"])
    source = base64.b64encode(picture).decode("ascii")
    image = f'<img class="still" src="data:image/png;base64,{source}" alt="{title}">'
    plot = _plot("scene", "tall space", image).replace("<figcaption>", f"<figcaption>{title}")
    return f"<p>{' '.join(told)}</p>{SCENE_CONTROLS}{plot}"


def write_sweep(sweep, path: str) -> None:
    """Writes the page of a sweep (a Dataset of `open_sweep`)."""
    values = collect_sweep(sweep)
    states = {name: values["state"].count(name) for name in dict.fromkeys(values["state"])}
    told = ", ".join(f"{count} {name}" for name, count in states.items())
    name = sweep.attrs["source"]
    rows = [("design", sweep.attrs["design"]), ("runs", told), ("program", f"stzkmc {sweep.attrs['program_version']}, commit "
            f"{sweep.attrs['git']}"), ("command", sweep.attrs["command_line"]), ("made", sweep.attrs["utc"]),
            ("seed", sweep.attrs["seed"])]
    lines = "".join(f"<tr><td>{key}</td><td>{_e(str(value))}</td></tr>" for key, value in rows)
    body = (
        f"<h1>Sweep {_e(name)}</h1>"
        '<p class="lead">Many runs of stzkmc; means and standard errors are over the runs that agree in the axes chosen.</p>'
        '<p class="controls"><label>Show <select id="quantity"></select></label><label>against <select id="x"></select>'
        '</label><label>by <select id="by"></select></label></p>'
        f'<div class="plots">{_plot("lines")}{_plot("heat")}</div>{_plot("curves", "square")}'
        f"<section><h2>Runs</h2>{_runs(values)}</section>"
        f'<section><h2>Provenance</h2><table class="run"><tbody>{lines}</tbody></table></section>'
    )
    _save(path, f"stzkmc: sweep {name}", body, values, "sweep")


def _runs(values: dict) -> str:
    """A line a run: where it is on the axes, its state, its numbers."""
    columns = {**values["axes"], **values["quantities"]}
    head = "".join(f"<th>{_e(one['label'])}</th>" for one in columns.values())
    lines = []
    for run, (state, file) in enumerate(zip(values["state"], values["file"])):
        cells = "".join(f"<td>{_cell(one['values'][run])}</td>" for one in columns.values())
        lines.append(f"<tr><td>{_e(file) or run}</td><td>{_e(state)}</td>{cells}</tr>")
    return (
        f'<div class="wide-table" tabindex="0" role="region" aria-label="Runs"><table><thead><tr><th>run</th><th>state</th>'
        f"{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cell(value) -> str:
    return "–" if value is None else number_text(value) if isinstance(value, float) else _e(str(value))


def _lead(result: Result) -> str:
    state = "" if result.complete else " The run did not finish."
    return f'<p class="lead">Kinetic Monte Carlo of shear transformation zones with stzkmc.{state}</p>'


def _save(path: str, title: str, body: str, values: dict, kind: str) -> None:
    data = text.json_in_page(values)
    space = f'<script type="text/plain" id="plotly-space">{plotly("gl3d")}</script>\n' if "scene" in values else ""
    page = shell.document(
        _e(title),
        f"{_text('report.css')}\n{_text('page.css')}",
        f"<noscript><p>The plots need a browser with scripts; the tables do not.</p></noscript>\n{body}\n"
        f'<script type="application/json" id="data">{data}</script>\n{space}<script>{plotly("cartesian")}</script>\n'
        f"<script>\n{_text('kit.js')}{_text(f'{kind}.js')}</script>",
        head=f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n',
    )
    try:
        with writing.text(path) as file:
            file.write(page)
    except OSError as error:
        raise StzPostError(f"{path}: {error.strerror}") from error


def plotly(part: str) -> str:
    """The text of a part of plotly.js ("cartesian": curves and maps, "gl3d": in space), which is not in the sources:
    run/setup fetches it (postprocess/web/package.json)."""
    try:
        return _text(f"plotly-{part}.min.js").replace("</script", "<\\/script")
    except FileNotFoundError as error:
        raise StzPostError("plotly.js is not here: run/setup --web fetches it (npm), see docs/postprocessing.md") from error


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


_e = text.html
