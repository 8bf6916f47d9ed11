# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements of the user's against runs that are known to be right or wrong."""
import json

import h5py
import numpy as np
import pytest
import synthetic

from stzpost import StzPostError, open_result
from stzpost.cli import main as cli
from stzpost.studies import compare

DAY = 86400.0
TIMES = np.array([7200.0, 8 * DAY, 35 * DAY, 51 * DAY])


def runs(tmp_path, *slopes):
    paths = [synthetic.write(tmp_path / f"s{s}.h5", [synthetic.relaxation(s=s)]) for s in slopes]
    return [open_result(path) for path in paths]


def write(tmp_path, head, rows, name="measured.csv"):
    path = tmp_path / name
    path.write_text("# a comment\n\n" + head + "\n" + "\n".join(", ".join(f"{v:.9g}" for v in row) for row in rows))
    return path


def relaxation_file(tmp_path, s=0.1, error=0.02, shift=0.0):
    stress = 3.3 - s * np.log1p(TIMES / 84.0) + shift
    return write(tmp_path, "time_s, stress_GPa, error_GPa", [(t, y, error) for t, y in zip(TIMES, stress)])


def test_the_right_run_comes_first(tmp_path):
    found = compare.ranked(compare.read(relaxation_file(tmp_path)), runs(tmp_path, 0.12, 0.1, 0.08))
    assert found[0].result.name == "s0.1.h5" and found[0].chi2 < 0.01 and found[0].p > 0.99
    expected = (0.02 * np.log1p(TIMES / 84.0) / 0.02) ** 2  # the others are off by 0.02 ln(1 + t/t0)
    assert found[1].chi2 == pytest.approx(np.sum(expected), rel=1e-2) and found[1].p < 1e-6


def test_residuals_are_measured_less_simulated(tmp_path):
    found = compare.compare(compare.read(relaxation_file(tmp_path, shift=0.03)), runs(tmp_path, 0.1)[0])
    assert found.residuals == pytest.approx(np.full(4, 1.5), abs=0.02) and found.freedom == 4


def test_chi2_is_chi2_distributed(tmp_path):
    """Noise of the stated error: the mean chi2 of 200 is 4 within four standard errors."""
    run, rng = runs(tmp_path, 0.1)[0], np.random.default_rng(1)
    measured = compare.read(relaxation_file(tmp_path))
    stress = measured.columns["stress_GPa"].copy()
    values = []
    for _ in range(200):
        measured.columns["stress_GPa"] = stress + 0.02 * rng.standard_normal(4)
        values.append(compare.compare(measured, run).chi2)
    assert abs(np.mean(values) - 4) < 4 * np.sqrt(8 / 200)


def test_displacement_counts_only_its_changes(tmp_path):
    """Of a held specimen the displacement does not change, wherever its zero is."""
    rows = [(t, 7.7, 0.01, 25.0) for t in TIMES]
    path = write(tmp_path, "time_s, displacement_um, error_um, length_um", rows)
    found = compare.compare(compare.read(path), runs(tmp_path, 0.1)[0])
    assert found.chi2 == pytest.approx(0, abs=1e-9) and found.freedom == 3
    drift = [(t, 7.7 + 0.01 * i, 0.01, 25.0) for i, t in enumerate(TIMES)]
    found = compare.compare(
        compare.read(write(tmp_path, "time_s, displacement_um, error_um, length_um", drift)), runs(tmp_path, 0.1)[0]
    )
    assert found.residuals == pytest.approx([-1.5, -0.5, 0.5, 1.5])


def test_as_laboratories_write_them(tmp_path):
    """Hours, MPa, decimal commas, no order, no errors: the same columns as of the plain file."""
    plain = compare.read(relaxation_file(tmp_path))
    pairs = zip(plain.columns["time_s"], plain.columns["stress_GPa"])
    rows = [f"{t / 3600:.6f};{1e3 * y:.4f}".replace(".", ",") for t, y in pairs]
    path = tmp_path / "lab.txt"
    path.write_bytes("\r\n".join(["Zeit [h];Spannung [MPa]", *rows[::-1]]).encode("utf-8-sig"))
    found = compare.read(path, error=0.02)
    for name in ("time_s", "stress_GPa", "error_GPa"):
        assert found.columns[name] == pytest.approx(plain.columns[name], rel=1e-6)


