# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps against results that are made up: every number of the Dataset is known."""
import json
import shutil
import warnings

import h5py
import numpy as np
import pytest
import synthetic
import xarray as xr

import stzpost
from stzpost import StzPostError, units
from stzpost.analysis import tension
from stzpost.cli import main as cli
from stzpost.io import sweep
from stzpost.plots import sweeps as sweep_figures

RATES, TEMPERATURES = [1e-6, 1e-4, 1e-2], [250.0, 300.0]
RATE0, BOLTZMANN = 1e9, 8.617333262e-5


def flow(rate, temperature):
    """A law with a known rate0 and slope: 5 GPa - 3 GPa/eV kT ln(rate0/rate)."""
    return 5 - 3 * BOLTZMANN * temperature * np.log(RATE0 / rate)


def history(path, rate, temperature, rows):
    strain = np.linspace(0, 0.12, rows)
    columns = {
        "strain_axial": (strain, "1"),
        "stress_axial_GPa": (np.minimum(72 * strain, flow(rate, temperature)), "GPa"),
        "temperature_K": (np.full(rows, temperature), "K"),
        "localisation": (np.linspace(1, 2, rows), "1"),
        "segment": (np.zeros(rows), "1"),
        "strain": (np.outer(strain, [1, -0.4, -0.4, 0, 0, 0]), "1"),
    }
    with h5py.File(path, "w") as file:
        for name, (values, unit) in columns.items():
            dataset = file.create_dataset(f"history/{name}", data=values)
            dataset.attrs["units"] = unit
            dataset.attrs["description"] = name


@pytest.fixture
def directory(tmp_path):
    """Two temperatures, three rates, two replicas; run 3 failed, run 5 was killed, run 7 begun twice; a torn line."""
    top = tmp_path / "study"
    (top / "runs").mkdir(parents=True)
    header = {
        "format": "stzkmc-sweep", "format_version": 1, "program_version": "0", "git": "x", "utc": "now", "seed": 1,
        "design": "grid", "points": 6, "replicas": 2, "command_line": "by hand", "identity": synthetic.PULLED,
        "dimensions": [{"name": "temperature_K", "size": 2}, {"name": "rate_per_s", "size": 3}],
        "axes": [
            {"name": "temperature_K", "key": "protocol[0].temperature_K", "unit": "K", "dimension": 0, "description": "T"},
            {"name": "rate_per_s", "key": "protocol[0].rate_per_s", "unit": "1/s", "dimension": 1, "description": "rate"},
        ],
    }
    lines, later = [json.dumps(header)], []
    for run in range(12):
        i, j, replica = run // 6, run // 2 % 3, run % 2
        file = f"runs/{run:06}.h5"
        lines.append(json.dumps({
            "run": run, "state": "waiting", "attempts": 0, "wall_s": 0, "file": file, "point": run // 2, "replica": replica,
            "seed": 2**53 - run, "index": [i, j],
            "parameters": {"temperature_K": TEMPERATURES[i], "rate_per_s": RATES[j]}}))
        later.append(json.dumps({"run": run, "state": "running", "attempts": 1}))
        if run == 3:
            later.append(json.dumps({"run": run, "state": "failed", "attempts": 1, "wall_s": 1, "message": "no disk"}))
        elif run != 5:
            history(top / file, RATES[j], TEMPERATURES[i], 100 + run)
            later.append(json.dumps({"run": run, "state": "done", "attempts": 1 + (run == 7), "wall_s": 2.5, "rows": 100 + run,
                                     "state_hash": f"{run:016x}", "strain_axial": 0.12, "peak_stress_GPa": 4.0}))
    later.insert(4, '{"run":5,"state":"done","att')
    (top / "manifest.jsonl").write_text("\n".join(lines + later) + "\n")
    return top


