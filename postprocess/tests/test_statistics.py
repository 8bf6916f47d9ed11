# SPDX-License-Identifier: GPL-3.0-or-later
"""Avalanches, correlation, distributions and balance of energy of files whose answers are known."""
import math

import numpy as np
import pytest
import synthetic

from stzpost import StzPostError, open_result
from stzpost.analysis import avalanches, correlation, distributions, energy
from stzpost.plots import figures


def values(quantities):
    return {q.name: q.value for q in quantities}


def test_avalanches(tmp_path):
    sizes = [1] * 90 + [2] * 6 + [3] * 3 + [9]
    path = synthetic.write(
        tmp_path / "a.h5", [synthetic.tension()], tables=synthetic.avalanches(sizes, window=0.2, cut=2)
    )
    result = open_result(path)
    assert result.avalanches["begin_s"].dims == ("avalanche",) and result.avalanches["centre_nm"].shape == (100, 3)
    assert result.avalanches.attrs["reach_nm"] == 2.5
    found = avalanches.analyse(result)
    assert found.begin_share == pytest.approx(100 / 120) and found.cut == 2
    size, share = avalanches.exceedance(found.size)
    assert list(size) == [1, 2, 3, 9] and share == pytest.approx([1, 0.1, 0.04, 0.01])
    said = values(avalanches.quantities(found))
    assert said["events"] == 120 and said["largest size"] == 9 and said["single events"] == pytest.approx(0.9)
    assert said["the same of independent events"] == pytest.approx(math.exp(-0.2))
    assert said["fewer than by chance"] == pytest.approx(1 - 100 / 120 * math.exp(0.2))
    assert said["mean size an event is in"] == pytest.approx((90 + 24 + 27 + 81) / 120)
    assert said["largest stress drop"] == pytest.approx(9.0)
    assert avalanches.notes(found) == ["2 avalanches were open when the run ended"]


def test_law_of_chance_is_normalised_and_has_the_mean_of_independent_events():
    for window in (0.1, 0.5, 1.0):
        n, at_least = avalanches.by_chance(window, 4000)
        assert at_least[0] == 1 and at_least[-1] < 1e-6
        assert at_least.sum() == pytest.approx(math.exp(window), rel=1e-6)  # the mean, as sum of P(N >= n)
        children = 1 - math.exp(-window)
        assert at_least[1] == pytest.approx(1 - math.exp(-children))


def test_correlation(tmp_path):
    def value(distance, direction):
        if direction is None:
            return np.exp(-distance / 1.2)
        if direction == [1, 0, 0]:
            return np.cos(distance)
        return np.exp(-distance) if 0 not in direction[:1] else np.exp(-2 * distance)

    tables = synthetic.correlation(0, 0.0, lambda d, _: np.full(len(d), np.nan))
    tables |= synthetic.correlation(2, 0.08, value) | synthetic.correlation(1, 0.06, value)
    result = open_result(synthetic.write(tmp_path / "a.h5", [synthetic.tension()], tables=tables))
    assert [one.attrs["strain"] for one in result.correlation] == [0.0, 0.06, 0.08]
    assert list(result.correlation[1]["direction"].values) == ["x", "y", "z", "xy", "x-y", "xz", "x-z", "yz", "y-z"]
    levels = correlation.analyse(result)
    assert [level.strain for level in levels] == [0.06, 0.08]
    assert levels[0].length_nm == pytest.approx(1.2, abs=0.03)  # between points 0.58 nm apart
    distance, along = levels[1].families["45° to x"]
    assert distance[1] == pytest.approx(synthetic.SPACING * math.sqrt(2)) and along == pytest.approx(np.exp(-distance))
    distance, along = levels[1].families["45° in the plane yz"]
    assert along == pytest.approx(np.exp(-2 * distance))
    said = values(correlation.quantities(levels))
    assert said["deviation of the plastic strain at 8 %"] == pytest.approx(0.02)
    assert said["lowest correlation, along x, at 6 %"] == pytest.approx(np.cos(synthetic.SPACING * np.arange(9)).min())
    s = synthetic.VOLUME ** (1 / 3) / (2 * math.sqrt(math.pi))
    assert levels[0].of_shape(2 * s) == pytest.approx(math.exp(-1))


