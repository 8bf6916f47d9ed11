# SPDX-License-Identifier: GPL-3.0-or-later
import math

import numpy as np
import pytest
import synthetic

from stzpost import StzPostError, open_result
from stzpost.analysis import relaxation
from stzpost.cli import main as cli

KB = 1.380649e-23  # J/K: V is checked in SI, apart from the package's own units


def analyse(tmp_path, *segments, **options):
    return relaxation.analyse(open_result(synthetic.write(tmp_path / "a.h5", segments)), **options)


@pytest.mark.parametrize(
    "kind, temperature, s, t0", [("relaxation", 295.0, 0.1, 84.0), ("actuator", 350.0, 0.05, 2.0e3)]
)
def test_exact_logarithm_gives_volume_and_sensitivity(tmp_path, kind, temperature, s, t0):
    segment = synthetic.relaxation(s=s, t0=t0, type=kind) | {"temperature_K": temperature}
    found = analyse(tmp_path, segment)
    assert found.fit.refused == "" and found.fit.r2 == pytest.approx(1, abs=1e-12)
    assert math.exp(found.fit.parameters["ln_t0"]) == pytest.approx(t0, rel=1e-6)
    assert found.fit.parameters["sigma0"] == pytest.approx(3.3, rel=1e-9)
    for label, factor in (("1", 1), ("√3", math.sqrt(3)), ("3.06", 3.06)):
        exact = factor * KB * temperature / (s * 1e9) * 1e30
        for fit in (found.fit, found.rate_fit):
            assert found.volumes(fit)[label][0] == pytest.approx(exact, rel=1e-6)
    assert found.sensitivity(found.fit)[0] == pytest.approx(s / found.mean_stress_GPa, rel=1e-9)
    assert found.decade_drop_GPa == pytest.approx(
        s * math.log((1 + 51 * 86400 / t0) / (1 + 7200 / t0)) / math.log10(51 * 12), rel=1e-3
    )


def test_published_closure():
    """m = 0.03 at 3 GPa and 300 K: 46, 80, 141 cubic angstroms."""
    fit = relaxation.Fit({"s": 0.09}, {"s": 0.0}, 1.0, 100)
    found = relaxation.Relaxation(None, 300.0, *[None] * 4, fit, fit, 3.0, {})
    assert [round(v) for v, _ in found.volumes(fit).values()] == [46, 80, 141]
    assert found.sensitivity(fit)[0] == pytest.approx(0.03)


def test_time_counts_from_the_clocks_zero(tmp_path):
    """Rows of the release, before the zero, must not enter."""
    segment = synthetic.relaxation(type="actuator")
    for key, early in (
        ("time_s", [69940.0, 69970.0]),
        ("stress", [0.0, 9.0]),
        ("strain", [0.0, 0.05]),
        ("rate", [0.0, 1.0]),
    ):
        segment[key] = np.concatenate([early, segment[key]])
    found = analyse(tmp_path, segment)
    assert found.fit.parameters["s"] == pytest.approx(0.1, rel=1e-6)
    assert found.time_s[0] == 0


def test_the_fit_does_not_see_how_long_the_glass_has_rested_before(tmp_path):
    """After 1e16 s the run's own time counts in steps of 2 s: the time within the segment is fitted."""
    held = synthetic.relaxation(s=0.1, t0=2.0, zero=0.0, end=1e3)
    inside = held["time_s"]
    late = held | {"time_s": 1e16 + inside, "clock_zero_s": 1e16}
    path = synthetic.write(tmp_path / "a.h5", [late], columns={"segment_time_s": inside})
    found = relaxation.analyse(open_result(path))
    assert math.exp(found.fit.parameters["ln_t0"]) == pytest.approx(2.0, rel=1e-6)
    np.testing.assert_array_equal(found.time_s, inside)


def test_standard_errors_cover_the_truth():
    """Null hypothesis: parameters within one and two standard errors of the truth with probability 0.683 and 0.954.
    200 samples of correlated noise; binomial bounds with a false-alarm rate below 1e-3 each."""
    rng = np.random.default_rng(20240501)
    deviations = []
    for _ in range(200):
        segment = synthetic.relaxation(noise=0.01, rng=rng)
        fit = relaxation.fit_logarithm(segment["time_s"] - 7.0e4, segment["stress"])
        deviations.append(
            [
                (fit.parameters["s"] - 0.1) / fit.errors["s"],
                (fit.parameters["ln_t0"] - math.log(84.0)) / fit.errors["ln_t0"],
            ]
        )
    for column in np.abs(deviations).T:
        assert 0.57 < np.mean(column < 1) < 0.79
        assert 0.89 < np.mean(column < 2) < 0.995


