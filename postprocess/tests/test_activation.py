# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimators of the activation volume on data whose volume is known."""
import math

import numpy as np
import pytest
import synthetic

from stzpost import StzPostError, open_result
from stzpost.analysis import activation, relaxation
from stzpost.analysis.meanfield import Glass
from stzpost.units import KB_EV, ROOM_K, activation_volume

HOUR, DAY = 3600.0, 86400.0
TIMES = np.array([2 * HOUR, DAY, 8 * DAY, 35 * DAY, 51 * DAY])
NOISE = 0.020  # GPa
KB = 1.380649e-23  # J/K: volumes are checked in SI, apart from the package's own units


def valid(rng):
    """s for M = 1: V of 34 to 51 cubic angstroms; t0 of 2 to 300 s."""
    s, t0 = rng.uniform(0.08, 0.12), 10 ** rng.uniform(0.3, 2.5)
    return 3.9 - s * np.log1p(TIMES / t0), s


def incubation(rng):
    """Nothing for 4 h to 20 d, then the log law."""
    s, t0, wait = rng.uniform(0.08, 0.12), 10 ** rng.uniform(0.3, 2.5), math.exp(rng.uniform(math.log(4 * HOUR), 14.3))
    return 3.9 - s * np.log1p(np.maximum(0, TIMES - wait) / t0), s


def overshoot(rng):
    """The log law and a fall of the upper yield, 200 to 600 MPa with a time constant of 1 to 20 d."""
    stress, s = valid(rng)
    fall, tau = rng.uniform(0.2, 0.6), math.exp(rng.uniform(math.log(DAY), math.log(20 * DAY)))
    return stress - fall * (1 - np.exp(-TIMES / tau)), s


def fits(kind, rng, n):
    made = [kind(rng) for _ in range(n)]
    return [(activation.log_law(TIMES, y + NOISE * rng.standard_normal(5), NOISE), s) for y, s in made]


def test_a_hundred_relaxations_of_known_volume():
    """100 valid curves, 20 MPa of noise, 5 times: at most 10 refused; the intervals of the rest cover the volume in
    90 to 99 % (binomial at 95 %: outside by chance 1.7 %, on this seed it must hold); half width at most 10 %."""
    found = fits(valid, np.random.default_rng(20190716), 100)
    kept = [(one, s) for one, s in found if not one.refused]
    assert len(kept) >= 90
    exact = [3.06 * KB * 295.0 / (s * 1e9) * 1e30 for _, s in kept]
    volumes = [one.volume(3.06) for one, _ in kept]
    covered = sum(low <= v <= high for v, (_, low, high) in zip(exact, volumes))
    assert 0.90 <= covered / len(kept) <= 0.99
    half = np.median([(high - low) / 2 / v for v, (_, low, high) in zip(exact, volumes)])
    assert 0.05 < half <= 0.10


def test_a_hundred_invalid_curves():
    """50 incubations and 50 overshoots: at least 90 refused, and a refused one gives no volume."""
    rng = np.random.default_rng(20190717)
    found = fits(incubation, rng, 50) + fits(overshoot, rng, 50)
    refused = [one for one, _ in found if one.refused]
    assert len(refused) >= 90
    assert all(math.isnan(v) for one in refused for v in one.volume(1.0))


def test_rates_of_the_tests_themselves():
    """1000 valid curves: refused at the nominal 5 % (bounds of four standard errors: 2.2 to 7.8 %, plus the test for
    incubation, at most 1 %), coverage 95 % or a little more, since t0 is bounded (92.5 to 98 %)."""
    found = fits(valid, np.random.default_rng(3), 1000)
    kept = [(one, s) for one, s in found if not one.refused]
    assert 0.022 < 1 - len(kept) / 1000 < 0.088
    assert 0.925 < np.mean([one.interval[0] <= s <= one.interval[1] for one, s in kept]) < 0.98


def test_log_law_refuses_what_it_cannot_use():
    for times, noise in ((TIMES[:3], NOISE), (TIMES[::-1], NOISE), (TIMES, 0.0)):
        with pytest.raises(StzPostError):
            activation.log_law(times, np.linspace(3, 2.8, len(times)), noise)
    late = 3.9 - 0.1 * np.log1p(TIMES / (2 * DAY))  # a log law, but one that begins within the observations
    assert "incubation" in activation.log_law(TIMES, late, NOISE).refused
    assert "does not fall" in activation.log_law(TIMES, np.full(5, 3.0), NOISE).refused


