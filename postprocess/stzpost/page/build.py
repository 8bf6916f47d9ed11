# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a page together: values, tables, texts, our script and plotly, in one file that asks no network."""
from __future__ import annotations

import html
import json
from importlib import resources

from .. import report
from ..errors import StzPostError
from ..result import Result
from .data import collect

# Nothing may be fetched: the browser itself enforces that the page is whole.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
    "worker-src blob:"
)

SECTIONS = {
    "curves": (
        "Curves",
        '<div class="plots"><div id="stress-strain" class="plot"></div><div id="stress-time" class="plot"></div>'
        '<div id="rate" class="plot"></div><div id="bragg" class="plot"></div></div>',
    ),
    "scene": (
        "Composition and events",
        "<p>Surface of the Ni fraction at half a deviation above its mean; events coloured by their time.</p>"
        '<p class="controls" role="group" aria-label="View"><label>Surface at Ni fraction '
        '<input id="iso" type="range" step="0.005"></label> <output for="iso" id="iso-value"></output> '
        '<button type="button" data-turn="-15">Turn left</button><button type="button" data-turn="15">Turn right</button>'
        '<label><input id="show-events" type="checkbox" checked> events</label></p>'
        '<div id="scene" class="plot tall"></div>',
    ),
    "map": (
        "Plastic strain",
        "<p>Axial plastic strain, averaged through the sample along y and over the shape of an STZ. Tension is along x: "
        "bands would lie at 45°.</p>"
        '<p class="controls"><label>Time <input id="time" type="range" min="0" step="1"></label> '
        '<output for="time" id="time-value"></output></p><div id="map" class="plot square"></div>',
    ),
    "scans": (
        "Virtual nanobeam diffraction",
        '<p class="controls"><label>Level and scan <select id="scan"></select></label></p>'
        '<div class="plots"><div id="scan-bragg" class="plot square"></div>'
        '<div id="scan-density" class="plot square"></div></div>',
    ),
}


def write_run(result: Result, path: str) -> None:
    """Writes the page of one result."""
    values, done = collect(result)
    parts = [f"<h1>{_e(result.name)}</h1>", _lead(result)]
    parts += [f'<p class="warning">{_e(note[0].upper() + note[1:])}.</p>' for note in done.notes]
    for name, (title, body) in SECTIONS.items():
        if name in values:
            parts.append(f'<section aria-labelledby="h-{name}"><h2 id="h-{name}">{title}</h2>{body}</section>')
    tables = "".join(f"<h3>{_e(name)}</h3>{report.numbers_table(one)}" for name, one in done.quantities.items())
    parts.append(f'<section><h2>Numbers</h2><div class="tables">{tables}</div></section>')
    parts.append(f"<section><h2>Provenance</h2>{report.provenance_table(result)}</section>")
    for title, text in (("Input", result.input_text), ("Resolved input", result.resolved_text)):
        if text:
            parts.append(f"<details><summary>{title}</summary><pre>{_e(text)}</pre></details>")
    _save(path, f"stzkmc: {result.name}", "\n".join(parts), values)


def _lead(result: Result) -> str:
    state = "" if result.complete else " The run did not finish."
    return f'<p class="lead">Kinetic Monte Carlo of shear transformation zones with stzkmc.{state}</p>'


def _save(path: str, title: str, body: str, values: dict) -> None:
    data = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_e(title)}</title>\n<style>\n{_text('report.css')}\n{_text('page/page.css')}</style>\n</head>\n<body>\n"
        f"<noscript><p>The plots need a browser with scripts; the tables do not.</p></noscript>\n{body}\n"
        f'<script type="application/json" id="data">{data}</script>\n<script>{plotly()}</script>\n'
        f"<script>\n{_text('page/page.js')}</script>\n</body>\n</html>\n"
    )
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)
    except OSError as error:
        raise StzPostError(f"{path}: {error.strerror}") from error


def plotly() -> str:
    """The text of plotly.js, which is no part of the sources: run/setup fetches it (postprocess/web/package.json)."""
    try:
        return _text("plotly.min.js").replace("</script", "<\\/script")
    except FileNotFoundError as error:
        raise StzPostError("plotly.js is not here: run/setup --web fetches it (npm), see docs/postprocessing.md") from error


def _text(name: str) -> str:
    return resources.files("stzpost").joinpath(name).read_text(encoding="utf-8")


def _e(text: str) -> str:
    return html.escape(text, quote=True)
