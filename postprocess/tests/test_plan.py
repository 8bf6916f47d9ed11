# SPDX-License-Identifier: GPL-3.0-or-later
"""The sweeps of the studies, and how far they have come. tests/cli/test_studies.py carries some out."""
import json
import re
import signal

import pytest

from stzpost import StzPostError
from stzpost.cli import main as cli
from stzpost.errors import Stopped
from stzpost.studies import bands, calibration, news, runs as plan
from stzpost.studies.signals import Signals
from stzpost.studies.sweeps import CONSECUTIVE, Axis, Sweep

STUDIES = [plan.experiment(), plan.experiment(True), bands.sweeps(), bands.sweeps("middle"), bands.sweeps("quick"), calibration.sweeps()]


def test_a_sweep_file():
    axes = (Axis("stz.gamma0", (0.1, 1e-8), "pair"), Axis("microstructure.control", ("none", 'a"\\'), "pair"))
    text = Sweep("s", "a.cfg", ('kmc.engine="direct"',), axes, (1, 2)).text("../a.cfg")
    assert text.split("\n", 2)[2] == (
        'input = "../a.cfg";\nset = [\n  "kmc.engine=\\"direct\\""\n];\naxes = (\n'
        '  { key = "stz.gamma0"; values = [0.1, 1e-08]; zip = "pair"; },\n'
        '  { key = "microstructure.control"; values = ["none", "a\\"\\\\"]; zip = "pair"; }\n);\nseeds = [1, 2];\n'
    )
    assert Sweep("s", "a.cfg", axes=axes, seeds=CONSECUTIVE).text("a.cfg").endswith('\nseeds = "consecutive";\n')


def test_the_array_of_actuators_has_one_cross_section():
    stiffness, mismatch = next(sweep for sweep in plan.experiment() if sweep.name == "onchip").axes
    assert stiffness.key == "protocol[0].stiffness_GPa" and mismatch.key == "protocol[0].mismatch_strain"
    products = [a * b for a, b in zip(stiffness.values, mismatch.values)]
    assert products == pytest.approx([plan.PULL_GPA] * len(products), rel=1e-4)
    assert len(set(stiffness.values)) >= 8


@pytest.mark.parametrize("sweeps", STUDIES)
def test_names_are_distinct_and_fit_for_files(sweeps):
    assert len({sweep.name for sweep in sweeps}) == len(sweeps)
    assert all(re.fullmatch(r"[a-z0-9.-]+", sweep.name) for sweep in sweeps)


def test_seeds_are_enough():
    counted = [sweep for sweep in plan.experiment() if sweep.series == "counted"]
    assert len(counted) == 4 and min(sweep.runs for sweep in counted) >= 20  # N1 and N4 ask for 20 seeds
    assert sum(sweep.runs for sweep in plan.experiment(True)) <= 50


def test_every_point_of_the_calibration_sets_every_parameter():
    for sweep in calibration.sweeps(4):
        assert sweep.runs == 4 and {axis.key for axis in sweep.axes} == set(calibration.PARAMETERS)
        for axis in sweep.axes:
            (low, high), _ = calibration.PARAMETERS[axis.key]
            assert len(axis.values) == 4 and all(low <= value <= high for value in axis.values)


def test_news_of_a_manifest(tmp_path):
    """Whole lines count, once; what a kill has torn is passed over."""
    one, path = news.News(tmp_path), tmp_path / "manifest.jsonl"
    assert list(one.read()) == [] and one.runs == one.done == 0
    lines = [{"format": "stzkmc-sweep"}, *({"run": i, "state": "waiting", "estimate_s": 1.5} for i in range(3))]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"run":0,"state":"done","wall')
    assert list(one.read()) == [] and one.runs == 3
    with open(path, "a") as file:
        file.write('\n{"run":2,"state":"done","wall_s":2}\n{"run":1,"state":"failed","message":"planted"}\n')
    ended = dict(one.read())
    assert set(ended) == {1, 2} and ended[2]["estimate_s"] == 1.5 and one.done == 1
    assert [(number, run["message"]) for number, run in one.failed()] == [(1, "planted")]
    with open(path, "a") as file:
        file.write('{"run":1,"state":"running"}\n')
    assert list(one.read()) == [] and one.failed() == [] and list(one.begun) == [1]
    with open(path, "a") as file:
        file.write('{"run":0,"state":"done","wall_s":1}\n{"run":1,"state":"done","wall_s":2}\n')
    assert len(list(one.read())) == 2 and one.all_done and not one.begun


@pytest.mark.parametrize(
    "passed, share, words",
    [
        (1.0, 0.5, "time left unknown"),
        (50.0, 0.0, "time left unknown"),
        (40.0, 0.5, "40 s left"),
        (59.4, 0.5, "59 s left"),
        (59.6, 0.5, "1 min left"),
        (3600.0, 0.25, "3 h 0 min left"),
        (3600.0, 0.01, "4 d left"),
        (5.0, 1.2, "0 s left"),
    ],
)
def test_what_is_left(passed, share, words):
    assert news.left_text(passed, share) == words


class Process:
    def __init__(self):
        self.heard = []

    def terminate(self):
        self.heard.append("terminate")

    def kill(self):
        self.heard.append("kill")


def test_signals_are_handed_on(monkeypatch):
    """One Ctrl-C may come twice at once; a later one kills. A process begun meanwhile hears it too."""
    monkeypatch.setattr("stzpost.studies.signals.AGAIN_S", 0.0)
    one, late = Process(), Process()
    before = signal.getsignal(signal.SIGINT)
    with Signals() as signals:
        signals.add(one)
        signal.raise_signal(signal.SIGTERM)
        signals.add(late)
        signal.raise_signal(signal.SIGINT)
    assert one.heard == late.heard == ["terminate", "kill"] and signals.stop == signal.SIGTERM
    assert signal.getsignal(signal.SIGINT) == before
    assert str(signals.stopped("x")) == "stopped by SIGTERM: x"


def test_nohup_is_heeded():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals() as signals:
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert signals.stop == 0


def test_a_study_that_is_stopped_ends_with_75(monkeypatch, capsys):
    def stop(options):
        raise Stopped("stopped by SIGINT: 3 of 9 runs are done, the same command goes on")

    monkeypatch.setattr(cli, "_program", stop)
    assert cli.main(["bands", "-o", "x"]) == 75
    assert capsys.readouterr().err == "stz-post: stopped by SIGINT: 3 of 9 runs are done, the same command goes on\n"


def test_values_of_the_model(tmp_path):
    (tmp_path / "inputs").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.cfg").write_text("gamma0 = 0.1; # why\n mean_eV = 2.5;\n")
    inputs = str(tmp_path / "inputs")
    assert plan.model_values(inputs, ["stz.gamma0", "barriers.mean_eV"], "m.cfg") == {
        "stz.gamma0": 0.1,
        "barriers.mean_eV": 2.5,
    }
    with pytest.raises(StzPostError, match="no barriers.width_eV"):
        plan.model_values(inputs, ["barriers.width_eV"], "m.cfg")