@pytest.mark.parametrize("first, t0", [(1.0, 60.0), (60.0, 60.0), (0.1, 10.0)])
@pytest.mark.parametrize("error", [0.01, None])
def test_exact_log_law_from_the_begin(first, t0, error):
    """Many rows show the bend: such a curve is no incubation."""
    time = np.geomspace(first, 1e6, 40)
    found = activation.log_law(time, 3.3 - 0.095 * np.log1p(time / t0), error)
    assert found.refused == "" and found.s == pytest.approx(0.095, rel=1e-4)
    assert found.detail["t0"] == pytest.approx(t0, rel=1e-2) and found.interval[0] <= found.s <= found.interval[1]
    along = activation.along_curve(time, 3.3 - 0.095 * np.log1p(time / t0), error)
    assert along.refused == "" and along.s == pytest.approx(0.095, rel=5e-3)


def test_many_rows_that_are_no_log_law():
    """Incubation and a fall after yielding, 60 rows: refused; so is what ends before it bends, by its span."""
    time = np.geomspace(10, 1e6, 60)
    noise = 0.01 * np.random.default_rng(4).standard_normal(60)
    late = 3.9 - 0.1 * np.log1p(np.maximum(0, time - 2e4) / 50)
    fallen = 3.9 - 0.1 * np.log1p(time / 50) - 0.4 * (1 - np.exp(-time / 1e5))
    for stress in (late, fallen):
        for error in (0.01, None):
            assert "not logarithmic" in activation.log_law(time, stress + noise, error).refused
    short = time[time < 2000]
    assert "ends at" in activation.log_law(short, 3.9 - 0.1 * np.log1p(short / 200), 1e-4).refused


def test_neighbours_that_agree_widen_the_interval():
    """Readings with a memory of a few rows: the interval grows, and covers the truth in 85 % of 100 or more."""
    rng, covered = np.random.default_rng(6), 0
    time = np.geomspace(60, 4.4e6, 200)
    for _ in range(100):
        noise = synthetic.ornstein_uhlenbeck(np.arange(200) / 2.8, rng)
        found = activation.log_law(time, 3.3 - 0.1 * np.log1p(time / 100) + 0.01 * noise)
        covered += found.interval[0] <= 0.1 <= found.interval[1]
    assert covered >= 85


def test_displacement_gives_the_volume_of_the_stress():
    """u = A1 ln t + A2 of a specimen of 25 um under a spring of 40 GPa."""
    stress = 3.9 - 0.1 * np.log1p(TIMES / 50.0)
    u = 25.0 * (0.115 - stress / 40.0)  # um
    by_stress = activation.log_law(TIMES, stress, NOISE)
    by_u = activation.displacement_law(TIMES, u, NOISE * 25.0 / 40.0, 40.0, 25.0)
    assert by_u.s == pytest.approx(by_stress.s, rel=1e-9) and by_u.interval == pytest.approx(by_stress.interval)
    assert by_u.detail["A1"] == pytest.approx(0.1 * 25.0 / 40.0, rel=0.02)


def jump_segment(s=0.1, rates=(1e-6, 1e-4), each=0.015, plateaus=6, noise=0.0, rng=None):
    """Steady stress 3.3 + s ln(rate/1e-6), reached exponentially within 0.15 % strain after each jump."""
    strain, time, stress = [0.08], [8e4], [3.3]
    for i in range(plateaus):
        rate = rates[(i + 1) % 2]
        target, before = 3.3 + s * math.log(rate / 1e-6), stress[-1]
        for d in np.arange(0.0005, each + 1e-9, 0.0005):
            strain.append(0.08 + i * each + d)
            time.append(time[-1] + 0.0005 / rate)
            stress.append(target + (before - target) * math.exp(-d / 0.0015))
    stress = np.array(stress)
    if noise:
        stress = stress + noise * synthetic.ornstein_uhlenbeck(np.array(strain) / 0.0015, rng)
    return dict(type="rate-jump", time_s=np.array(time), strain=np.array(strain), stress=stress, rate=0 * stress)


