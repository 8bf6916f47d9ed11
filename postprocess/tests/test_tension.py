# SPDX-License-Identifier: GPL-3.0-or-later
import math

import numpy as np
import pytest
import synthetic

from stzpost import StzPostError, open_result
from stzpost.analysis import tension


def analyse(tmp_path, segment):
    return tension.analyse(open_result(synthetic.write(tmp_path / "a.h5", [segment])))


def test_known_curve(tmp_path):
    found = analyse(tmp_path, synthetic.tension())
    exact = 3.25 + 0.15 * 0.005 / 0.04 * (math.exp(-5.0) - math.exp(-13.0))  # the tail's mean over 8-12 %
    assert found.flow_GPa == pytest.approx(exact, rel=1e-5)
    assert found.peak == pytest.approx((0.055, 3.4))
    assert found.overshoot == pytest.approx(3.4 / exact, rel=1e-5)
    assert found.young_GPa == pytest.approx(3.4 / 0.055, rel=1e-9)
    assert found.rate_per_s == pytest.approx(1e-6)


def test_flow_is_a_mean_over_strain_not_over_rows():
    strain = np.concatenate([np.linspace(0, 0.1, 2001), np.linspace(0.1005, 0.13, 60)])  # many rows below 10 %
    stress = np.where(strain < 0.1, 3.0, 3.4)
    assert tension.flow_stress(strain, stress)[0] == pytest.approx(3.2, rel=2e-3)


def test_standard_error_covers_the_truth():
    """Noise that stress remembers over s/E of strain; 300 samples. The interval of two standard errors from 8 blocks
    covers with probability 0.914 (Student, 7 degrees); bounds with a false-alarm rate below 1e-3."""
    rng = np.random.default_rng(7)
    strain = synthetic.tension()["strain"]
    hits = 0
    for _ in range(300):
        stress = 3.25 + 0.02 * synthetic.ornstein_uhlenbeck(strain * synthetic.YOUNG / 0.1, rng)
        mean, error = tension.flow_stress(strain, stress)
        hits += abs(mean - 3.25) < 2 * error
    assert 0.84 < hits / 300 < 0.97


def test_no_flow_stress_without_the_window(tmp_path):
    found = analyse(tmp_path, synthetic.tension(end=0.10))
    assert math.isnan(found.flow_GPa) and tension.notes(found)
    assert found.peak[1] == pytest.approx(3.4)


def test_needs_a_strain_rate_segment(tmp_path):
    with pytest.raises(StzPostError, match="no segment of type strain-rate"):
        analyse(tmp_path, synthetic.relaxation())