def test_volumes_with_their_factor(tmp_path):
    s = 0.1
    volume = 1.380649e-23 * 295.0 / (s * 1e9) * 1e30
    path = write(tmp_path, "volume_A3, error_A3, factor", [(3.06 * volume, 5, 3.06), (volume + 5, 5, 1)])
    found = compare.compare(compare.read(path), runs(tmp_path, s)[0])
    assert found.residuals == pytest.approx([0, 1], abs=0.02)


def level_file(tmp_path, expected):
    rng = np.random.default_rng(3)
    levels = []
    for strain, fraction in zip((0.01, 0.05, 0.08, 0.12), expected):
        bragg, mask = synthetic.patterns(fraction, rng)
        levels.append(dict(strain=strain, bragg=bragg, mask=mask, expected=fraction))
    path = synthetic.write(tmp_path / f"levels{expected[-1]}.h5", levels=levels)
    with h5py.File(path, "a") as file:
        del file["config/resolved"]
        file["config"]["resolved"] = "order: {\n  cluster_radius_nm = 0.5;\n};"
    return open_result(path)


def test_counts_of_scans(tmp_path):
    fits, off = level_file(tmp_path, (0.6, 0.6, 0.4, 0.2)), level_file(tmp_path, (0.6, 0.6, 0.6, 0.6))
    rows = [(0.01, 60), (0.05, 58), (0.08, 42), (0.12, 18), (0.12, 24)]
    found = compare.ranked(compare.read(write(tmp_path, "strain, bragg", rows)), [off, fits])
    assert found[0].result is fits and found[0].p > 0.5 and found[1].p < 1e-3
    assert found[0].residuals[0] == 0 and abs(found[0].residuals[1]) < 0.2  # 2 of 100 is little: scans scatter by 12


@pytest.mark.parametrize(
    "head, rows, message",
    [
        ("time_s, weight_g", [(1, 2)], "columns time"),
        ("time_s, stress_MPa", [(1, 2000)], "too few rows to see their scatter: --error"),
        ("time_s, stress_GPa, error_GPa", [(1, 2, 0)], "error: got 0, needs a positive number"),
        ("time_s, displacement_um, error_um", [(1, 2, 1)], "needs the specimen's length: --length"),
        ("strain, bragg, patterns", [(0.01, 50, 64)], "scans of 100"),
        ("strain, bragg", [(0.3, 50)], "no NBED level near 30 %"),
        ("time_s, stress_GPa, error_GPa", [(1e9, 2, 1)], "does not cover"),
    ],
)
def test_bad_measurements_are_named(tmp_path, head, rows, message):
    result = level_file(tmp_path, (0.6, 0.6, 0.4, 0.2)) if head.startswith("strain") else runs(tmp_path, 0.1)[0]
    with pytest.raises(StzPostError, match=message):
        compare.compare(compare.read(write(tmp_path, head, rows)), result)


def test_the_command(tmp_path, capsys):
    paths = [one.path for one in runs(tmp_path, 0.12, 0.1)]
    figure = tmp_path / "figure.png"
    measured = str(relaxation_file(tmp_path))
    assert cli.main(["compare", "--measured", measured, *paths, "-o", str(figure)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith(paths[1]) and lines[-1].startswith(paths[0]) and figure.stat().st_size > 1000
    assert "  error: error_GPa, 0.02 to 0.02 GPa" in lines  # what was understood
    assert cli.main(["compare", "--measured", measured, *paths, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [run["file"] for run in record["runs"]] == paths[::-1] and record["kind"] == "relaxation"
    assert cli.main(["compare", "--measured", "missing.csv", *paths]) == 2