def test_rate_jumps(tmp_path):
    found = activation.rate_jumps(open_result(synthetic.write(tmp_path / "a.h5", [jump_segment()])))
    assert found.s == pytest.approx(0.1, rel=0.02) and found.refused == ""


def test_rate_jumps_cover_the_truth():
    """100 segments with correlated noise: coverage of the 95 % interval within 88 to 99 % (binomial, 3 errors)."""
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(100):
        test = jump_segment(noise=0.03, rng=rng)
        low, high = activation.jumps(test["time_s"], test["strain"], test["stress"], 295.0).interval
        covered += low <= 0.1 <= high
    assert 88 <= covered <= 99


def test_repeated_relaxations(tmp_path):
    """Rates exp(sigma/0.08) at one structure, while along the relaxations themselves they fall by exp(sigma/0.1)."""
    segments, structure = [], 0.0
    for i in range(5):
        t = np.geomspace(0.1, 1e4, 60)
        stress = 3.3 - 0.1 * np.log1p(t / 50.0)
        drift = structure + (3.3 - stress) * (1 / 0.08 - 1 / 0.1)
        rate = np.exp((stress - 3.3) / 0.08 + drift) * 1e-6
        segments.append(dict(type="relaxation", time_s=2e4 * i + t, strain=np.full(60, 0.07), stress=stress, rate=rate))
        structure = drift[-1]  # kept during the reload
    found = activation.repeated(open_result(synthetic.write(tmp_path / "a.h5", segments)))
    assert found.s == pytest.approx(0.08, rel=1e-3)
    along = relaxation.fit_rate(np.log(t), segments[0]["stress"], segments[0]["rate"])
    assert along.parameters["s"] == pytest.approx(0.1, rel=1e-6)


def planted_flow(rng=None, noise=0.0):
    h0, v1, ln0 = 2.4, 0.045, 30.0  # eV, nm^3
    temperature, rate = (x.ravel() for x in np.meshgrid([250.0, 295.0, 350.0], [1e-8, 1e-6, 1e-4]))
    stress = (h0 - KB_EV * temperature * (ln0 - np.log(rate))) / (v1 * 6.2415091)
    return temperature, rate, stress + (noise * rng.standard_normal(9) if noise else 0), h0, v1


def test_master_curve_gives_volume_and_enthalpy():
    temperature, rate, stress, h0, v1 = planted_flow()
    found = activation.master_curve(temperature, rate, stress, 0.01)
    assert found.volume == pytest.approx(1000 * v1) and found.enthalpy_eV == pytest.approx(h0)
    assert found.stress(295.0, 1e-6) == pytest.approx(stress[4])
    assert found.energy(3.0) == pytest.approx(h0 - v1 * 6.2415091 * 3.0)
    assert found.p == pytest.approx(1)
    bent = activation.master_curve(temperature, rate, stress + 0.1 * (temperature / 295.0) ** 4 * (rate > 1e-7), 0.01)
    assert bent.p < 1e-3  # no single line


def test_master_curve_covers_the_truth():
    """400 sets with known errors: 95 % coverage within 91 to 99 % (four standard errors)."""
    rng = np.random.default_rng(8)
    hits = []
    for _ in range(400):
        temperature, rate, stress, h0, v1 = planted_flow(rng, 0.02)
        one = activation.master_curve(temperature, rate, stress, 0.02)
        hits.append(
            [
                one.volume_interval[0] <= 1000 * v1 <= one.volume_interval[1],
                one.enthalpy_interval[0] <= h0 <= one.enthalpy_interval[1],
            ]
        )
    assert np.all(np.abs(np.mean(hits, axis=0) - 0.955) < 0.042)


def test_bootstrap_over_specimens_and_seeds():
    """Mean of 8 specimens of 4 runs, both levels scatter: the 95 % interval covers the truth in 87 to 99 % of 100
    (binomial at 95 %: beyond by chance 1 %, on this seed it must hold)."""
    rng = np.random.default_rng(9)
    covered = 0
    for i in range(100):
        groups = [rng.standard_normal() + rng.standard_normal(4) for _ in range(8)]
        _, (low, high) = activation.bootstrap(groups, np.mean, draws=100, seed=i)
        covered += low <= 0 <= high
    assert 87 <= covered <= 99