def test_axes_states_and_numbers(directory):
    found = stzpost.open_sweep(directory)
    assert found["state"].dims == ("temperature_K", "rate_per_s", "replica")
    assert found["temperature_K"].values.tolist() == TEMPERATURES and found["temperature_K"].attrs["units"] == "K"
    assert found["rate_per_s"].values.tolist() == RATES and found["rate_per_s"].attrs["key"] == "protocol[0].rate_per_s"
    assert found["run"].values.ravel().tolist() == list(range(12))
    assert found["seed"].sel(temperature_K=300, rate_per_s=1e-6, replica=0) == 2**53 - 6
    assert found["state"].values.ravel().tolist() == ["done"] * 3 + ["failed", "done", "running"] + ["done"] * 6
    assert found["message"].values.ravel()[3] == "no disk" and found["attempts"].values.ravel()[7] == 2
    assert found["final_strain_axial"].attrs["units"] == "1" and np.isnan(found["final_strain_axial"].values.ravel()[5])


def test_histories_are_read_when_used(directory, opened):
    found = stzpost.open_sweep(directory)
    opened.clear()
    part = found["stress_axial_GPa"].sel(temperature_K=300, rate_per_s=1e-4).isel(replica=1)
    assert opened == []
    values = part.values
    assert opened == ["000009.h5"]
    assert values.shape == (111,) and np.isnan(values[109:]).all() and values[108] == pytest.approx(flow(1e-4, 300))
    assert found["strain"].isel(temperature_K=0, rate_per_s=2, replica=0, row=-1 - 7, component=1).values == pytest.approx(-0.048)
    assert found["temperature_K_history"].dims[-1] == "row"  # the axis has the name


@pytest.fixture
def opened(monkeypatch):
    """The files that are opened from now on, but for those that another process looks at."""
    names, true_file = [], h5py.File

    def opening(file, *rest, **named):
        names.append(file.name[-9:])
        return true_file(file, *rest, **named)

    monkeypatch.setattr(h5py, "File", opening)
    return names


def test_each_result_is_opened_once(directory, opened):
    """Of ten thousand runs it would take a minute otherwise. What a run will be asked for is known from the one before."""
    found = stzpost.open_sweep(directory)
    before = stzpost.flow_properties(found.copy(deep=True).load())
    opened.clear()
    xr.testing.assert_equal(stzpost.flow_properties(found), before)
    assert sorted(set(opened[4:])) == opened[4:] == [f"{run:06}.h5" for run in (1, 2, 4, 6, 7, 8, 9, 10, 11)]
    assert opened[:4] == ["000000.h5"] * 4
    opened.clear()
    assert found["localisation"].values.shape == (2, 3, 2, 111) and len(opened) == 10


def test_a_column_that_one_result_lacks(directory):
    with h5py.File(directory / "runs" / "000002.h5", "r+") as file:
        del file["history/localisation"]
        file["history/stress_axial_GPa"][...] *= 2
    found = stzpost.open_sweep(directory)
    for cell in np.ndindex(2, 3, 2):  # as whoever goes from run to run
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            stress, place = (found[name].variable[cell].values for name in ("stress_axial_GPa", "localisation"))
        lacking = cell == (0, 1, 0)
        assert len(said) == lacking and np.isnan(place).all() == (lacking or cell in [(0, 1, 1), (0, 2, 1)])
        if lacking:
            assert np.nanmax(stress) == pytest.approx(2 * flow(RATES[1], TEMPERATURES[0]))
            assert "000002.h5" in str(said[0].message)


def test_flow_properties(directory):
    found = stzpost.flow_properties(stzpost.open_sweep(directory))
    expected = flow(np.array(RATES)[None, :, None], np.array(TEMPERATURES)[:, None, None]) * np.ones((2, 3, 2))
    missing = np.isnan(found["flow_stress_GPa"].values)
    assert np.flatnonzero(missing.ravel()).tolist() == [3, 5]
    assert found["flow_stress_GPa"].values[~missing] == pytest.approx(expected[~missing])
    assert found["overshoot"].values[~missing] == pytest.approx(1) and found["flow_stress_GPa"].attrs["units"] == "GPa"
    mean, error = sweep.over_replicas(found["flow_stress_GPa"])
    assert mean.values == pytest.approx(expected[..., 0]) and np.isnan(error.values[0, 1:]).all() and error.values[1, 0] < 1e-12


