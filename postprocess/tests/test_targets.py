# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts, on samples whose verdict is known."""
import re

import numpy as np
import pytest
import synthetic

from stzpost import open_result, units
from stzpost.analysis import energy, registry, relaxation
from stzpost.analysis.quantity import Quantity, plus_minus, table
from stzpost.pages import report
from stzpost.plots import figures
from stzpost.studies import evidence, targets


def verdicts(tmp_path, segments, levels=()):
    files = [registry.analyse(open_result(synthetic.write(tmp_path / "a.h5", segments, levels)))]
    return {row.key: row for row in targets.rows(evidence.evidence(files))}


def levels(fractions, spread=0.1):
    rng = np.random.default_rng(11)
    made = []
    for strain, fraction in zip((0.0, 0.01, 0.05, 0.08, 0.12), fractions):
        bragg, mask = synthetic.patterns(fraction, rng, spread=0.0)
        made.append(dict(strain=strain, bragg=bragg, mask=mask, expected=fraction))
    return made


def test_a_sample_like_the_film(tmp_path):
    rows = verdicts(
        tmp_path, [synthetic.tension(), synthetic.relaxation(zero=2e5, s=0.0975)], levels([0.6, 0.6, 0.6, 0.4, 0.2])
    )
    assert rows["T3"].verdict == targets.AGREES and "M = 3.06" in "M = " + rows["T3"].detail
    assert rows["T4"].verdict.endswith(" %") and rows["T2"].verdict == "+0 %"
    assert rows["T5"].verdict == targets.AGREES
    assert rows["T6"].verdict == "logarithmic"
    assert rows["N1"].verdict == targets.AGREES
    assert rows["N2"].verdict == targets.AGREES and rows["T2 ductility"].verdict == "no localisation"
    assert rows["T7"].verdict == rows["N5"].verdict == targets.OPEN


def test_samples_unlike_the_film(tmp_path):
    rows = verdicts(
        tmp_path, [synthetic.tension(), synthetic.relaxation(zero=2e5, s=0.01)], levels([0.6, 0.6, 0.3, 0.3, 0.6])
    )
    assert rows["T3"].verdict == targets.DIFFERS
    assert rows["T5"].verdict == targets.DIFFERS
    assert rows["N1"].verdict == targets.DIFFERS


def test_a_drop_within_the_noise_is_not_resolved(tmp_path):
    rows = verdicts(tmp_path, [synthetic.tension()], levels([0.6, 0.6, 0.6, 0.6, 0.6]))
    assert rows["N1"].verdict == targets.UNRESOLVED
    assert "run/experiment" in rows["N1"].detail
    assert rows["N4"].verdict != targets.AGREES
    assert rows["T3"].verdict == rows["T5"].verdict == rows["T6"].verdict == targets.OPEN


def test_a_refused_fit_gives_no_volume(tmp_path):
    rows = verdicts(tmp_path, [synthetic.relaxation(law=lambda t: 3.0 - 0.5 * (1 - np.exp(-t / 1e4)))])
    assert rows["T3"].model == rows["T4"].model == "–" and "refused" in rows["T3"].detail
    assert rows["T6"].verdict == targets.DIFFERS


def test_every_row_has_the_class_of_the_list(tmp_path):
    rows = verdicts(tmp_path, [synthetic.tension()])
    classes = {key: row.cls for key, row in rows.items()}
    assert [key for key, cls in classes.items() if cls == "input"] == ["T1", *(f"T{i}" for i in range(8, 15))]
    assert [key for key, cls in classes.items() if cls == "calibrated"] == ["T2", "T4"]
    follows = ["T3", "T3 indentation", "T5", "T6", "N2", "N3"]
    assert [key for key, cls in classes.items() if cls == "follows"] == follows
    assert [key for key, cls in classes.items() if cls == "prediction"] == ["T7", "N1", "N4", "N5", "N6"]
    assert classes["T2 ductility"] == "not modelled"


@pytest.mark.parametrize("value, text", [(1.94e-7, "1.9 × 10⁻⁷"), (3e-10, "3.0 × 10⁻¹⁰")])
def test_powers_of_ten(value, text):
    assert targets.power(value) == text


