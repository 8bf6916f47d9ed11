#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The experiment on tiny boxes: every run of the quick plan, then the table, its page and its files; what the table says
of the stress at 2 h and of the diffraction, read from the runs again without stzpost; a second time nothing is run."""
import dataclasses
import glob
import json
import os
import sys
import tempfile

import h5py
import numpy as np

from harness import PROGRAM, SOURCE, expect, finish

sys.path.insert(0, os.path.join(SOURCE, "postprocess"))
from stzpost.pages import experiment as experiment_page  # noqa: E402
from stzpost.studies import experiment, launch, runs as plan  # noqa: E402

TINY = ("lattice.cells=[16, 16, 16]", "nbed.foil_nm=9.0")
SHORT = {"band": ("protocol[0].until_strain=0.04",)}
plan.QUICK_STIFFNESSES = (372.0, 176.0, 141.0, 100.0, 72.0)  # seconds saved
ROWS = ["T1", "T2", "T2", "T3", "T3", *(f"T{i}" for i in range(4, 15)), *(f"N{i}" for i in range(1, 7))]
CLASSES = {"T1": "input", "T3": "follows", "T4": "calibrated", "T5": "follows", "T6": "follows",
           "T7": "prediction", **{f"T{i}": "input" for i in range(8, 13)},
           **{f"N{i}": "prediction" for i in (1, 4, 5)}, "N3": "follows"}  # N2: small boxes are uneven by chance


def stress_at(path, time_s):
    """By the columns of the history alone; the times of the single segment count from the end of release, 60 s."""
    with h5py.File(path) as file:
        time, stress = file["history/time_s"][...] - 60.0, file["history/stress_axial_GPa"][...]
    return np.interp(np.log(time_s), np.log(time[time > 0]), stress[time > 0])


def bragg(path, level):
    with h5py.File(path) as file:
        return file[f"nbed/level_{level:02d}/bragg"][...].mean()


def hashes(paths):
    with_hash = {}
    for path in paths:
        with h5py.File(path) as file:
            with_hash[path] = file.attrs["created_utc"], file.attrs["state_hash"], os.stat(path).st_mtime_ns
    return with_hash


with tempfile.TemporaryDirectory() as folder:
    sweeps = [dataclasses.replace(sweep, settings=sweep.settings + TINY + SHORT.get(sweep.series, ()))
              for sweep in plan.experiment(quick=True)]

    def carry_out():
        return launch.carry_out(sweeps, PROGRAM, os.path.join(SOURCE, "inputs"), folder, 2, lambda text: None)

    runs = carry_out()
    planned = sum(sweep.runs for sweep in sweeps)
    expect("every run has a result", len({run.path for run in runs}) == len(runs) == planned)
    found = experiment.analyse(runs, planned)
    page = experiment_page.write(found, folder, True)
    with open(os.path.join(folder, "experiment.json"), encoding="utf-8") as file:
        record = json.load(file)
    rows = record["rows"]
    expect("every measured row, once and in order", [row["id"] for row in rows] == ROWS, [row["id"] for row in rows])
    for row in rows:
        for field in ("quantity", "measured", "model", "verdict", "test"):
            expect(f"{row['id']}: {field}", row.get(field) not in (None, "", "–"), row)
        expect(f"{row['id']}: class", row["class"] == CLASSES.get(row["id"], row["class"]), row["class"])
    for row in rows:
        judged = row["class"] in ("follows", "prediction")
        expect(f"{row['id']}: a null model where it can be evidence", bool(row["null_model"]) == judged, row)
        expect(f"{row['id']}: evidence only beyond the null model",
               (row["null_verdict"] == "agrees") == (row["class"] == "follows"), row)
    expect("T2's classes", [row["class"] for row in rows if row["id"] == "T2"] == ["calibrated", "not modelled"])
    expect("runs counted", record["runs"] == record["planned"] == planned and len(record["commits"]) == 1)

    for one in record["specimens"]:
        own = [stress_at(run.path, 7200.0) for run in runs
               if run.series == "onchip" and run.values["stiffness_GPa"] == one["stiffness_GPa"]]
        expect("stress at 2 h", abs(np.mean(own) - one["stress_GPa"][0]) < 1e-6, f"{np.mean(own)}, {one}")
    for i, level in enumerate(record["nbed"]):
        last = max(plan.COUNTED) if level["strain"] == 0 else level["strain"]
        own = np.mean([bragg(run.path, int(i > 0)) for run in runs if run.sweep == f"counted-{100 * last:g}"])
        expect(f"patterns at {level['strain']}", abs(own - level["fraction"]) < 1e-9, f"{own}, {level}")

    with open(page, encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(folder, "experiment.md"), encoding="utf-8") as file:
        lines = [line for line in file if line.startswith("|")]
    expect("the table as Markdown", [line.split()[1] for line in lines[2:]] == ROWS)
    expect("all lines of the table have its columns", {line.count(" | ") for line in lines if "---" not in line} == {7})
    pictures = glob.glob(os.path.join(folder, "*.png"))
    expect("figures within the page", text.count("data:image/png;base64,") == len(pictures) >= 5, pictures)
    expect("the page has every row", all(f"<b>{id}</b>" in text for id in ROWS))

    before = hashes(run.path for run in runs)
    expect("nothing is run twice", carry_out() == runs and hashes(run.path for run in runs) == before)

finish()
