# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts over specimens and seeds, on planted ensembles whose verdict is known."""
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import synthetic

from stzpost import open_result
from stzpost.analysis import nbed, order, quantity, registry, relaxation
from stzpost.pages import experiment as experiment_page
from stzpost.studies import bands, evidence, experiment, runs as plan
from stzpost.io.result import Level
from stzpost.studies.targets import AGREES, DIFFERS, UNRESOLVED
from stzpost.studies.verdicts import rows as rows_of

TIMES = np.array(list(experiment.TIMES.values()))
STRAINS = (0.0, 0.01, 0.05, 0.08, 0.12)


def specimen(rng, strain, stress, s, seeds=6, curve=None, rate0=1.3e-7):
    """A specimen whose stress at 2 h is `stress` and that relaxes by the log law (or by curve(t))."""
    made, analysed = [], []
    dense = np.geomspace(7200, TIMES[-1], 60)
    for _ in range(seeds):
        shift = 0.01 * rng.standard_normal()
        law = curve or (lambda t: -s * np.log(t / 7200.0))
        made.append(stress + shift + law(TIMES) + 0.003 * rng.standard_normal(4))
        y = stress + shift + law(dense)
        fit = relaxation.fit_logarithm(dense, y)
        rate = np.exp((y - 3.25) / s) * 1.3e-7
        rate_fit = relaxation.fit_rate(np.log(dense), y, rate)
        analysed.append(
            SimpleNamespace(fit=fit, rate_fit=rate_fit, mean_stress_GPa=float(y.mean()), time_s=dense, stress_GPa=y)
        )
    rates = rate0 * np.exp((np.array(made) - 3.25) / s)
    return experiment.Specimen(100.0, np.array(made), np.full((seeds, 4), strain), rates, analysed, np.full(seeds, 1.1))


def level(rng, strain, fraction, seeds):
    """Scans drawn with the variance of correlated patterns, by discs."""
    k = -math.log1p(-fraction)
    optics = order.Optics()
    spread = math.sqrt(float(order.count_variance(k, optics))) / 100
    fractions = np.clip(fraction + spread * rng.standard_normal((seeds, 8)), 0, 1)
    statistics = []
    for scans in fractions:
        mask = np.zeros((8, 10, 10), np.uint8)
        mask[:, :5] = 1
        bragg = (rng.random((8, 10, 10)) < scans[:, None, None]).astype(np.uint8)
        one = Level({"strain": strain, "bragg_expected": fraction}, {"bragg": bragg, "mask": mask})
        statistics.append(nbed.level_statistics(one))
    seen = np.array([one.fractions for one in statistics])
    return experiment.Level(strain, seen, np.full(seeds, fraction), statistics, np.full(seeds, 1.0))


def ensemble(
    tmp_path, s=0.0975, fractions=(0.6, 0.6, 0.59, 0.45, 0.3), localised=None, curve=None, seeds=24, rate0=1.3e-7
):
    rng = np.random.default_rng(5)
    e = experiment.Experiment(runs=99, microscopic=48.9)
    e.specimens = [
        specimen(rng, 0.02, 1.4, 1e-6),
        specimen(rng, 0.033, 2.4, 2e-3),
        specimen(rng, 0.04, 2.9, 0.03),
        specimen(rng, 0.06, 3.25, s, curve=curve, rate0=rate0),
        specimen(rng, 0.08, 3.25, s, curve=curve, rate0=rate0),
    ]
    pulled = lambda value: SimpleNamespace(  # noqa: E731
        localisation=np.array([value]), plastic=np.array([0.08]), flow_GPa=3.26, overshoot=1.03
    )
    e.pulled = [pulled(1.15) for _ in range(4)]
    e.levels = [level(rng, strain, fraction, seeds) for strain, fraction in zip(STRAINS, fractions)]
    means = {"domains": 1.2, "shuffled": 1.8, "equal-histogram": 1.8, "uniform": 2.5} | (localised or {})
    e.bands = {(k, 0.3): [pulled(v + 0.02 * rng.standard_normal()) for _ in range(6)] for k, v in means.items()}
    e.bands[("domains", 0.0)] = e.pulled
    e.estimates = experiment._estimates(e, [], [])
    e.mean_stress = experiment._mean_stress(e)
    path = synthetic.write(tmp_path / "a.h5", [synthetic.tension(), synthetic.relaxation(zero=2e5, s=0.0975)])
    e.evidence = evidence.evidence([registry.analyse(open_result(path))])
    return e


def verdicts(e):
    return {row.id + (" ductility" if row.cls == "not modelled" else ""): row for row in rows_of(e)}


def test_an_ensemble_like_the_film(tmp_path):
    e = ensemble(tmp_path)
    rows = verdicts(e)
    agree = ("T2", "T3", "T4", "T5", "T6", "T7", "N1", "N2", "N3", "N4", "N5")
    assert {key: rows[key].verdict for key in agree} == dict.fromkeys(agree, AGREES)
    assert rows["T2 ductility"].verdict == "no localisation"
    assert all(row.test for row in rows.values()) and rows["T1"].test.startswith("echoed")
    assert list(rows) == ["T1", "T2", "T2 ductility", *(f"T{i}" for i in range(3, 13)), *(f"N{i}" for i in range(1, 6))]
    main = e.estimates[0]
    exact = 3.06 * 1.380649e-23 * 295.0 / 0.0975e9 * 1e30
    assert main.volume(3.06)[0] == pytest.approx(exact, rel=0.01)
    assert rows["T4"].model.startswith("0.030")


