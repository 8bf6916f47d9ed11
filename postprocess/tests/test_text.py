# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts from outside: names of files, values on axes and attributes that would be more than text where they are shown."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser

import h5py
import numpy as np
import pytest
import synthetic

import stzpost
from stzpost.analysis import flow
from stzpost import open_result, open_sweep, text
from stzpost.cli import main as cli
from stzpost.io import sweep
from stzpost.plots import paper
from stzpost.pages import interactive as build

NASTY = "<!--<script>$x^$&\"'.h5"
NOT_UTF8 = os.fsdecode(b"glass-\xff\xfe$a.h5")
BROKEN = "two\nlines\u2028three.h5"
NAMES = [NASTY, NOT_UTF8, BROKEN, "$\\frac{$.h5", "\x1b[31mred.h5"]


class Elements(HTMLParser):
    """Scripts of a page, their text, and the elements that it opens."""

    def __init__(self, page):
        super().__init__()
        self.opened, self.data, self.inside = [], {}, None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.opened.append(tag)
        self.inside = (tag, dict(attrs).get("id"))

    def handle_data(self, data):
        self.data[self.inside] = self.data.get(self.inside, "") + data


FULL = [name if name == NASTY else pytest.param(name, marks=pytest.mark.full) for name in NAMES]


@pytest.fixture(params=FULL, ids=range(len(NAMES)))
def named(request, tmp_path):
    """A result with a name that is more than a name; without a level of diffraction, so that pages are quick."""
    path = tmp_path / request.param
    return synthetic.write(path, [synthetic.relaxation()])


def test_forms_of_a_text():
    assert text.plain("a\nb\x1b\u2028c\udcff\x7f") == "a?b??c??"
    assert text.plain("f\u202e5h.x\u00ad\ufeff 3\u00a0MPa µ") == "f?5h.x?? 3\u00a0MPa µ"  # turned and hidden; spaces stay
    assert text.whole("a\nb\udcff") == "a\nb?"
    assert text.html("<a href=\"x\">'&\udcff") == "&lt;a href=&quot;x&quot;&gt;&#x27;&amp;?"
    assert text.label("a $x^2$ b") == r"a \$x^2\$ b"
    values = {"<!--<script>": ["</script>", "a\u2028b&", "\udcff", 1.5, None]}
    shown = text.json_in_page(values)
    assert not set("<>&\u2028\u2029") & set(shown) and shown.isprintable()
    assert json.loads(shown) == {"<!--<script>": ["</script>", "a\u2028b&", "?", 1.5, None]}


def test_json_that_is_printed():
    values = {"a\x1b": ["b\x85\u2028\x7f\u202e", "\udcff", "é\n", 1.5]}
    for indent in None, 1:
        shown = text.json_lines(values, indent)
        assert text.lines(shown) == shown and json.loads(shown) == {"a\x1b": ["b\x85\u2028\x7f\u202e", "?", "é\n", 1.5]}


@pytest.mark.parametrize("name", [
    "\x1b[31mred.csv", *(pytest.param(name, marks=pytest.mark.full) for name in (BROKEN + ".csv", NOT_UTF8 + ".csv"))])
def test_what_is_printed_is_plain(name, tmp_path):
    """The name of a file and the heads of its columns, as a process of its own prints them."""
    rows = "".join(f"{10**k},{4 - k / 9},0.01,1\n" for k in range(6))
    (tmp_path / name).write_text("time_s,stress_GPa,error_GPa,\x1b]0;x\x07$\\frac{$\n" + rows)
    package = os.path.dirname(os.path.dirname(stzpost.__file__))
    for more in [], ["--json"]:
        done = subprocess.run([sys.executable, "-m", "stzpost", "measured", tmp_path / name, *more],
                              cwd=package, capture_output=True, timeout=300)
        said = (done.stdout + done.stderr).decode()
        assert done.returncode == 0 and "frac" in said and all(map(str.isprintable, said.split("\n"))), said


def test_every_embedded_json_is_escaped(tmp_path, monkeypatch):
    """What a browser would take for the start of a comment in a script leaves the rest of the page alone."""
    monkeypatch.setattr(build, "plotly", lambda part: "")
    path = tmp_path / "page.html"
    build._save(str(path), NASTY, "<p>body</p>", {"file": [NASTY, NOT_UTF8]}, "sweep")
    page = path.read_text(encoding="utf-8")
    assert page.count("<!--") == 0 and page.count("<script>") == 2
    found = Elements(page)
    assert json.loads(found.data["script", "data"])["file"] == [NASTY, text.plain(NOT_UTF8)]


