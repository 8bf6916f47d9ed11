# SPDX-License-Identifier: GPL-3.0-or-later
"""True and engineering measures of stress and strain, and what they do to activation volumes read on chip."""
import math

import numpy as np
import pytest
import synthetic
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from stzpost import StzPostError, open_result
from stzpost.analysis import activation, measured as analysis, tension
from stzpost.cli import main as cli
from stzpost.io import measure
from stzpost.io.measured import Choice, read
from stzpost.studies import compare, design
from stzpost.synth import curves

YOUNG, POISSON, STIFFNESS = 72.0, 0.4, 72.0


def test_known_values_and_back():
    """The published area at 14.5 % and 3.25 GPa, and a plain bar of fixed volume."""
    assert measure.area_ratio(0.145, 3.25, YOUNG, POISSON) == pytest.approx(0.873, abs=5e-4)
    elongation, force = measure.engineering(0.145, 3.25, YOUNG, POISSON)
    assert elongation == pytest.approx(0.156, abs=1e-3) and force == pytest.approx(2.837, abs=2e-3)
    assert measure.engineering(math.log(2.0), 3.0, YOUNG, 0.5) == pytest.approx((1.0, 1.5))
    strain, stress = np.linspace(-0.2, 0.3, 60), np.linspace(-14.0, 14.0, 60)
    back = measure.true(*measure.engineering(strain, stress, YOUNG, POISSON), YOUNG, POISSON)
    np.testing.assert_allclose(back, (strain, stress), rtol=1e-12, atol=1e-14)


def on_chip(mismatch, plastic, s=0.09):
    """Elongation, true stress and time of a dashpot of this s under the actuator, with forces, lengths and areas alone:
    scipy's integration in ln t, the balance by Brent's method."""

    def stress_at(p):
        def excess(x):
            length, width = math.exp(x / YOUNG + p), math.exp(-POISSON * x / YOUNG - p / 2)
            return x * width**2 - STIFFNESS * (mismatch - (length - 1))

        return brentq(excess, -1.0, 20.0, xtol=1e-13)

    start = stress_at(plastic)
    rate = 1e-7 * math.exp(-3.25 / s)
    first = s / (YOUNG * rate * math.exp(start / s))
    time = np.geomspace(1e2 * first, 1e6 * first, 40)
    solved = solve_ivp(
        lambda ln_t, p: math.exp(ln_t) * rate * math.exp(stress_at(p[0]) / s),
        (math.log(1e-6 * first), math.log(time[-1])),
        [plastic],
        t_eval=np.log(time),
        rtol=1e-10,
        atol=1e-13,
        first_step=1e-3,
        max_step=0.2,
    )
    stress = np.array([stress_at(p) for p in solved.y[0]])
    return time, np.expm1(stress / YOUNG + solved.y[0]), stress


@pytest.mark.parametrize("strain, first, present", [(0.05, 1.02, 1.07), (0.10, 1.06, 1.17), (0.145, 1.10, 1.27)])
def test_volume_of_raw_elongations_is_biased_and_ours_is_not(strain, first, present):
    """With the stiffness of the start, V comes out too large by A0/A - sigma/(S lambda), and by lambda times that where
    the elongation is divided by the present length; from the true stress it is that of the dashpot."""
    s = 0.09
    stress = 3.25 + s * math.log(1e4)  # so that 3.25 GPa lie within the record
    plastic = strain - stress / YOUNG
    force = stress * measure.area_ratio(strain, stress, YOUNG, POISSON)
    mismatch = math.expm1(strain) + force / STIFFNESS
    time, elongation, true = on_chip(mismatch, plastic)
    length = 25.0
    by_stress = activation.log_law(time, true, 1e-4)
    raw = activation.displacement_law(time, elongation * length, 1e-4, STIFFNESS, length)
    thin = activation.displacement_law(time, elongation * length, 1e-4, STIFFNESS, length * (1 + elongation.mean()))
    known = {"mismatch": mismatch, "young_GPa": YOUNG, "poisson": POISSON}
    ours = activation.displacement_law(time, elongation * length, 1e-4, STIFFNESS, length, **known)
    assert by_stress.s == pytest.approx(s, rel=0.01)
    assert ours.s == pytest.approx(by_stress.s, rel=1e-6) and not ours.refused
    assert by_stress.s / raw.s == pytest.approx(first, abs=0.02)
    assert by_stress.s / thin.s == pytest.approx(present, abs=0.03)
    if strain == 0.145:
        assert by_stress.s / raw.s > 1.07 and by_stress.s / thin.s > 1.22