@pytest.fixture
def mixed(tmp_path):
    """Two protocols: tension to 6 %, then creep at 3 GPa to 20 %; creep alone to 20 %, then to 21 %."""
    top = tmp_path / "mixed"
    (top / "runs").mkdir(parents=True)
    creep = {"type": "creep", "time_s": np.linspace(2e5, 3e5, 50), "strain": np.linspace(0.06, 0.2, 50),
             "stress": np.full(50, 3.0), "rate": np.full(50, 1e-6)}
    more = creep | {"time_s": np.linspace(4e5, 5e5, 50), "strain": np.linspace(0.2, 0.21, 50)}
    synthetic.write(top / "runs/000000.h5", [synthetic.tension(end=0.06), creep])
    synthetic.write(top / "runs/000001.h5", [creep, more])
    words = ["strain-rate", "creep"]
    segment = '  {{ # segment {0}\n    type = "{1}"; # input\n  }}'
    settings = ",\n".join(segment.format(*one) for one in enumerate(words))
    header = {"format": "stzkmc-sweep", "format_version": 1, "program_version": "0", "git": "x", "utc": "now", "seed": 1,
              "design": "grid", "points": 2, "replicas": 1, "command_line": "", "identity": f"protocol: (\n{settings}\n);\n",
              "dimensions": [{"name": "first", "size": 2}],
              "axes": [{"name": "first", "key": "protocol[0].type", "unit": "", "dimension": 0, "description": "type"}]}
    lines = [header]
    for run, word in enumerate(words):
        lines.append({"run": run, "state": "done", "attempts": 1, "wall_s": 1, "file": f"runs/{run:06}.h5", "point": run,
                      "replica": 0, "seed": 1, "index": [run], "parameters": {"first": word}, "rows": 300})
    (top / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    return top


def test_yield_is_that_of_tension_whatever_else_strains_more(mixed, tmp_path):
    """As `stz-post stress-strain` says, of the directory and of one file of it; nothing where there is no tension."""
    expected = tension.analyse(stzpost.open_result(mixed / "runs/000000.h5"))
    assert cli.main(["collect", str(mixed), "-o", str(tmp_path / "one.h5")]) == 0
    for path in (mixed, tmp_path / "one.h5"):
        with pytest.warns(UserWarning) as said:
            found = stzpost.flow_properties(stzpost.open_sweep(path))
        assert found["yield_stress_GPa"].values.ravel() == pytest.approx([expected.peak[1], np.nan], nan_ok=True)
        assert found["yield_strain"].values.ravel() == pytest.approx([expected.peak[0], np.nan], nan_ok=True)
        assert found["localisation"].values.ravel() == pytest.approx([expected.localisation[-1], np.nan], nan_ok=True)
        assert np.isnan(found["flow_stress_GPa"]).all()
        assert "1 of 2 runs have no segment of type strain-rate" in str(said[0].message)
        assert "1 of 2 runs have none" in str(said[1].message) and "at most 6 %" in str(said[1].message)


def test_a_file_that_does_not_say_the_types_of_segments(mixed, tmp_path):
    assert cli.main(["collect", str(mixed), "-o", str(tmp_path / "one.h5")]) == 0
    with h5py.File(tmp_path / "one.h5", "r+") as file:
        del file.attrs["segment_types"]
    with pytest.warns(UserWarning, match="make it again"):
        assert np.isnan(stzpost.flow_properties(stzpost.open_sweep(tmp_path / "one.h5"))["yield_stress_GPa"]).all()


def test_collect_looks_at_a_result_before_libhdf5_does(directory, tmp_path, opened, capsys):
    """A result whose content does not fit its checksum is left out, and is not opened: it might end the program."""
    with open(directory / "runs" / "000004.h5", "ab") as file:
        file.write(b"stzkmc-checksum 0123456789abcdef\n")
    assert cli.main(["collect", str(directory), "-o", str(tmp_path / "one.h5")]) == 0
    assert "000004.h5: damaged" in capsys.readouterr().out and "000004.h5" not in opened and opened.count("000006.h5") == 1
    stress = stzpost.open_sweep(tmp_path / "one.h5")["stress_axial_GPa"].values.reshape(12, -1)
    assert np.flatnonzero(np.isnan(stress).all(axis=1)).tolist() == [3, 4, 5]


# Of all runs at once, of one temperature's, of the replicas', of single runs; packed singly, by pairs and all together.
@pytest.mark.parametrize("block, chunk", [(1 << 26, 1 << 16), (40_000, 1), (20_000, 1700), (1, 1 << 16)])
def test_collect_is_the_same(block, chunk, directory, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sweep, "BLOCK_BYTES", block)
    monkeypatch.setattr(sweep, "CHUNK_BYTES", chunk)
    assert cli.main(["collect", str(directory), "-o", str(tmp_path / "one.h5")]) == 0
    assert capsys.readouterr().out == f"10 runs in {tmp_path}/one.h5\n"
    before, after = stzpost.open_sweep(directory).load(), stzpost.open_sweep(tmp_path / "one.h5")
    shutil.rmtree(directory)
    xr.testing.assert_equal(before, after.load())
    assert after["temperature_K"].attrs == before["temperature_K"].attrs


@pytest.mark.parametrize("block", [1 << 26, 1])
def test_a_damaged_result_is_named_and_the_rest_goes_on(block, directory, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sweep, "BLOCK_BYTES", block)
    (directory / "runs/000002.h5").write_bytes(b"\x89HDF\r\n\x1a\nno more")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        stress = stzpost.open_sweep(directory)["stress_axial_GPa"].values
    assert np.isnan(stress[0, 1, 0]).all() and np.isfinite(stress[0, 0, 0, :100]).all()
    assert "000002.h5" in str(said[0].message)
    assert cli.main(["collect", str(directory), "-o", str(tmp_path / "one.h5")]) == 0
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 2 and "000002.h5: not a readable HDF5 file" in out[0] and out[1].startswith("9 runs in")


def test_master_curve_finds_rate0(directory):
    found = sweep_figures.master(stzpost.open_sweep(directory))
    assert np.log10(found.rate0_per_s) == pytest.approx(9, abs=0.05) and found.rms_GPa < 5e-3
    assert found.volume_nm3 == pytest.approx(1 / (3 * 6.2415091), rel=0.02)


@pytest.mark.parametrize("arguments", [
    ["heatmap"], ["heatmap", "--value", "wall_s", "--x", "temperature_K", "--y", "rate_per_s"],
    ["lines", "--x", "rate_per_s", "--by", "temperature_K"], ["curves", "--by", "temperature_K"], ["master"]])
def test_figures(arguments, directory, tmp_path):
    figure = tmp_path / "a.png"
    assert cli.main([arguments[0], str(directory), "-o", str(figure), *arguments[1:]]) == 0
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_curves_of_one_result(mixed, tmp_path):
    """As creep, a line for each segment."""
    path = mixed / "runs/000001.h5"
    figure = sweep_figures.curve(stzpost.open_result(path), "time_s", "plastic_strain_axial")
    lines = figure.axes[0].get_lines()
    assert [one.get_label() for one in lines] == ["1: creep", "2: creep"]
    assert lines[1].get_xdata() == pytest.approx(np.linspace(4e5, 5e5, 50))
    assert lines[1].get_ydata() == pytest.approx(np.linspace(0.2, 0.21, 50) - 3.0 / synthetic.YOUNG)
    words = ["curves", str(path), "--x", "time_s", "--y", "plastic_strain_axial", "-o", str(tmp_path / "a.png")]
    assert cli.main(words) == 0 and (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("arguments, message", [
    (["curves", "{dir}/runs/000000.h5", "-o", "a.png", "--by", "rate_per_s"], "000000.h5: not a collected sweep"),
    (["curves", "{dir}", "-o", "a.png"], "--by: missing, needs an axis of the sweep: temperature_K, rate_per_s"),
    (["heatmap", "{dir}", "-o", "a.png", "--value", "beauty"], "--value: got beauty, needs one of"),
    (["heatmap", "{dir}", "-o", "a.png", "--x", "row"], "--x: got row, needs an axis of the sweep: temperature_K, rate_per_s"),
    (["lines", "{dir}", "-o", "a.png", "--x", "rate_per_s", "--by", "rate_per_s"], "goes along with"),
    (["curves", "{dir}", "-o", "a.png", "--by", "rate_per_s", "--y", "strain"], "--y: got strain, needs a column"),
    (["heatmap", "{dir}", "-o", "a.gif"], "needs a name that ends in"),
    (["collect", "{dir}/runs"], "runs: no sweep in it"),
    (["heatmap", "none", "-o", "a.png"], "none: no such directory or file"),
])
def test_refused(arguments, message, directory, capsys):
    assert cli.main([word.format(dir=directory) for word in arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("stz-post: ") and message in said and said.count("\n") == 1


@pytest.mark.parametrize("arguments", [["heatmap", "--x", "first", "--y", "replica"], ["lines", "--x", "first", "--by", "replica"],
                                       ["master", "--rate", "first"]])
def test_axes_are_looked_at_before_values(arguments, mixed, tmp_path, capsys):
    """What runs lack is no part of an error about an axis, nor of a number that they have."""
    words = [arguments[0], str(mixed), *arguments[1:], "-o", str(tmp_path / "a.png")]
    assert cli.main(words) == 2
    said = capsys.readouterr().err
    assert said.endswith("needs an axis of the sweep: first\n") and "flow stress" not in said


def test_a_note_belongs_to_the_number_that_is_asked_for(mixed, tmp_path):
    for name, noted in {"yield_stress_GPa": False, "overshoot": True}.items():
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            sweep_figures.quantity(stzpost.open_sweep(mixed), name)
        assert any("flow stress: " in str(one.message) for one in said) == noted


def test_not_whole(directory):
    path = directory / "manifest.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:9]) + "\n")
    with pytest.raises(StzPostError, match="run 8 is missing"):
        stzpost.open_sweep(directory)
    path.write_text("{}\n")
    with pytest.raises(StzPostError, match="not the manifest of a sweep"):
        stzpost.open_sweep(directory)


def test_figures_for_papers_have_the_numbers_of_every_run(directory, tmp_path):
    stem = tmp_path / "map"
    assert cli.main(["figure", "heat-map", str(directory), "-o", str(stem)]) == 0
    rows = np.genfromtxt(f"{stem}.csv", delimiter=",", names=True)
    runs = stzpost.open_sweep(directory)
    assert len(rows) == runs["state"].size and {"rate_per_s", "temperature_K", "replica"} <= set(rows.dtype.names)
    values = stzpost.flow_properties(runs)["flow_stress_GPa"]
    for row in rows:
        at = (values["rate_per_s"] == row["rate_per_s"]) & (values["temperature_K"] == row["temperature_K"])
        expected = values.where(at, drop=True).sel(replica=int(row["replica"])).values.ravel()
        np.testing.assert_allclose(row["flow_stress_GPa"], expected[0], equal_nan=True)
    assert cli.main(["figure", "master-curve", str(directory), "-o", str(tmp_path / "master")]) == 0
    assert (tmp_path / "master.pdf").stat().st_size > 1000 and (tmp_path / "master.csv").exists()


@pytest.mark.parametrize(
    "value, told",
    [(1e-7, "10⁻⁷"), (-2.5e-6, "−2.5·10⁻⁶"), (-0.25, "−0.25"), (300.0, "300"), (0.0, "0"), (9.9996e-3, "10⁻²")],
)
def test_values_of_an_axis_are_told_as_a_reader_writes_them(value, told):
    assert units.number_text(value) == told