def test_jump_process_with_known_volume():
    """A Poisson process whose rate is exactly exp(sigma/s): V from both fits within 3 standard errors (false alarm
    0.3 % each, 10 samples on fixed seeds: at most one miss) and 5 % (the tolerance of the mean-field law)."""
    misses = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        s, drop, rate0 = 0.1, 1e-3, 1.0
        levels = 3.3 - drop * np.arange(1500)
        arrivals = np.cumsum(rng.exponential(1 / (rate0 * np.exp((levels - 3.3) / s))))
        time = np.geomspace(0.1, arrivals[-1], 160)
        stress = 3.3 - drop * np.searchsorted(arrivals, time)
        fit = relaxation.fit_logarithm(time, stress)
        assert fit.refused == "" and fit.parameters["s"] == pytest.approx(s, rel=0.05)
        misses += abs(fit.parameters["s"] - s) > 3 * fit.errors["s"]
        one = relaxation.fit_rate(np.log(time), stress, rate0 * np.exp((stress - 3.3) / s))
        assert one.parameters["s"] == pytest.approx(s, rel=1e-9)
    assert misses <= 1


@pytest.mark.parametrize(
    "law, reason",
    [
        (lambda t: 3.0 - 0.5 * (1 - np.exp(-t / 1e4)), "R² ="),  # a single relaxation time
        (lambda t: 3.0 - 1e-7 * t, "needs 100 t0"),  # steady creep
        (lambda t: 3.0 - 0.1 * np.log1p(t / 4e5), "needs 100 t0"),  # hardly one decade of logarithm
        (lambda t: 3.0 + 0.1 * np.log1p(t / 84.0), "does not fall"),
        (lambda t: np.full_like(t, 3.0), "R² ="),
    ],
)
def test_what_is_not_logarithmic_is_refused(tmp_path, law, reason):
    found = analyse(tmp_path, synthetic.relaxation(law=law))
    assert found.fit.refused != "" and reason in found.fit.refused
    assert all(v is None for v, _ in found.volumes(found.fit).values())
    assert found.sensitivity(found.fit) == (None, None)
    quoted = {q.name: q.value for q in relaxation.quantities(found)}
    assert quoted["V, M = √3 (fit)"] is None and quoted["m (fit)"] is None and quoted["s"] is None
    assert relaxation.notes(found)


def test_choice_of_segment(tmp_path):
    pull, hold = synthetic.tension(), synthetic.relaxation(zero=2e5)
    assert analyse(tmp_path, pull, hold).segment.index == 1
    with pytest.raises(StzPostError, match="no segment 5"):
        analyse(tmp_path, pull, hold, segment=5)
    with pytest.raises(StzPostError, match="no segment of type relaxation"):
        analyse(tmp_path, pull)
    with pytest.raises(StzPostError, match="needs 8"):
        analyse(tmp_path, hold, start_s=1e6, stop_s=1.2e6)


def test_window_of_the_experiment(tmp_path):
    found = analyse(tmp_path, synthetic.relaxation(), start_s=7200.0)
    assert found.window[0] >= 7200.0
    assert found.fit.parameters["s"] == pytest.approx(0.1, rel=1e-5)
    assert set(found.marks) == {"2 h", "8 d", "35 d", "51 d"}
    exact = synthetic.relaxation()["rate"][0] / (1 + 7200.0 / 84.0)
    assert relaxation.rate_at(found, "2 h") == pytest.approx(exact, rel=0.01)


def test_no_stress_to_relax(tmp_path, capsys):
    """A relaxation of an unloaded sample is said to be that, in the command and in the report."""
    path = str(synthetic.write(tmp_path / "nothing.h5", [synthetic.relaxation(law=lambda t: 0.0 * t)]))
    assert cli.main(["relaxation", path]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "segment 0 has no stress to relax" in said
    assert cli.main(["report", path, "-o", str(tmp_path / "report")]) in (0, 2)
    page = tmp_path / "report" / "report.html"
    assert "no stress to relax" in (page.read_text(encoding="utf-8") if page.exists() else capsys.readouterr().err)