def displacement_file(tmp_path, mismatch=0.18):
    time, elongation, stress = on_chip(mismatch, 0.11)
    path = tmp_path / "u.csv"
    rows = "\n".join(f"{t:.9g},{25 * u:.9g},25" for t, u in zip(time, elongation))
    path.write_text("time_s,displacement_um,length_um\n" + rows)
    return path, activation.log_law(time, stress, 1e-4).s


def test_measured_takes_the_mismatch(tmp_path, capsys):
    path, s = displacement_file(tmp_path)
    settings = {"stiffness_GPa": STIFFNESS, "error": 1e-3}
    plain = analysis.analyse(read(str(path)), analysis.Settings(**settings))
    known = analysis.analyse(read(str(path)), analysis.Settings(mismatch=0.18, **settings))
    assert plain.estimates[0].s < 0.95 * s and any("--mismatch" in line for line in plain.said)
    for one in known.estimates:
        assert one.s == pytest.approx(s, rel=0.01), one.method
    words = ["measured", str(path), "--stiffness", "72", "--mismatch", "0.18", "--error", "0.001"]
    assert cli.main(words) == 0 and "mismatch 0.18: true stress" in capsys.readouterr().out
    assert cli.main([*words, "--mismatch", "-1"]) == 2 and "--mismatch: got -1" in capsys.readouterr().err


def tension_file(tmp_path, head, measured, area=None):
    strain = np.linspace(0.001, 0.14, 120)
    stress = 3.2 * (1 - np.exp(-strain * 22))
    x, y = (strain, stress) if measured == "true" else measure.engineering(strain, stress, YOUNG, POISSON)
    y = y * 1e3 * area if area else y
    path = tmp_path / "pull.csv"
    path.write_text(head + "\n" + "\n".join(f"{a:.12g},{b:.12g}" for a, b in zip(x, y)))
    return path, strain, stress


@pytest.mark.parametrize(
    "head, measured, choice",
    [
        ("strain,stress_GPa", "true", {}),
        ("strain,true stress [GPa]", "true", {}),
        ("strain,engineering stress [GPa]", "engineering", {}),
        ("nominal strain,stress_GPa", "engineering", {}),
        ("strain,stress_GPa", "engineering", {"measure": "engineering"}),
        ("strain,engineering stress [GPa]", "true", {"measure": "true"}),
        ("strain,force_N", "engineering", {"area_mm2": 0.36e-3}),
    ],
)
def test_a_file_says_its_measure(tmp_path, head, measured, choice):
    path, strain, stress = tension_file(tmp_path, head, measured, choice.get("area_mm2"))
    found = read(str(path), Choice(**choice))
    np.testing.assert_allclose(found.columns["strain"], strain, rtol=1e-9)
    np.testing.assert_allclose(found.columns["stress"], stress, rtol=1e-9)
    assert any("true stress and log" in line for line in found.said) == (measured == "engineering")


