# SPDX-License-Identifier: GPL-3.0-or-later
"""The command as a user calls it, and its figures."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest
import synthetic
from matplotlib.text import Text

from stzpost import open_result
from stzpost.analysis import avalanches, correlation, distributions, energy, fields, nbed, relaxation, tension
from stzpost.cli import main as cli
from stzpost.io import writing
from stzpost.plots import figures, style

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "stz-post"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(9)
    cube = rng.random((16, 16, 16)).astype(np.float32)
    made = {"composition": cube, "barrier_initial_eV": 2 + cube, "barrier_eV": 2 + cube, "plastic_strain_axial": cube}
    levels = []
    for strain, fraction in ((0.0, 0.6), (0.08, 0.4)):
        bragg, mask = synthetic.patterns(fraction, rng)
        levels.append(dict(strain=strain, bragg=bragg, mask=mask, expected=fraction))
    relaxed = synthetic.write(folder / "onchip.h5", [synthetic.relaxation(type="actuator")], fields=made)
    pulled = synthetic.write(folder / "tension.h5", [synthetic.tension()], levels, made)
    curved = synthetic.write(
        folder / "curved.h5", [synthetic.relaxation(law=lambda t: 3 - 0.5 * (1 - np.exp(-t / 1e4)))], complete=0
    )
    tables = synthetic.avalanches(rng.geometric(0.8, 400))
    for number, strain in enumerate((0.0, 0.05, 0.08)):
        tables |= synthetic.correlation(number, strain, lambda d, v: np.exp(-d) * (1 if v else 0.9))
        tables |= synthetic.distributions(number, strain, rng.normal(2.5, 0.1, 999), rng.normal(2.1, 0.1, 999))
    segment = synthetic.tension()
    looked = synthetic.write(folder / "looked.h5", [segment], columns=synthetic.energy(segment), tables=tables)
    return {
        "energy": looked,
        "avalanches": looked,
        "correlation": looked,
        "distributions": looked,
        "relaxation": relaxed,
        "stress-strain": pulled,
        "nbed": pulled,
        "probes": pulled,
        "slices": relaxed,
        "curved": curved,
    }


ANALYSES = ["relaxation", "stress-strain", "nbed", "probes", "slices"]
STATISTICS = ["energy", "avalanches", "correlation", "distributions"]


@pytest.mark.parametrize("command", [
    *ANALYSES[:3], *(pytest.param(name, marks=pytest.mark.full) for name in ANALYSES[3:] + STATISTICS)])
def test_table_json_and_figure(command, files, tmp_path, capsys):
    figure = tmp_path / "a.png"
    assert cli.main([command, str(files[command]), "-o", str(figure)]) == 0
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert len(capsys.readouterr().out.splitlines()) >= 5
    assert cli.main([command, str(files[command]), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["command"] == command and all(
        set(q) == {"name", "value", "unit", "error"} for q in record["quantities"]
    )


def test_refused_is_said_and_not_quoted(files, capsys):
    assert cli.main(["relaxation", str(files["curved"])]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^V, M = √3 \(fit\) +refused", out, re.M) and "note: fit: refused, R² = 0.92" in out
    assert cli.main(["relaxation", str(files["curved"]), "--json"]) == 0
    values = {q["name"]: q["value"] for q in json.loads(capsys.readouterr().out)["quantities"]}
    assert values["V, M = √3 (fit)"] is None


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "required"),
        (["dance"], "unknown, needs one of"),
        (["relaxtion", "none.h5"], "command relaxtion: unknown; did you mean relaxation? (stz-post --help)"),
        (["relaxation", "{relaxation}", "--sgment", "1"], "--sgment: unknown option; did you mean --segment?"),
        (["figure", "relax", "a.h5", "-o", "a"], "name relax: unknown; did you mean relaxation? (stz-post figure --help)"),
        (["relaxation"], "required: FILE"),
        (["relaxation", "none.h5"], "none.h5: no such file"),
        (["relaxation", "{nbed}"], "no segment of type"),
        (["nbed", "{relaxation}"], "no NBED levels"),
        (["relaxation", "{relaxation}", "--from", "x"], "invalid float"),
        (["relaxation", "{relaxation}", "-o", "a.gif"], "needs a name that ends in .png"),
        (["relaxation", "{relaxation}", "-o", "/nowhere/a.png"], "/nowhere/a.png: the folder /nowhere is not there; make it first"),
        (["report", "{relaxation}"], "required: -o"),
        (["report", "{relaxation}", "-o", "/dev/null/x"], "Not a directory"),
    ],
)
def test_errors_are_one_line_and_exit_2(arguments, message, files, capsys):
    filled = [a.format(**{k: str(v) for k, v in files.items()}) if "{" in a else a for a in arguments]
    assert cli.main(filled) == 2
    out, err = capsys.readouterr()
    assert err.startswith("stz-post: ") and err.count("\n") == 1 and message in err and out == ""


def test_script_runs_from_anywhere(files, tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "nbed", str(files["nbed"])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0 and "BR fraction at 8 %" in done.stdout and done.stderr == ""


def test_report_is_one_page_that_needs_nothing_else(files, tmp_path, capsys):
    assert cli.main(["report", str(files["relaxation"]), str(files["nbed"]), "-o", str(tmp_path / "new")]) == 0
    assert "T3" in capsys.readouterr().out
    page = (tmp_path / "new" / "report.html").read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="(?!data:image/png;base64,)', page) == [] and "url(" not in page
    assert "http" not in page and "<script" not in page
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names == {
        "report.html",
        "onchip-relaxation.png",
        "onchip-slices.png",
        "tension-stress-strain.png",
        "tension-nbed.png",
        "tension-probes.png",
        "tension-slices.png",
    }
    assert page.count("data:image/png;base64,") == 6 and page.count("<figcaption>") == 6
    for row in ("T1", "T2", "T3", "T12", "N1", "N5"):
        assert f"<b>{row}</b>" in page
    assert "0123456789abcdef" in page and "did not finish" not in page


@pytest.mark.full
def test_report_shows_the_statistics_that_a_file_holds(files, tmp_path, capsys):
    assert cli.main(["report", str(files["energy"]), "-o", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for name in STATISTICS:
        assert (tmp_path / f"looked-{name}.png").exists() and f"<h3>{name}</h3>" in page
    assert page.count("<figcaption>") == 5


def test_report_of_an_unfinished_refused_run(files, tmp_path, capsys):
    assert cli.main(["report", str(files["curved"]), "-o", str(tmp_path), "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert rows["T3"]["model"] == "–" and rows["T3"]["verdict"] == "no data"
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "did not finish" in page and "refused" in page


def test_report_without_what_cannot_be_read(tmp_path, capsys):
    path = synthetic.write(tmp_path / "a.h5", [synthetic.relaxation()], [], {"composition": np.zeros((8, 8, 8))})
    with h5py.File(path, "r+") as file:
        about = dict(file["microstructure/composition"].attrs)
        del file["microstructure/composition"]
        lost = file.create_dataset("microstructure/composition", (8, 8, 8), "f4", external=[("lost", 0, h5py.h5f.UNLIMITED)])
        lost.attrs.update(about)
    assert cli.main(["report", str(path), "-o", str(tmp_path / "new")]) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"stz-post: {tmp_path}/new/report.html is without slices: {path}: damaged")
    assert said.err.count("\n") == 1 and said.out.endswith(f"page: {tmp_path}/new/report.html\n")
    assert "<h3>relaxation</h3>" in (tmp_path / "new" / "report.html").read_text(encoding="utf-8")


def test_ctrl_c_is_one_line_and_leaves_no_part_of_a_file(files, tmp_path, monkeypatch, capsys):
    """SIGINT comes as the second figure of a report is on its way to the disk, under its temporary name."""
    synced, there = writing._sync, []

    def sync(path, flags):
        if "slices" in os.path.basename(path):
            there.extend(tmp_path.glob(".*"))
            os.kill(os.getpid(), signal.SIGINT)
        synced(path, flags)

    monkeypatch.setattr(writing, "_sync", sync)
    assert cli.main(["report", str(files["relaxation"]), "-o", str(tmp_path)]) == 130
    said = capsys.readouterr()
    assert said.err == "stz-post: stopped\n" and said.out == ""
    assert len(there) == 1 and [path.name for path in tmp_path.iterdir()] == ["onchip-relaxation.png"]


@pytest.mark.parametrize("column", ["segment", "plastic_rate_per_s", "localisation"])
def test_report_of_a_history_without_a_column(column, tmp_path, capsys):
    path = synthetic.write(tmp_path / "a.h5", [synthetic.relaxation()])
    with h5py.File(path, "r+") as file:
        del file["history"][column]
    assert cli.main(["report", str(path), "-o", str(tmp_path / "new")]) == 2
    assert capsys.readouterr().err == f"stz-post: {path}: no dataset /history/{column}\n"


@pytest.mark.full
def test_type_is_legible_in_print(files):
    """At least 8 pt (but subscripts and powers) on a page of one or two columns, 85 or 178 mm."""
    pulled, relaxed = open_result(files["nbed"]), open_result(files["relaxation"])
    levels, looked = nbed.analyse(pulled), open_result(files["energy"])
    drawn = [
        figures.energy(energy.analyse(looked)),
        figures.avalanches(avalanches.analyse(looked)),
        figures.correlation(correlation.analyse(looked)),
        figures.distributions(distributions.analyse(looked)),
        figures.relaxation(relaxation.analyse(relaxed)),
        figures.stress_strain(tension.analyse(pulled)),
        figures.nbed(levels),
        figures.probes(levels),
        figures.slices(fields.analyse(relaxed)),
    ]
    for figure in drawn:
        assert min(abs(figure.get_figwidth() - width) for width in (style.COLUMN, style.PAGE)) < 1e-9
        sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
        assert len(sizes) >= 5 and min(sizes) >= 8


HEAVY = ("numpy", "pandas", "xarray", "scipy", "matplotlib", "h5py")


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["collect", "--help"], ["nbed", "--help"], ["no-such"]])
def test_a_short_command_imports_nothing_heavy(words):
    """What takes most of a second to import is imported by the commands that need it."""
    script = (
        "import sys\nfrom stzpost.cli import main as cli\ncli.main(sys.argv[1:])\n"
        f"print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    )
    folder = pathlib.Path(cli.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script, *words], cwd=folder, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "[]", done.stderr


def test_the_package_keeps_its_names():
    """In a new process, since here they have been imported."""
    script = "import stzpost\nfor name in stzpost.__all__: assert getattr(stzpost, name) and name in dir(stzpost)\n"
    script += "from stzpost import Result, open_result, open_run, open_sweep, flow_properties\n"
    script += "from stzpost import *\nassert not hasattr(stzpost, 'no_such')"
    folder = pathlib.Path(cli.__file__).parents[2]
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True)


@pytest.mark.parametrize("command", ["experiment", "bands", "calibrate"])
@pytest.mark.parametrize("program", [None, "/nowhere/stzkmc"])
def test_without_the_program_one_is_told_what_to_do(command, program, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    more = ["--program", program] if program else []
    assert cli.main([command, "--quick", "-o", str(tmp_path / "out"), *more]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "no such program; build it" in said and not (tmp_path / "out").exists()


def test_inputs_of_the_program_are_found_from_any_folder(tmp_path, monkeypatch, capsys):
    """A program that refuses all it is asked for says from where."""
    program = tmp_path / "stzkmc"
    program.write_text("#!/bin/sh\necho \"stzkmc: asked for $(grep ^input $2)\" >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["bands", "--quick", "-o", "out", "--program", str(program), "--jobs", "1"]) == 2
    assert re.search(r'asked for input = ".*/inputs/tension\.cfg";$', capsys.readouterr().err)
