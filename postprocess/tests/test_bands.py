# SPDX-License-Identifier: GPL-3.0-or-later
"""Growth of waves of plastic strain: the estimators against events drawn with a growth that is known, and what the
study says of planted glasses."""
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from stzpost.analysis import waves
from stzpost.errors import StzPostError
from stzpost.studies import bands
from stzpost.units import KB_EV, ROOM_K

WAVES = waves.Waves((64, 64, 32), orders=(1,), amplitude_eV=0.004)
EVENTS, END = 1000, 0.016  # plastic strain in equal parts


def drawn(rng, rate, sign, begin=1.0):
    """Events whose density follows the barriers of WAVES as exp(-e/kT) at the start, times exp(rate p)."""
    strain = END * np.arange(EVENTS) / EVENTS
    size = sign * begin * WAVES.amplitude_eV / (KB_EV * ROOM_K) * np.exp(rate * strain)
    site = np.zeros((EVENTS, 3))
    left = np.arange(EVENTS)
    while len(left):
        site[left] = rng.integers(0, WAVES.cells, (len(left), 3))
        density = 1 - size[left] * sum(np.cos(phase) for phase in WAVES.phases(site[left, 0], site[left, 1]))
        assert density.min() > 0 and density.max() < 2
        left = left[2 * rng.random(len(left)) > density]
    weight = np.full(EVENTS, END / EVENTS)
    return {"site": SimpleNamespace(values=site), "plastic_strain_axial": SimpleNamespace(values=weight)}


def pair(rng, rate, begin=1.0):
    plus, less = (WAVES.answer(drawn(rng, rate, sign, begin), bands.STRAINS) for sign in (1, -1))
    return waves.gain(plus, less, bands.STRAINS, ROOM_K)


def case(name, softening, gains):
    return bands.Case("structure", name, "64x64x32", softening, np.array(gains), np.array([26.2]), 1.2, 1.0)


@pytest.mark.parametrize("rate", [-60.0, 0.0, 60.0])
def test_both_measures_give_back_the_growth_that_was_planted(rate):
    """Of many pairs the mean, within three standard errors; of a few pairs each, errors that hold."""
    rng = np.random.default_rng(1)
    gains = [pair(rng, rate) for _ in range(240)]
    for measure in bands.MEASURES:
        (whole,) = bands.lines([case("whole", 0.0, gains)], measure=measure)
        assert whole.growth[0] == pytest.approx(rate, abs=3 * whole.error[0]) and whole.error[0] < 12
        few = bands.lines([case(f"glass {i}", 0.0, gains[4 * i:4 * i + 4]) for i in range(60)], measure=measure)
        pulls = [(line.growth[0] - rate) / line.error[0] for line in few]
        assert 0.7 < np.std(pulls) < 1.3 and abs(np.mean(pulls)) < 0.5


def test_the_gain_begins_at_one_and_noise_that_both_runs_share_drops_out():
    rng = np.random.default_rng(2)
    common = rng.standard_normal((len(bands.STRAINS), 1))
    plus, less = (sign / (KB_EV * ROOM_K) * bands.STRAINS[:, None] + common for sign in (1, -1))
    assert waves.gain(plus, less, bands.STRAINS, ROOM_K) == pytest.approx(np.ones_like(common))
    assert waves.growth([1.0, math.expm1(0.5) / 0.5, math.expm1(-2) / -2, -0.1], 0.01) == pytest.approx(
        [0, 50, -200, math.nan], abs=1e-6, nan_ok=True)


def test_a_run_that_ends_early_gives_no_number():
    events = drawn(np.random.default_rng(3), 0.0, 1)
    found = WAVES.answer(events, bands.STRAINS)
    assert np.isfinite(found[bands.STRAINS < END - 1e-9]).all() and np.isnan(found[bands.STRAINS > END]).all()


def test_waves_need_a_square():
    assert WAVES.lengths_nm(0.58) == pytest.approx([64 * 0.58 / math.sqrt(2)])
    field = waves.Waves((64, 64, 32)).field_eV()
    assert field.shape == (64, 64, 32) and field.mean() == pytest.approx(0, abs=1e-12)
    assert field.std() == pytest.approx(0.008 * math.sqrt(3))
    with pytest.raises(StzPostError, match="as many along x as along y"):
        waves.Waves((64, 32, 32)).field_eV()


def test_the_crossing():
    softening = [0.0, 0.1, 0.2, 0.3]
    assert waves.crossing(softening, [-20, -10, 0.0, 10], [1, 1, 1, 1]) == pytest.approx(0.2)
    assert waves.crossing(softening, [-20, -15, -10, -5], [1, 1, 1, 1]) == math.inf
    assert waves.crossing(softening, [5, 6, 7, 8], [1, 1, 1, 1]) == -math.inf
    centre, found = waves.crossings(softening, [-20, -10, 0, 10], [2, 2, 2, 2], 1)
    assert centre == pytest.approx(0.2) and 0.01 < np.std(found) < 0.04


def planted(thresholds, seeds=6, softening=(0.0, 0.1, 0.2, 0.3)):
    """Glasses whose growth crosses zero at these softenings, 400 per strain and eV, with noise of the gain."""
    rng, cases = np.random.default_rng(5), []
    for name, threshold in thresholds.items():
        for one in softening:
            product = np.clip(400 * (one - threshold) * bands.STRAINS, -3, 3)
            gain = np.where(np.abs(product) < 1e-9, 1, np.expm1(product) / np.where(product == 0, 1, product))
            cases.append(case(name, one, gain[None, :, None] + 0.01 * rng.standard_normal((seeds, len(gain), 1))))
    return cases


def test_the_finding_follows_from_the_numbers(tmp_path):
    cases = planted({"uniform": 0.1, "domains": 0.2, "frozen": 0.03, "equal histogram": 0.1})
    said = bands.write(cases, tmp_path)
    assert "Against the glass `uniform`, by both measures, needs more softening: domains." in said
    assert "Against the glass `uniform`, by both measures, needs less softening: frozen." in said
    assert "Not told apart from the glass `uniform` by both measures: equal histogram." in said
    assert "Against the glass `domains`, by both measures, needs less softening: frozen; equal histogram." in said
    assert "Without softening the wave of 26.2 nm in uniform decays: net G = \N{MINUS SIGN}4" in said
    kept = json.loads((tmp_path / "bands.json").read_text())
    for line in kept["lines"]:
        if line["name"] == "domains":
            low, high = line["interval_95_eV"]
            assert low < 0.2 < high and high - low < 0.06
    assert (tmp_path / "bands.png").stat().st_size > 1000


def test_no_finding_without_the_uniform_glass(tmp_path):
    assert "no finding" in bands.finding(planted({"domains": 0.2}))
    with pytest.raises(StzPostError, match="no structure has two pairs"):
        bands.write([case("uniform", 0.0, np.empty((0, 12, 1)))], tmp_path)


def test_every_run_of_a_pair_has_its_partner_and_its_file(tmp_path):
    for size in bands.SIZES:
        for sweep in bands.sweeps(size, tmp_path):
            softening, files = sweep.axes
            assert files.key == "barriers.rise_file" and len(files.values) == 2 and len(softening.values) > 1
    study = bands.sweeps("quick", tmp_path)
    bands.write_waves(study, tmp_path)
    for file in study[0].axes[1].values:
        assert (tmp_path / "waves" / file.split("/")[-1]).stat().st_size > 1000