def test_engineering_stress_needs_its_strain(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text("time_s,stress_GPa\n" + "\n".join(f"{t},{3.3 - 0.1 * math.log(t)}" for t in range(1, 20)))
    with pytest.raises(StzPostError, match="needs a column of strain"):
        read(str(path), Choice(measure="engineering"))


def test_compare_holds_elongations_against_elongations(tmp_path):
    """A run's strain is logarithmic, a displacement is not: at 14 % they differ by 15 % in its changes."""
    time = np.geomspace(60.0, 4.4e6, 30)
    strain = 0.12 + 0.002 * np.log(time)
    stress, rate = 3.3 - 0.05 * np.log(time), 1e-3 / time
    segment = {"type": "relaxation", "time_s": time, "strain": strain, "stress": stress, "rate": rate, "clock_zero_s": 0.0}
    run = open_result(synthetic.write(tmp_path / "run.h5", [segment]))
    path = tmp_path / "u.csv"
    rows = "\n".join(f"{t:.9g},{25 * math.expm1(e):.12g},0.001,25" for t, e in zip(time[1:-1], strain[1:-1]))
    path.write_text("time_s,displacement_um,error_um,length_um\n" + rows)
    assert compare.compare(compare.read(path), run).chi2 < 1e-3


def test_a_result_gives_engineering_columns(tmp_path):
    run = open_result(synthetic.write(tmp_path / "run.h5", [synthetic.tension()]))
    found = run.engineering()
    strain, stress = run.history["strain_axial"].values, run.history["stress_axial_GPa"].values
    np.testing.assert_allclose(found["engineering_strain"], np.exp(strain) - 1, atol=1e-15)
    area = np.exp(-(strain - stress / YOUNG) - 2 * POISSON * stress / YOUNG)
    np.testing.assert_allclose(found["engineering_stress_GPa"], stress * area, rtol=1e-13)
    assert found["engineering_stress_GPa"].attrs["units"] == "GPa"
    assert run.engineering(run.segments[0]).sizes == found.sizes


def test_synthetic_readings_obey_the_balance_of_forces():
    """Every noisy reading of a specimen on an actuator: force = S (mismatch - u/L), over the area that it has then."""
    rng = np.random.default_rng(3)
    strain = np.linspace(0.05, 0.145, 14)
    stress = np.array([measure.pulled(math.expm1(e), 60.0, 0.2, YOUNG, POISSON)[1] for e in strain])
    truth = {"time_s": np.geomspace(1, 1e6, 14), "strain": strain, "stress_GPa": stress}
    chosen = curves.Settings(noise_nm=200.0, section=0.02)
    found, drawn = curves.read_off(truth, (60.0, 0.2, "finite"), chosen, rng, (YOUNG, POISSON))
    gain = 1 + drawn["section_error"]
    elongation = found["elongation_um"] / chosen.gauge_um
    assert np.max(np.abs(elongation - np.expm1(strain))) > 5e-4
    np.testing.assert_allclose(found["pull_GPa"] / gain, 60.0 * (0.2 - elongation), rtol=1e-10)
    area = np.exp(-found["strain"] + 0.2 * found["stress_GPa"] / gain / YOUNG)
    np.testing.assert_allclose(found["pull_GPa"], found["stress_GPa"] * area, rtol=1e-10)
    slope = measure.spring_slope(np.expm1(strain), 60.0, 0.2, YOUNG, POISSON)
    step = measure.pulled(np.expm1(strain) + 1e-6, 60.0, 0.2, YOUNG, POISSON)[1]
    np.testing.assert_allclose(slope, (stress - step) / 1e-6, rtol=1e-5)


def test_hardening_and_largest_force(tmp_path):
    """A planted slope of the flow, without the loading before it; the largest force where the slope is the stress."""
    strain = np.linspace(0.0, 0.145, 291)
    flow = 3.0 + 8.0 * (1 - np.exp(-strain / 0.05)) * 0.1
    assert tension.hardening(strain, np.minimum(72 * strain, 3.0 + 1.5 * strain))[0] == pytest.approx(1.5, rel=1e-6)
    assert math.isnan(tension.hardening(strain[:190], flow[:190])[0])  # ends at 9.5 %
    stress = np.minimum(72 * strain, flow)
    segment = {"type": "strain-rate", "time_s": strain * 1e6, "strain": strain, "stress": stress,
               "rate": np.full(291, 1e-6)}  # fmt: skip
    found = tension.analyse(open_result(synthetic.write(tmp_path / "a.h5", [segment])))
    force = stress * np.exp(-(strain - stress / YOUNG) - 2 * POISSON * stress / YOUNG)
    assert found.force_GPa == pytest.approx((strain[np.argmax(force)], force.max()), rel=1e-12)


def test_fits_hold_elongations_against_elongations(tmp_path):
    time = np.geomspace(60.0, 4.4e6, 30)
    strain, rate = 0.12 + 0.002 * np.log(time), 1e-3 / time
    segment = {"type": "relaxation", "time_s": time, "strain": strain, "stress": 3.3 - 0.05 * np.log(time), "rate": rate}
    run = open_result(synthetic.write(tmp_path / "run.h5", [segment]))
    _, found = design._curve(run, "displacement")
    np.testing.assert_allclose(found, np.exp(strain[-len(found) :]) - 1, rtol=1e-12)
