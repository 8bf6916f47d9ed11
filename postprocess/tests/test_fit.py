# SPDX-License-Identifier: GPL-3.0-or-later
"""The fit of parameters, on glasses whose law is known in closed form (planted_glass.py) and on runs of the engine."""
import json
import math

import numpy as np
import planted_glass as planted
import pytest

from stzpost import StzPostError
from stzpost.analysis.inference import DROP, Inference
from stzpost.analysis.surface import Parameter, surface
from stzpost.cli import main as cli
from stzpost.studies import design as designs, fit as study

HELD = {"width_eV": 0.1}


@pytest.fixture(autouse=True)
def no_files(monkeypatch):
    """The planted runs are no files: their temperature and modulus are told."""
    monkeypatch.setattr(designs, "test_temperature", lambda result, kind: 295.0)
    monkeypatch.setattr(study, "_young", lambda design: 72.0)


def fitted(values=(2.35, 1.7, 0.1), seed=3, design=None, offset=0.0, **settings):
    files = planted.measured(values, np.random.default_rng(seed), offset)
    return study.fitted(design or planted.design(), files, study.Settings(**settings))


@pytest.mark.parametrize("offset, determined", [
    (0.0, ("mean_eV", "volume_nm3")), pytest.param(0.3, ("volume_nm3",), marks=pytest.mark.full)])
def test_intervals_of_95_percent_cover_the_truth_in_90_to_99_of_100(offset, determined):
    """Three files of a glass, drawn again 100 times: of each parameter that the data determine. With an offset of the
    stress of 0.3 GPa that is left free the level says nothing about the barrier, whose interval must then be wide, not
    wrong."""
    design, rng = planted.design(), np.random.default_rng(5)
    settings = study.Settings(at=HELD, offset_GPa=study.FREE_GPA if offset else 0.0)
    hits = {"mean_eV": 0, "volume_nm3": 0}
    for _ in range(100):
        values = [float(one.value(x)) for one, x in zip(planted.PARAMETERS, rng.uniform(0.2, 0.8, 3))]
        values[2] = HELD["width_eV"]
        inference = study.fitted(design, planted.measured(values, rng, offset), settings).inference
        for name, value in zip(hits, values):
            hits[name] += inference.profile_at(name, value) >= DROP
    for name in determined:
        assert 90 <= hits[name] <= 99, hits
    assert min(hits.values()) >= 90


def test_an_offset_that_is_not_allowed_for_is_wrong_or_refused():
    """Without --offset, 0.3 GPa go into the barrier: what the option is for."""
    found = fitted(offset=0.3, at=HELD)
    assert found.refused or found.inference.profile_at("mean_eV", 2.35) < DROP
    free = fitted(offset=0.3, at=HELD, offset_GPa=study.FREE_GPA)
    assert free.inference.profile_at("mean_eV", 2.35) > DROP and "mean_eV" in free.inference.undetermined()
    value, deviation = free.model.nuisances(free.inference.best)[0][2:]
    assert deviation < study.FREE_GPA / 10 and abs(value) < 3


def test_the_width_is_named_as_undetermined_and_the_volume_is_not():
    found = fitted()
    assert "width_eV" in found.inference.undetermined() and "volume_nm3" not in found.inference.undetermined()
    assert found.p > 0.01 and not found.refused
    mean, deviation = found.inference.moments()["volume_nm3"]
    low, high = found.inference.intervals()["volume_nm3"]
    assert low < mean < high and (high - low) / 3.92 == pytest.approx(deviation, rel=0.25)


def test_ends_of_intervals_lie_on_the_profile():
    found = fitted(at=HELD).inference
    for end in found.intervals()["volume_nm3"]:
        assert found.profile_at("volume_nm3", end) == pytest.approx(DROP, rel=0.02)


def test_intervals_of_a_normal_likelihood_are_exact():
    """Two parameters with correlation 0.9 far from the edges: 1.96 deviations, and the posterior's moments."""
    covariance = 0.05**2 * np.array([[1, 0.9], [0.9, 1]])
    precision = np.linalg.inv(covariance)
    about = np.array([0.45, 0.55])
    likelihood = lambda x: -0.5 * np.einsum("ij,jk,ik->i", x - about, precision, x - about)
    found = Inference([Parameter("a", 0, 10), Parameter("b", 1, 100, log=True)], likelihood)
    assert found.intervals()["a"] == pytest.approx((4.5 - 0.98, 4.5 + 0.98), rel=2e-3)
    assert found.intervals()["b"] == pytest.approx((100 ** (0.55 - 0.098), 100 ** (0.55 + 0.098)), rel=2e-3)
    assert np.std(found.samples[:, 0]) == pytest.approx(0.05, rel=0.1)
    assert found.correlation()[0, 1] == pytest.approx(0.9, abs=0.03)


def test_a_surface_leaves_a_point_out_with_all_its_replicas():
    """Points of a cubic with four exact replicas each: the miss of the quadratic must not hide behind the replicas."""
    x = np.repeat(np.linspace(0, 1, 9)[:, None], 4, axis=0)
    once, four = surface(x[::4], x[::4] ** 3, (2,)), surface(x, x**3, (2,))
    assert four.error == pytest.approx(once.error, rel=1e-9) and once.error > 0.01


def test_what_would_tighten_is_what_limits():
    """Where the surfaces' error is the larger, more runs come first; where a free offset hides the level, this."""
    assert fitted(at=HELD).advice()[0][0] == "four times as many runs in the sweep"
    advice = dict(fitted(at=HELD, offset_GPa=study.FREE_GPA).advice())
    known = next(one for what, one in advice.items() if what.endswith(f"{study.OFFSET} known"))
    assert known["mean_eV"] < 0.7 < advice["all readings with half the error"]["mean_eV"]