def test_pooled_refuses_when_most_are_refused():
    good = activation.Estimate("x", 0.1, (0.09, 0.11), 295.0)
    bad = activation.Estimate("x", 0.1, (0.09, 0.11), 295.0, "bent")
    assert activation.pooled("x", [good, good, bad]).refused == ""
    assert "bent" in activation.pooled("x", [good, bad, bad]).refused


# The bias of each estimator against the microscopic volume, where that is known: docs/theory.md section 9.


def log_volume(time, stress):
    return activation_volume(1.0, 295.0, relaxation.fit_logarithm(time, stress, 0.0).parameters["s"])


@pytest.mark.parametrize("width", [0.0, 0.1, 0.2])
def test_from_steady_flow_every_estimator_gives_the_microscopic_volume(width):
    """Rates scale with one factor when the stress moves, so the steady weights stay steady: no bias, any width."""
    glass = Glass(width_eV=width)
    exact = 1000 * glass.volume_nm3
    start = glass.flow_stress(1e-6)
    time, stress, rate, weights = glass.drive(0.0, start, glass.steady(1e-6), 4.4e6)
    assert log_volume(time, stress) == pytest.approx(exact, rel=1e-3)
    along = relaxation.fit_rate(np.log(time + 50), stress, rate).parameters["s"]
    assert activation_volume(1.0, 295.0, along) == pytest.approx(exact, rel=1e-3)
    again = glass.strain * (glass.rates(start) @ weights)
    reload = (start - stress[-1]) / math.log(again / rate[-1])
    assert activation_volume(1.0, 295.0, reload) == pytest.approx(exact, rel=1e-3)
    rates = np.array([1e-8, 1e-6, 1e-4])
    flow = activation.steady_flow(rates, [glass.flow_stress(r) for r in rates])
    assert flow.volume(1.0)[0] == pytest.approx(exact, rel=1e-6)


def test_a_fresh_glass_uses_up_its_soft_sites():
    """Relaxation of a glass that has not flowed: rates fall faster than the stress says, so V comes out too large by
    more than half at a width of 0.1 eV; a reload at the structure then reached gives the microscopic volume again."""
    glass = Glass(width_eV=0.1)
    exact = 1000 * glass.volume_nm3
    time, stress, rate, weights = glass.drive(0.0, 3.6, glass.barriers()[1], 4.4e6)
    late = time > 7200
    apparent = activation_volume(1.0, 295.0, -np.polyfit(np.log(time[late]), stress[late], 1)[0])
    assert 1.5 < apparent / exact < 2.5
    again = glass.strain * (glass.rates(3.6) @ weights)
    reload = (3.6 - stress[-1]) / math.log(again / rate[-1])
    assert activation_volume(1.0, 295.0, reload) == pytest.approx(exact, rel=1e-3)


def test_the_glass_flows_at_the_rate_that_drives_it():
    glass = Glass(width_eV=0.1)
    _, stress, rate, _ = glass.drive(1e-6, 4.0, glass.barriers()[1], 1e7)
    assert rate[-1] == pytest.approx(1e-6, rel=0.01)
    assert stress[-1] == pytest.approx(glass.flow_stress(1e-6), rel=1e-3)


@pytest.mark.parametrize("rise, factor", [(0.0, 1.0), (0.2, 1.25)])
def test_barriers_that_rise_with_time_make_v_too_large(rise, factor):
    """Held strain, all barriers higher by `rise` kB T for each e-fold of time: 1/(1 - rise) too large, and not refused."""
    from scipy.integrate import solve_ivp

    s, times = 0.0975, np.geomspace(7200.0, 4.4064e6, 12)

    def slope(t, stress):
        return -72.0 * 1e-6 * np.exp((stress - 3.25) / s) * (1 + t / 10.0) ** -rise

    stress = solve_ivp(slope, (0, times[-1]), [3.25], "LSODA", times, rtol=1e-9, atol=1e-12).y[0]
    found = activation.log_law(times, stress, 0.003)
    assert not found.refused
    assert found.volume(1.0)[0] == pytest.approx(factor * activation_volume(1.0, ROOM_K, s), rel=0.03)