def test_threshold_lies_between_the_last_below_and_the_first_above(tmp_path):
    stress, points = experiment.threshold(ensemble(tmp_path))
    assert 2.4 < stress < 2.9 and len(points) == 4
    loss = [0.002 * math.log(612), 0.03 * math.log(612)]
    assert stress == pytest.approx(2.4 + 0.5 * (experiment.DETECTION_GPA - loss[0]) / (loss[1] - loss[0]), abs=0.03)


@pytest.mark.parametrize(
    "changes, row, verdict",
    [
        (dict(s=0.3), "T3", DIFFERS),
        (dict(s=0.3), "T4", DIFFERS),
        (dict(rate0=1e-6), "T5", DIFFERS),
        (dict(fractions=(0.6, 0.6, 0.45, 0.4, 0.3)), "N1", UNRESOLVED),  # not flat
        (dict(fractions=(0.6, 0.6, 0.6, 0.6, 0.6)), "N1", (UNRESOLVED, DIFFERS)),
        (dict(fractions=(0.6, 0.6, 0.59, 0.45, 0.02)), "N4", DIFFERS),  # none looks undeformed
        (dict(localised={"shuffled": 1.3, "equal-histogram": 1.3}), "N5", "in part"),  # homogeneous without domains
        (dict(localised={"uniform": 1.2}), "N5", UNRESOLVED),
        (dict(curve=lambda t: -0.6 * (1 - np.exp(-((t - 7200) / 2e6)))), "T6", DIFFERS),
    ],
)
def test_ensembles_unlike_the_film(tmp_path, changes, row, verdict):
    found = verdicts(ensemble(tmp_path, **changes))[row].verdict
    assert found in verdict if isinstance(verdict, tuple) else found == verdict


def test_a_curve_that_is_not_logarithmic_gives_no_volume(tmp_path):
    e = ensemble(tmp_path, curve=lambda t: -0.6 * (1 - np.exp(-((t - 7200) / 2e6))))
    assert e.estimates[0].refused and verdicts(e)["T3"].model == "–"
    assert any(record["refused"] for record in experiment.volumes(e))


def test_the_page_needs_nothing_else(tmp_path):
    e = ensemble(tmp_path)
    e.flow = [
        experiment.Flow(t, r, [3.2 + 0.0003 * (295 - t) + 0.0975 * t / 295 * math.log(r / 1e-6)] * 2)
        for t in (250.0, 295.0, 350.0)
        for r in plan.RATES
    ]
    e.master = experiment._master(e.flow)
    page = experiment_page.write(e, tmp_path / "out", True)
    text = open(page, encoding="utf-8").read()
    assert text.count("data:image/png;base64,") == len(list((tmp_path / "out").glob("*.png"))) == 6
    assert "http" not in text.replace("https://", "http") and "Quick version" in text
    record = json.loads((tmp_path / "out" / "experiment.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in record["rows"]].count("T2") == 2 and "NaN" not in json.dumps(record)
    assert record["master_curve"]["volume_A3"][0] == pytest.approx(41.8, rel=0.02)


def test_jackknife_of_a_mean_is_its_standard_error():
    x = np.random.default_rng(11).standard_normal(9)
    left_out = [np.delete(x, i).mean() for i in range(9)]
    assert quantity.jackknife(left_out) == pytest.approx(x.std(ddof=1) / 3)


def test_welch():
    """Against scipy's own one-sided test."""
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(6)
    a, b = rng.standard_normal(6), 0.7 + 2 * rng.standard_normal(4)
    difference, half, p = quantity.welch(a, b)
    assert p == pytest.approx(ttest_ind(a, b, equal_var=False, alternative="less").pvalue)
    for bound in (difference - half, difference + half):
        assert ttest_ind(a - bound, b, equal_var=False).pvalue == pytest.approx(0.05)


def planted_study(uniform, controls, plain=1.2):
    """Values for the cases of the study itself, so that its labels are put to the test too."""
    rng = np.random.default_rng(7)
    found = {}
    for sweep in bands.sweeps():
        for softening in sweep.axes[0].values:
            name = sweep.labels["name"]
            soft = {"uniform": uniform, "shuffled": controls, "equal-histogram": controls}.get(name, 1.2)
            values = list((soft if softening else plain) + 0.02 * rng.standard_normal(4))
            found[bands.case_of(**sweep.labels, softening=softening)] = {m: values for m in bands.MEASURES}
    return found


@pytest.mark.parametrize(
    "uniform, controls, words",
    [
        (2.5, 1.2, "not needed"),
        (2.5, 1.9, "arranged in domains matters"),
        (1.2, 1.2, "no clear suppression"),
    ],
)
def test_finding_follows_from_the_numbers(tmp_path, uniform, controls, words):
    found = planted_study(uniform, controls)
    assert bands.finding(found).count(words) == 8  # two boxes, two strengths of softening, two readings of the length
    assert "nothing localises" in bands.finding(found)
    assert words in bands.write(found, tmp_path)
    assert (tmp_path / "bands.png").stat().st_size > 1000 and json.loads((tmp_path / "bands.json").read_text())


def test_the_finding_names_the_control_that_is_no_worse():
    for values, words in (
        ([1.19, 1.21, 1.2], "; equal-histogram does not localise either"),
        ([1.0, 3.0, 2.0], "less than in equal-histogram is not shown"),
    ):
        found = planted_study(2.5, 1.9)
        for key in [key for key in found if "equal-histogram" in key]:
            found[key] = dict.fromkeys(bands.MEASURES, values)
        assert bands.finding(found).count(words) == 8


def test_no_finding_without_the_controls():
    found = {k: v for k, v in planted_study(2.5, 1.2).items() if "shuffled" not in k}
    assert "no finding" in bands.finding(found)