def test_a_soft_machine_makes_the_fall_slower():
    """Readings behind a spring of 24 GPa run 1 + E/S = 4 times slower: said, the intervals are those of a rigid one;
    its error widens them; not said, the barrier comes out wrong, up to kB T ln 4."""
    rng = np.random.default_rng(3)
    files = planted.measured((2.35, 1.7, 0.1), rng, end=1e6)
    rigid = study.fitted(planted.design(), files, study.Settings(at=HELD)).inference.intervals()
    for one in files:
        one.x = one.x + math.log(4.0)
    found = [
        study.fitted(planted.design(), files, study.Settings(at=HELD, machine_GPa=24.0, machine_share=share)).inference
        for share in (0.0, 0.5)
    ]
    for name, (low, high) in rigid.items():
        assert found[0].intervals()[name] == pytest.approx((low, high), abs=1e-6)
    (low, high), (lower, higher) = (one.intervals()["mean_eV"] for one in found)
    assert higher - lower > high - low
    best = [float(study.fitted(planted.design(), files, study.Settings(at=HELD)).inference.best[0]), found[0].best[0]]
    assert (best[0] - best[1]) * 0.2 > 0.3 * planted.KB_EV * 295.0 * math.log(4.0)  # the volume takes a part of it


def test_refusals_say_what_to_do(tmp_path):
    with pytest.raises(StzPostError, match="nothing is left to fit"):
        fitted(at={"mean_eV": 2.35, "volume_nm3": 1.7, "width_eV": 0.1})
    with pytest.raises(StzPostError, match="varies no such parameter, only mean_eV, volume_nm3, width_eV"):
        fitted(at={"with_eV": 0.1})
    with pytest.raises(StzPostError, match="needs 8 points in general position, got 7; make more runs"):
        fitted(design=planted.design(7))
    far = planted.measured((2.35, 1.7, 0.1), np.random.default_rng(1))
    for one in far:
        one.x = one.x + 20
    with pytest.raises(StzPostError, match="lies outside of what the runs of planted cover, 1 s to 116 d"):
        study.fitted(planted.design(), far)
    wrong = fitted(values=(2.9, 1.7, 0.1))
    assert wrong.refused.startswith("no set of parameters in the sweep's box fits") and "--offset free" in wrong.refused
    kelvin = [*planted.PARAMETERS[:2], Parameter("temperature_K", 250, 350, key="protocol[0].temperature_K")]
    hot = planted.measured((2.35, 1.7, 0.1), np.random.default_rng(1))
    hot[1].temperature_K = 400.0
    with pytest.raises(StzPostError, match="1.csv: temperature_K 400 lies outside of the sweep's 250 to 350"):
        study.fitted(planted.design(parameters=kelvin), hot)
    rate = [*planted.PARAMETERS[:2], Parameter("rate_per_s", 1e-7, 1e-5, True, key="protocol[0].rate_per_s")]
    with pytest.raises(StzPostError, match="condition of the test, not of the glass: .* --at rate_per_s=VALUE"):
        study.fitted(planted.design(parameters=rate), hot[:1])


def test_another_temperature_is_refused(monkeypatch):
    monkeypatch.setattr(designs, "test_temperature", lambda result, kind: 350.0)
    with pytest.raises(StzPostError, match="measured at 295 K, the runs are at 350 K: make a sweep"):
        fitted()


@pytest.mark.parametrize(
    "words, message",
    [
        (["--measured", "sweep"], "got sweep alone, needs --measured FILE"),
        (["--measured", "a.csv", "sweep", "--offset", "much"], "--offset: got much, needs GPA or free"),
        (["--measured", "a.csv", "sweep", "--machine", "-3"], "--machine: got -3, needs GPA"),
        (["--measured", "a.csv", "sweep", "--at", "width"], "--at: got width, needs AXIS=VALUE"),
        (["--measured", "a.csv", "no-sweep"], "no-sweep: fit needs the folder of a sweep"),
    ],
)
def test_bad_usage(words, message, capsys):
    assert cli.main(["fit", *words]) == 2
    assert message in capsys.readouterr().err


def test_the_command(tmp_path, capsys, monkeypatch):
    """Table, JSON by its contract, and the corner plot, of files with hours and MPa and no order of arguments. Nothing is
    asked of the posterior: a short chain."""
    monkeypatch.setattr("stzpost.analysis.inference.MOST", 500)
    monkeypatch.setattr(designs, "read", lambda path, at: planted.design())
    for i, one in enumerate(planted.measured((2.35, 1.7, 0.1), np.random.default_rng(3))):
        rows = "".join(f"{math.exp(x) / 3600:.7f},{1e3 * y:.3f},10\n" for x, y in zip(one.x, one.y))
        (tmp_path / f"{i}.csv").write_text("Time [h],Stress [MPa],Error [MPa]\n" + rows)
    files = [str(tmp_path / f"{i}.csv") for i in range(3)]
    figure = tmp_path / "corner.png"
    assert cli.main(["fit", "--measured", *files, "sweep", "-o", str(figure), "--temperature", "295"]) == 0
    out = capsys.readouterr().out
    assert figure.stat().st_size > 10000 and "width_eV    undetermined" in out and "what would tighten most" in out
    assert cli.main(["fit", "sweep", "--measured", *files, "--json", "--offset", "free"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in record["parameters"]] == ["mean_eV", "volume_nm3", "width_eV"]
    keys = "name key unit sweep best interval open mean deviation undetermined at_edge"
    assert list(record["parameters"][0]) == keys.split() and record["refused"] is None
    assert [one["name"] for one in record["nuisances"]] == [study.OFFSET] * 3
    assert record["files"][0]["kind"] == "relaxation" and record["files"][0]["rows"] == 40
