# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures for papers: the files, the numbers beside them, and type that can be read."""
import csv

import numpy as np
import pytest
import synthetic
from matplotlib.text import Text

from stzpost import open_result
from stzpost.cli import main as cli
from stzpost.plots import paper, style

MISMATCHES = (0.06, 0.115)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(4)
    cube = {"plastic_strain_axial": rng.random((16, 16, 16))}
    bragg, mask = synthetic.patterns(0.5, rng)
    level = dict(strain=0.0, bragg=bragg, mask=mask, expected=0.5)
    made = {"pull": synthetic.write(folder / "pull.h5", [synthetic.tension()], [level], cube)}
    for mismatch in MISMATCHES:
        segment = synthetic.relaxation(sigma0=40 * mismatch, s=mismatch, t0=84.0, type="actuator")
        segment["strain"] = mismatch - segment["stress"] / 72
        made[mismatch] = synthetic.write(folder / f"chip-{mismatch}.h5", [segment], [], cube)
    return made


def columns(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    return dict(zip(rows[0], zip(*rows[1:])))


def call(name, paths, stem):
    return cli.main(["figure", name, *map(str, paths), "-o", str(stem)])


@pytest.mark.parametrize("name", ["relaxation", "bragg-fraction"])
def test_pdf_png_and_numbers(name, files, tmp_path, capsys):
    source = files["pull"] if name == "bragg-fraction" else files[MISMATCHES[1]]
    assert call(name, [source], tmp_path / ("a.png" if name == "relaxation" else "a")) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.pdf", "a.png"]
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF") and (tmp_path / "a.png").stat().st_size > 5000
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert len(columns(tmp_path / "a.csv")) >= 2


def test_films_at_several_times_make_stress_strain_curves(files, tmp_path):
    """The law of the file at hand: sigma = sigma0 - s ln(1 + t/t0), strain by the actuator's balance."""
    assert call("stress-strain", [files["pull"], *(files[m] for m in MISMATCHES)], tmp_path / "a") == 0
    found = columns(tmp_path / "a-times.csv")
    assert [*found] == ["time", "strain", "stress_GPa", "result"] and len(found["time"]) == 8
    times = {"2 h": 7200.0, "8 d": 8 * 86400.0, "35 d": 35 * 86400.0, "51 d": 51 * 86400.0}
    for label, strain, stress, name in zip(*found.values()):
        mismatch = float(name.removeprefix("chip-"))
        law = 40 * mismatch - mismatch * np.log1p(times[label] / 84.0)
        assert abs(float(stress) - law) < 0.002 and abs(float(strain) - (mismatch - law / 72)) < 1e-4
    for i in range(0, 8, 2):  # a curve: ascending strain at one time
        assert found["time"][i] == found["time"][i + 1] and float(found["strain"][i]) < float(found["strain"][i + 1])


def test_map_has_the_mean_of_the_field_as_its_unit(files, tmp_path):
    assert call("localisation-map", [files["pull"], files[MISMATCHES[0]]], tmp_path / "a") == 0
    values = np.array(columns(tmp_path / "a-pull.csv")["plastic_strain_over_mean"], float)
    assert len(values) == 256 and abs(values.mean() - 1) < 1e-9


def test_type_is_legible_in_print(files):
    relaxed = [open_result(files[m]) for m in MISMATCHES]
    pulled = [open_result(files["pull"])]
    for name, results in (("relaxation", relaxed), ("stress-strain", pulled + relaxed), ("bragg-fraction", pulled),
                          ("localisation-map", pulled), ("localisation-map", pulled + relaxed)):
        figure, _ = paper.FIGURES[name](results)
        assert min(abs(figure.get_figwidth() - width) for width in (style.COLUMN, style.PAGE)) < 1e-9
        sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
        assert len(sizes) >= 5 and min(sizes) >= 8, name


@pytest.mark.parametrize(
    "name, which, count, message",
    [
        ("dance", "pull", 1, "name dance: unknown, needs one of"),
        ("relaxation", "pull", 1, "no segment of type"),
        ("autocorrelation", "pull", 1, "no autocorrelation"),
        ("relaxation", 0.06, 8, "got 8 results, needs at most 7"),
    ],
)
def test_refusals(name, which, count, message, files, tmp_path, capsys):
    assert call(name, [files[which]] * count, tmp_path / "a") == 2
    assert message in capsys.readouterr().err and not list(tmp_path.iterdir())
