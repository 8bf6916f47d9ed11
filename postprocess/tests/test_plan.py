# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of the experiment and how they are carried out, with a program that only says what it was asked."""
import os
import stat

import pytest

from stzpost import StzPostError
from stzpost.studies import bands, runs as plan

FAKE = """#!/bin/bash
[[ -z "${FAIL-}" ]] || { echo "stzkmc: planted" >&2; exit 2; }
while [[ $1 != -o ]]; do shift; done
echo "$@" >> "$2.calls"
touch "$2"
"""


@pytest.fixture
def setup(tmp_path):
    program = tmp_path / "fake"
    program.write_text(FAKE)
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    (inputs / "a.cfg").write_text('model = "m";\n')
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.cfg").write_text("gamma0 = 0.1; # why\n mean_eV = 2.5;\n")

    def carry_out(runs, jobs=2):
        return plan.carry_out(runs, str(program), str(inputs), str(tmp_path / "out"), jobs, lambda text: None)

    return carry_out, tmp_path


def calls(path):
    with open(path + ".calls", encoding="utf-8") as file:
        return file.read().splitlines()


def test_every_run_once_and_again_only_when_it_changes(setup):
    carry_out, folder = setup
    runs = [plan.Run("s", "x", "a.cfg", seed, ("stz.gamma0=0.1",), {"v": 1.0}) for seed in (1, 2, 3)]
    paths = carry_out(runs)
    assert sorted(paths) == ["s-x-1", "s-x-2", "s-x-3"]
    assert "--seed 2 --set stz.gamma0=0.1 --force" in calls(paths["s-x-2"])[0]
    carry_out(runs)
    assert calls(paths["s-x-2"])[1].endswith("--restart")  # the program itself sees that it is finished
    carry_out([plan.Run("s", "x", "a.cfg", 2, ("stz.gamma0=0.2",))])
    assert calls(paths["s-x-2"])[2].endswith("--set stz.gamma0=0.2 --force")
    (folder / "models" / "m.cfg").write_text("gamma0 = 0.3;\n")
    carry_out([plan.Run("s", "x", "a.cfg", 2, ("stz.gamma0=0.2",))])
    assert calls(paths["s-x-2"])[3].endswith("--force")  # the model is part of what a result depends on


def test_a_failure_is_named(setup, monkeypatch):
    monkeypatch.setenv("FAIL", "1")
    with pytest.raises(StzPostError, match="1 of 1 runs failed, the first: s-x-1: exit 2: stzkmc: planted"):
        setup[0]([plan.Run("s", "x", "a.cfg", 1)])


def test_values_of_the_model(setup):
    assert plan.model_values(str(setup[1] / "inputs"), ["stz.gamma0", "barriers.mean_eV"], "m.cfg") == {
        "stz.gamma0": 0.1,
        "barriers.mean_eV": 2.5,
    }
    with pytest.raises(StzPostError, match="no barriers.width_eV"):
        plan.model_values(str(setup[1] / "inputs"), ["barriers.width_eV"], "m.cfg")


def test_the_array_of_actuators_has_one_cross_section():
    runs = [run for run in plan.experiment() if run.series == "onchip"]
    for run in runs:
        values = dict(setting.split("=") for setting in run.settings)
        product = float(values["protocol[0].stiffness_GPa"]) * float(values["protocol[0].mismatch_strain"])
        assert product == pytest.approx(plan.PULL_GPA, rel=1e-4)
    assert len({run.settings for run in runs}) >= 8


def test_names_are_distinct_and_seeds_enough():
    for runs in (plan.experiment(), plan.experiment(True), bands.runs(), bands.runs(True)):
        assert len({run.name for run in runs}) == len(runs)
        assert all(os.sep not in run.name for run in runs)
    assert sum(run.series == "tension" for run in plan.experiment()) >= 20  # N1 asks for 20 seeds
    assert len(plan.experiment(True)) < 40
