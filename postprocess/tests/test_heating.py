# SPDX-License-Identifier: GPL-3.0-or-later
"""Warming by plastic work: figures worked out by hand, and the heat equation solved on a grid."""
import numpy as np
import pytest
import synthetic
from scipy.integrate import solve_ivp

from stzpost import open_result
from stzpost.analysis import energy, heating, registry
from stzpost.cli import main as cli


def test_figures_worked_out():
    """On chip at 1e-7 /s; a zone of 2 um under an indenter at 0.05 /s; 10 % without conduction; 1 K at 20 /s."""
    power = 3.25e9 * 1e-7
    assert power == pytest.approx(325.0)
    assert heating.warming(power, 3.25e8).conduction_K == pytest.approx(5e-9, rel=0.05)
    zone = heating.Constants(length_um=2.0)
    assert heating.warming(3.25e9 * 0.05, 3.25e8, zone).conduction_K == pytest.approx(2e-5, rel=0.25)
    assert heating.warming(power, 3.25e8).adiabatic_K == pytest.approx(148.0, rel=0.01)
    assert heating.warming(3.25e9 * 20, 3.25e8).conduction_K == pytest.approx(1.0, rel=0.05)
    assert heating.warming(3.25e9 * 1e7, 3.25e8).conduction_K == pytest.approx(148.0, rel=0.01)  # no more than all heat


def test_heat_equation():
    """A bar between cold grips, rho c T' = kappa T'' + q, warms to q L^2/8 kappa in its middle."""
    c = heating.Constants()
    length, heat, kappa, power = 25e-6, 2.2e6, 5.0, 6.5e10
    step = length / 100

    def rate(_, t):
        return (kappa * np.diff(np.concatenate([[0.0], t, [0.0]]), 2) / step**2 + power) / heat

    end = 10 * length**2 / (np.pi**2 * kappa / heat)
    found = solve_ivp(rate, (0, end), np.zeros(99), method="BDF", rtol=1e-8, atol=1e-10)
    assert found.y[:, -1].max() == pytest.approx(heating.warming(power, 1e12, c).conduction_K, rel=1e-3)


def pulled(tmp_path, rate):
    segment = synthetic.tension()
    return synthetic.write(tmp_path / f"{rate:g}.h5", [segment | {"rate": np.full_like(segment["time_s"], rate)}],
                           columns=synthetic.energy(segment))  # fmt: skip


def test_a_run_says_its_warming_and_warns_above_one_kelvin(tmp_path, capsys):
    path = pulled(tmp_path, 1e-7)
    slow, fast = open_result(path), open_result(pulled(tmp_path, 40.0))
    found = energy.analyse(slow).warmed
    stress = slow.history["stress_axial_GPa"].values.max()
    assert found.power_W_per_m3 >= 1e9 * stress * 1e-7 * (1 - 1e-12)
    assert found.adiabatic_K == pytest.approx(slow.history["heat_MJ_per_m3"].values.max() / 2.2)
    assert not any("heat:" in note for note in registry.analyse(slow).notes)
    assert any("more than 1 K" in note for note in registry.analyse(fast).notes)
    words = ["energy", str(path), "--length", "2.5e7", "--heat-capacity", "1.1"]
    assert cli.main(words) == 0 and "more than 1 K" in capsys.readouterr().out
    assert cli.main(["energy", str(path), "--conductivity", "0"]) == 2
    assert "--conductivity: got 0" in capsys.readouterr().err