def test_correlation_within_a_film(tmp_path):
    """Along vectors that lead out of a film there is none."""
    def value(distance, direction):
        out = direction is not None and direction[2] != 0
        return np.where((distance > 0) & out, np.nan, np.exp(-distance))

    path = synthetic.write(tmp_path / "a.h5", [synthetic.tension()], tables=synthetic.correlation(0, 0.08, value))
    (level,) = correlation.analyse(open_result(synthetic.make_film(path)))
    assert list(level.families) == ["along x", "along y", "45° to x"]
    assert all(along == pytest.approx(np.exp(-distance)) for distance, along in level.families.values())
    assert np.isfinite(list(values(correlation.quantities([level])).values())).all()
    assert len(figures.correlation([level]).axes[1].get_legend().get_texts()) == 3


def test_distributions(tmp_path):
    rng = np.random.default_rng(3)
    rich, other = rng.normal(2.5, 0.1, 4000), rng.normal(2.1, 0.05, 2000)
    tables = synthetic.distributions(1, 0.08, rich, other) | synthetic.distributions(0, 0.0, np.array([]), other)
    result = open_result(synthetic.write(tmp_path / "a.h5", [synthetic.tension()], tables=tables))
    assert list(result.distributions[0]["domain"].values) == ["Ni-rich", "other"]
    levels = distributions.analyse(result)
    assert [level.strain for level in levels] == [0.0, 0.08]
    one = levels[1].kinds["barrier_eV"]
    assert one.moments(["Ni-rich"]) == pytest.approx((2.5, 0.1), abs=0.01)
    assert one.moments(list(one.counts))[0] == pytest.approx((2 * 2.5 + 2.1) / 3, abs=0.01)
    assert (one.density("other") * np.diff(one.edges)).sum() == pytest.approx(1)
    empty = levels[0].kinds["barrier_eV"]
    assert np.isnan(empty.density("Ni-rich")).all() and np.isnan(empty.moments(["Ni-rich"])).all()
    said = values(distributions.quantities(levels))
    assert "barrier, mean in Ni-rich sites at 8 %" in said and "barrier, mean in Ni-rich sites at 0 %" not in said


@pytest.mark.parametrize("share", [0.8, 1.0])
def test_energy(tmp_path, share):
    pulled = synthetic.tension()
    path = synthetic.write(tmp_path / "a.h5", [pulled], columns=synthetic.energy(pulled, share))
    found = energy.analyse(open_result(path))
    assert found.gap < 1e-9 and found.against_strain
    assert found.internal[0] == 0 and found.elastic[0] == 0
    assert np.isnan(found.heat_share[0]) and found.heat_share[-1] == pytest.approx(share)
    said = values(energy.quantities(found))
    assert said["heat over plastic work"] == pytest.approx(share)
    assert said["work"] == pytest.approx(said["heat"] + said["elastic energy"])
    held = synthetic.relaxation()
    path = synthetic.write(tmp_path / "b.h5", [held], columns=synthetic.energy(held))
    assert not energy.analyse(open_result(path)).against_strain


def test_gap_of_an_open_balance_is_told(tmp_path):
    pulled = synthetic.tension()
    columns = synthetic.energy(pulled)
    columns["heat_MJ_per_m3"] = 0.99 * columns["heat_MJ_per_m3"]
    found = energy.analyse(open_result(synthetic.write(tmp_path / "a.h5", [pulled], columns=columns)))
    assert found.gap == pytest.approx(0.01 * columns["heat_MJ_per_m3"].max() / 0.99)


@pytest.mark.parametrize("module", [avalanches, correlation, distributions, energy])
def test_what_was_not_recorded(module, tmp_path):
    result = open_result(synthetic.write(tmp_path / "a.h5", [synthetic.tension()]))
    with pytest.raises(StzPostError, match="a.h5: no "):
        module.analyse(result)
