# SPDX-License-Identifier: GPL-3.0-or-later
"""Calibration on observables that are known functions of the parameters."""
import json
import math

import numpy as np
import pytest

from stzpost import StzPostError
from stzpost.analysis.surface import surface as fit_surface
from stzpost.studies import calibration

TRUE = np.array([0.5, 0.5, 0.4, 0.6, 0.3])  # in the unit box


def planted(x, rng=None):
    """Stress and slope depend on the first two parameters alone, the loss on the third; no overshoot."""
    noise = (lambda scale: scale * rng.standard_normal(len(x))) if rng else (lambda scale: 0.0)
    d = x - TRUE
    flow = 3.3 + 2.0 * d[:, 0] - 1.0 * d[:, 1] + 0.5 * d[:, 0] * d[:, 1]
    return {
        "flow_GPa": flow + noise(0.02),
        "stress_GPa": np.where(flow < 3.8, flow - 0.05, 3.75) + noise(0.02),  # the strong ones show their actuator
        "slope_GPa": 0.0975 * (1 - 0.4 * d[:, 1] + 0.1 * d[:, 1] ** 2) + noise(0.002),
        "overshoot": np.full(len(x), 1.02) + noise(0.003),
        "loss_GPa": 0.03 + 0.2 * d[:, 2] + noise(0.005),
    }


def test_surfaces_reproduce_what_is_quadratic():
    x = calibration.design()
    for name, values in planted(x).items():
        if name == "stress_GPa":
            continue
        surface = fit_surface(x, values)
        assert surface.error < 1e-10
        at = np.random.default_rng(1).random((20, 5))
        assert surface(at)[:, 0] == pytest.approx(planted(at)[name], abs=1e-10)


def test_error_of_a_surface_is_that_of_new_points():
    """Leaving one out against 4000 fresh points with the same noise, averaged over 10 draws: within 15 %."""
    rng, x = np.random.default_rng(2), calibration.design()
    claimed, real = [], []
    for _ in range(10):
        surface = fit_surface(x, planted(x, rng)["flow_GPa"])
        at = rng.random((4000, 5))
        claimed.append(surface.error**2)
        real.append(np.mean((surface(at)[:, 0] - planted(at, rng)["flow_GPa"]) ** 2))
    assert math.sqrt(np.mean(claimed)) == pytest.approx(math.sqrt(np.mean(real)), rel=0.15)


def test_refused_fits_are_left_out():
    x = calibration.design()
    values = planted(x)["flow_GPa"]
    values[::9] = math.nan
    assert fit_surface(x, values, (2,)).runs == len(x) - len(values[::9])
    values[20:] = math.nan
    with pytest.raises(StzPostError, match="needs 25 points"):
        fit_surface(x, values, (2,))


def test_intervals_hold_the_truth_and_name_what_is_free(tmp_path, monkeypatch):
    """Fixed seed. The first parameter is determined, along with the second, which is bounded from below; the third is
    bounded from above by the loss; the others do not enter and must come out undetermined. A chain of 1000 steps
    is long enough for that."""
    monkeypatch.setattr("stzpost.analysis.inference.MOST", 1000)
    x = calibration.design()
    found = calibration.fit(planted(x, np.random.default_rng(3)), x)
    names, intervals, undetermined = found.names, found.inference.intervals(), found.inference.undetermined()
    for name, value in zip(names, TRUE):
        low, high = calibration.PARAMETERS[name][0]
        a, b = intervals[name]
        assert a <= low + (high - low) * value <= b
    assert set(names[3:]) <= set(undetermined) and not {names[0], names[2]} & set(undetermined)
    width = {n: (b - a) / np.ptp(calibration.PARAMETERS[n][0]) for n, (a, b) in intervals.items()}
    assert width[names[0]] < 0.6 and width[names[1]] < 0.9
    assert intervals[names[2]][1] < calibration.PARAMETERS[names[2]][0][1]
    assert found.inference.correlation()[0, 1] > 0.5  # stress: 2 d0 = d1
    assert found.predicted()["flow_GPa"][0] == pytest.approx(3.25, abs=0.03)
    assert found.offset.mean == pytest.approx(-0.05, abs=0.02)
    model = {n: lo + (hi - lo) * v for n, ((lo, hi), _), v in zip(names, calibration.PARAMETERS.values(), TRUE)}
    off = model | {names[0]: model[names[0]] + 0.15}  # a stress off by 1 GPa
    assert found.likelihood_of(model) > -2 and found.likelihood_of(off) < -20
    calibration.write(found, model, tmp_path)
    record = json.loads((tmp_path / "calibration.json").read_text())
    assert record["model_is_inside"] and record["points"] == calibration.POINTS
    assert (tmp_path / "calibration.png").stat().st_size > 1000


@pytest.mark.full
def test_an_upper_yield_asks_for_nothing():
    """The source has no number for it: the parameters that are left do not depend on it."""
    x = calibration.design()
    low, high = (calibration.fit(planted(x) | {"overshoot": np.full(len(x), value)}, x) for value in (1.0, 1.5))
    assert np.array_equal(low.inference.best, high.inference.best)
    assert low.inference.intervals() == high.inference.intervals()
    assert high.predicted()["overshoot"][0] == pytest.approx(1.5)