@pytest.mark.parametrize("text, told", [("-7 %", "−7 %"), ("1.2e-09", "1.2e−09"), ("2026-11-29", "2026-11-29")])
def test_one_minus_sign(text, told):
    assert report.minus(text) == told


def test_a_figure_stands_before_the_table(tmp_path):
    files = [registry.analyse(open_result(synthetic.write(tmp_path / "a.h5", [synthetic.relaxation()], ())))]
    with open(report.write(files, str(tmp_path)), encoding="utf-8") as page:
        text = page.read()
    assert text.index("<figure") < text.index("<table") and "N1 to N5 are" in text


def test_no_code_stands_alone(tmp_path):
    """Cells of the table say quantities in words; a code stands only in front of its own row."""
    for row in verdicts(tmp_path, [synthetic.relaxation()]).values():
        told = " ".join((row.quantity, row.measured, row.model, row.verdict, row.detail))
        assert not re.search(r"\b[TN][1-9]\d?\b", told), told


def test_the_figure_gives_v_for_every_factor(tmp_path):
    found = relaxation.analyse(open_result(synthetic.write(tmp_path / "a.h5", [synthetic.relaxation()])))
    axes = figures.relaxation(found).axes[0]
    told = " ".join(one.get_text() for one in axes.get_legend().get_texts())
    for factor, (volume, _) in found.volumes(found.fit).items():
        assert f"{volume:.0f}" in told and factor in told
    assert {one.get_text() for one in axes.texts} >= set(found.marks)
    assert "1 d" in [one.get_text() for one in axes.get_xticklabels()]


def test_ticks_of_time():
    told = [text for _, text in units.time_ticks(0.2, 51 * units.DAY)]
    assert told == ["1 s", "1 min", "1 h", "1 d", "10 d"]
    assert [text for _, text in units.time_ticks(3000, 20000)] == ["1 h", "2 h", "5 h"]
    long = [text for _, text in units.time_ticks(1.0, 1e16)]
    assert 4 <= len(long) <= 6 and long[0] == "1 s" and long[-1].endswith(" y")
    ages = units.time_ticks(1.5e4 * units.YEAR, 1e5 * units.YEAR)
    assert [text for _, text in ages] == ["2·10⁴ y", "5·10⁴ y", "10⁵ y"]


@pytest.mark.parametrize(
    "value, unit, told",
    [(51 * 86400.0, "s", "51.0 d"), (7200.0, "s", "2.00 h"),
     (-0.0312, "1", "\u22120.0312"), (-2e-9, "1/s", "\u22122.00e\u221209 1/s")],
)
def test_numbers_as_told(value, unit, told):
    one = Quantity("a", value, unit)
    assert told in report.numbers_table([one]) and one.record()["value"] == value
    assert told.split()[0] in table([one]) and "-" not in table([one])


@pytest.mark.parametrize(
    "value, error, told",
    [(0.1, 1.7, "0.1 ± 1.7"), (-0.01, 34.0, "0 ± 34"), (0.0, 0.12, "0.00 ± 0.12"), (-0.004, 0.2, "0.00 ± 0.20"),
     (3.2534, 0.0123, "3.253 ± 0.012"), (0.00123, 1.2e-5, "0.001230 ± 0.000012"), (99.97, 0.0996, "99.97 ± 0.10"),
     (12345.6, 1234.0, "12300 ± 1200"), (1.2345e-7, 4.56e-9, "1.235e-07 ± 4.6e-09"), (1e-9, 3.4e-8, "1e-09 ± 3.4e-08"),
     (1e-12, 3.4e-8, "0 ± 3.4e-08"), (1.23456e8, 2.3e6, "1.235e+08 ± 2.3e+06"), (3.25, float("nan"), "3.25")],
)
def test_a_value_ends_where_its_error_does(value, error, told):
    assert plus_minus(value, error) == told


def test_curves_of_energy_are_told_apart(tmp_path):
    x = np.linspace(0, 1, 50)
    found = energy.Energy(strain=x, time_s=x, work=x, heat=0 * x, elastic=x, internal=0 * x)
    lines = figures.energy(found).axes[0].get_lines()
    assert len({one.get_linestyle() for one in lines}) == len({one.get_marker() for one in lines}) == len(lines) == 4