def test_reports_and_figures_of_any_name(named, tmp_path, capsys):
    path = str(named)
    assert cli.main(["report", path, "-o", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<!--" not in page and "<script" not in page
    assert text.html(open_result(path).name) in page
    assert cli.main(["relaxation", path, "-o", str(tmp_path / "a.png")]) == 0
    assert cli.main(["relaxation", path, "--json"]) == 0
    for name in ("relaxation", "stress-strain"):
        assert cli.main(["figure", name, path, "-o", str(tmp_path / name)]) == 0
        assert (tmp_path / f"{name}.csv").read_text(encoding="utf-8")
    capsys.readouterr()
    with open(tmp_path / "measured.csv", "w", encoding="utf-8") as file:
        file.write("time_s,stress_GPa,error_GPa\n" + "".join(f"{10.0**k},{3.3 - 0.1 * k},0.01\n" for k in range(2, 6)))
    assert cli.main(["compare", "--measured", str(tmp_path / "measured.csv"), path, "-o", str(tmp_path / "c.png")]) == 0
    assert cli.main(["nbed", path]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "\x1b" not in said


def test_labels_are_no_mathematics(named):
    """The name is drawn as it is."""
    figure, _ = paper.draw_relaxation([open_result(named)])
    (label,) = [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
    name = os.path.splitext(text.plain(os.path.basename(named)))[0]
    assert label.split("\n")[0].split(" (fit")[0] == name.replace("$", r"\$")


def test_attributes_that_are_no_utf8(tmp_path, capsys):
    path = synthetic.write(tmp_path / "a.h5", [synthetic.relaxation()])
    with h5py.File(path, "a") as file:
        del file.attrs["command_line"]
        kind = h5py.string_dtype("utf-8", 40)
        file.attrs.create("command_line", np.array(b"stzkmc run <b>\xff\xfe</b> $x", kind), dtype=kind)
    assert cli.main(["report", str(path), "-o", str(tmp_path / "out")]) == 0
    assert "&lt;b&gt;" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    capsys.readouterr()


@pytest.fixture
def study(tmp_path):
    """A sweep over names of files: two replicas of three."""
    values = [NASTY, "$\\frac{$", "plain"]
    top = tmp_path / "study"
    (top / "runs").mkdir(parents=True)
    header = {
        "format": "stzkmc-sweep", "format_version": 1, "program_version": "0", "git": "x", "utc": "now", "seed": 1,
        "design": "grid", "points": 6, "replicas": 1, "command_line": f"sweep {NASTY}", "identity": synthetic.PULLED,
        "dimensions": [{"name": "field", "size": 3}, {"name": "width_eV", "size": 2}],
        "axes": [{"name": "field", "key": "microstructure.file", "unit": "", "dimension": 0, "description": "f"},
                 {"name": "width_eV", "key": "barriers.width_eV", "unit": "eV", "dimension": 1, "description": "w"}],
    }
    lines = [json.dumps(header)]
    for run in range(6):
        file = f"runs/{run:06}.h5"
        end = 0.05 if run < 2 else 0.125
        synthetic.write(top / file, [synthetic.tension(end=end)])
        lines.append(json.dumps({
            "run": run, "state": "done", "attempts": 1, "wall_s": 1, "file": file, "point": run, "replica": 0, "seed": run,
            "index": [run // 2, run % 2], "parameters": {"field": values[run // 2], "width_eV": [0.1, 0.2][run % 2]},
            "rows": 1000, "state_hash": "0", "strain_axial": end, "peak_stress_GPa": 4.0}))
    (top / "manifest.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return top


def test_sweep_over_names(study, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(build, "plotly", lambda part: "")
    for command in (["heatmap", "--x", "field", "--y", "width_eV"], ["lines", "--x", "width_eV", "--by", "field"],
                    ["curves", "--by", "field"]):
        assert cli.main([command[0], str(study), *command[1:], "-o", str(tmp_path / "f.png")]) == 0, command
    assert cli.main(["page", str(study), "-o", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<!--" not in page and json.loads(Elements(page).data["script", "data"])["axes"]["field"]["values"][0] == NASTY
    assert cli.main(["collect", str(study), "-o", str(tmp_path / "all.h5")]) == 0
    assert open_sweep(tmp_path / "all.h5")["field"].values.tolist()[0] == NASTY
    capsys.readouterr()


def test_no_flow_stress_is_explained(study, tmp_path, capsys):
    """Two of six runs end at 5 % strain."""
    with pytest.warns(UserWarning, match=r"2 of 6 runs have none, the mean from 8% to 12% strain: they reach at most 5 %"):
        found = flow.flow_properties(open_sweep(study))
    assert int(np.isnan(found["flow_stress_GPa"]).sum()) == 2
    assert np.isfinite(found["yield_stress_GPa"].values).all()
    assert cli.main(["heatmap", str(study), "--x", "field", "--y", "width_eV", "-o", str(tmp_path / "f.png")]) == 0
    assert "note: flow stress: 2 of 6 runs have none" in capsys.readouterr().out
    for run in range(2, 6):
        synthetic.write(study / f"runs/{run:06}.h5", [synthetic.tension(end=0.05)])
    assert cli.main(["lines", str(study), "--x", "width_eV", "--by", "field", "-o", str(tmp_path / "f.png")]) in (0, 2)
    said = capsys.readouterr()
    assert "6 of 6 runs have none" in said.out + said.err


def test_reserved_names():
    """C and Python have one list, and it covers what the readers use."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "..", "..", "src", "config", "sweep.c"), encoding="utf-8") as file:
        found = re.search(r"RESERVED\[\] = \{(.*?)NULL\};", file.read(), re.DOTALL)
    assert set(re.findall(r'"(\w+)"', found[1])) == sweep.RESERVED
    assert set(sweep.NOTED) | set(flow.FLOW_PROPERTIES) <= sweep.RESERVED
    assert sweep.is_reserved("final_events") and sweep.is_reserved("time_s_history") and not sweep.is_reserved("width_eV")


def test_the_package_says_whose_it_is():
    """As CITATION.cff does; with a copy of the licence, since pip packs nothing from above its folder."""
    folder = pathlib.Path(__file__).resolve().parents[1]
    assert (folder / "LICENSE").read_bytes() == (folder.parent / "LICENSE").read_bytes()
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cited = re.findall(r"^  - name: (.*)$", (folder.parent / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert [one["name"] for one in project["authors"]] == cited
    assert (folder / project["readme"]).exists()


@pytest.mark.parametrize("name", ["state", "seed", "flow_stress_GPa", "final_events", "row"])
def test_a_manifest_with_a_reserved_name_is_one_line(name, study, capsys):
    manifest = study / "manifest.jsonl"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"field"', f'"{name}"'), encoding="utf-8")
    assert cli.main(["collect", str(study)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"an axis {name}" in said
