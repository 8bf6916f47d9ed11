# SPDX-License-Identifier: GPL-3.0-or-later
"""Points of sweeps, layers and phases, against brute force, closed laws and SciPy's tests."""
import json
import shutil

import h5py
import numpy as np
import pytest
import xarray as xr
from matplotlib.transforms import Bbox
from scipy import stats
from scipy.spatial import cKDTree

import synthetic
from stzpost import StzPostError, open_result, open_sweep
from stzpost.analysis import depth, numbers, points
from stzpost.cli import main as cli
from stzpost.plots import films as draw

LOSS, REACH = 0.6, (0.75 * synthetic.VOLUME / np.pi) ** (1 / 3) / synthetic.SPACING


def brute_force(counts, folded):
    """Mean of (1 - LOSS)^n of each voxel over the same points, n by a search for neighbours among all images."""
    sites = np.repeat(np.argwhere(counts), counts[counts > 0], axis=0) + 0.5
    shape = np.array(counts.shape)
    images = [sites + shift * shape for shift in np.argwhere(np.ones((3, 3, 1 if folded else 3))) - [1, 1, 0 if folded else 1]]
    if folded:
        images += [np.column_stack([one[:, :2], place - one[:, 2]]) for one in list(images) for place in (0, 2 * shape[2])]
    tree = cKDTree(np.concatenate(images))
    fine = (np.indices(shape * depth.POINTS).reshape(3, -1).T + 0.5) / depth.POINTS
    n = tree.query_ball_point(fine, REACH, return_length=True).reshape(shape * depth.POINTS)
    kept = (1 - LOSS) ** n
    for axis in range(3):
        kept = kept.reshape(*kept.shape[:axis], shape[axis], depth.POINTS, *kept.shape[axis + 1:]).mean(axis=axis + 1)
    return kept


@pytest.mark.parametrize("folded", [False, True])
def test_remaining_order(folded):
    counts = np.random.default_rng(1).poisson(0.15, (8, 10, 6))
    assert depth.remaining(counts, REACH, LOSS, folded) == pytest.approx(brute_force(counts, folded), rel=1e-6)


def test_remaining_order_of_random_events():
    """Events at random places, n a sphere on average: a cluster keeps its order with exp(-LOSS n). 32^3 voxels: the mean
    scatters by less than 0.3 %; the points of a sphere miss its volume by 2 %."""
    counts = np.random.default_rng(2).poisson(0.1, (32, 32, 32))
    expected = np.exp(-LOSS * 0.1 * 4 / 3 * np.pi * REACH**3)
    assert depth.remaining(counts, REACH, LOSS).mean() == pytest.approx(expected, rel=0.02)


def film(path, sites, strain=None, cells=(16, 16, 16), rich=None, boundary="film"):
    """A result with events at these sites, the i-th at the strain given."""
    segment = synthetic.tension()
    strain = np.full(len(sites), 0.01) if strain is None else strain
    tables = {"events/site": np.asarray(sites, np.int16), "events/time_s": strain / 1e-6, "events/strain": strain}
    levels = []
    if rich is not None:
        mask = np.zeros((1, 10, 10), np.uint8)
        mask[:, :, :5] = 1
        mask = np.repeat(mask, 2, axis=0)
        levels = [{"strain": 0.12, "bragg": mask, "mask": mask, "expected": 0.4}]
    fields = {"composition": np.where(rich, 0.5, 0.2)} if rich is not None else None
    synthetic.write(path, [segment], levels=levels, tables=tables, fields=fields)
    with h5py.File(path, "a") as file:
        file["config"].attrs["cells"] = np.array(cells)
        text = file["config/resolved"][()].decode().replace("0.5; # nm, model\n", f"0.5;\n  loss = {LOSS};\n")
        del file["config/resolved"]
        file["config"]["resolved"] = text + f'lattice: {{\n  boundary = "{boundary}";\n}};\n'
    return open_result(path)


def test_layers_by_depth(tmp_path):
    """Twice the flow in the two layers below each surface; events late in the run count as activity, not as lost order."""
    places = [(x, y, z) for x in range(16) for y in range(16) for z in range(16) for _ in range(2 if z in (0, 1, 14, 15) else 1)]
    found = depth.layers(film(tmp_path / "a.h5", places))
    middle, activity, _, share = found.by_depth()
    assert middle == pytest.approx(0.58 * (np.arange(8) + 0.5)) and share == pytest.approx(1 / 8)
    assert activity == pytest.approx(np.array([2, 2, 1, 1, 1, 1, 1, 1]) / 1.25)
    assert np.argmin(found.order) in (0, 15) and found.order == pytest.approx(found.order[::-1])

    late = np.where(np.array(places)[:, 2] < 8, 0.01, 0.124)
    found = depth.layers(film(tmp_path / "b.h5", places, late), until_strain=0.12)
    assert found.activity == pytest.approx(found.activity[::-1]) and found.order[10:] == pytest.approx(1)
    assert found.order[:6].max() < 0.6


def test_layers_of_a_thick_film():
    """Beyond FINE voxels all is one: no event is lost, and the middle is that of the rest."""
    one = depth.Layers(0.5, np.ones(100), np.linspace(0, 1, 100))
    middle, activity, order, share = one.by_depth()
    assert len(middle) == depth.FINE + 1 and share.sum() == pytest.approx(1) and activity == pytest.approx(1)
    assert middle[-1] == pytest.approx(0.5 * (depth.FINE + 50) / 2) and order == pytest.approx(0.5)


def test_phases(tmp_path):
    """Layers of 8 voxels: all slip in the soft ones, three times as much beside the interfaces; a film has no interface
    where a periodic box has one."""
    rich = np.zeros((16, 16, 16), bool)
    rich[:, :, :8] = True
    places = [(x, y, z) for x in range(16) for y in range(16) for z in range(8, 16) for _ in range(3 if z == 8 else 1)]
    found = depth.phases(film(tmp_path / "a.h5", places, rich=rich), 0.12)
    assert found["rich"].activity == 0 and found["poor"].activity == pytest.approx(2)
    assert found["interface"].activity == pytest.approx((3 / 2) / (10 / 16))  # layers 7 and 8
    periodic = depth.phases(film(tmp_path / "b.h5", places, rich=rich, boundary="periodic"), 0.12)
    assert periodic["interface"].activity == pytest.approx((4 / 4) / (10 / 16))  # and 0 and 15
    assert found["rich"].order > found["poor"].order and found["poor"].bragg == pytest.approx(0.4)
    with pytest.raises(StzPostError, match="one phase alone"):
        depth.phases(film(tmp_path / "c.h5", places, rich=np.zeros((16, 16, 16), bool)), 0.12)


def test_numbers_of_a_damaged_result(tmp_path):
    """What a run has no data for has no number; what cannot be read of it is told."""
    path = tmp_path / "a.h5"
    film(path, [[0, 0, 0]])
    sweep = xr.Dataset({"state": ("run", ["done"]), "file": ("run", ["a.h5"])}, attrs={"source": str(tmp_path)})
    found = numbers.numbers(sweep)
    assert np.isfinite(found["yield_stress_GPa"].values) and np.isfinite(found["activity_surface"].values)
    assert np.isnan(found["activation_volume_A3"].values) and np.isnan(found["activity_rich"].values)
    with h5py.File(path, "a") as file:
        del file["events/site"]
        site = file["events"].create_dataset("site", data=np.zeros((1, 3), np.int16), chunks=(1, 3), fletcher32=True)
        place = site.id.get_chunk_info(0).byte_offset
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(b"\1")
    with pytest.raises(StzPostError, match="a.h5"):
        numbers.numbers(sweep)


def test_intervals():
    """Against SciPy's own, and as a promise: of 4000 samples of five normal numbers 95 % of the intervals hold the truth
    (standard error 0.34 %; false alarm at four of them 6e-5)."""
    a, b = np.random.default_rng(3).normal(size=(2, 9))
    assert points.mean(a).half == pytest.approx(np.ptp(stats.ttest_1samp(a, 0).confidence_interval()) / 2)
    one, other = (points.Point({}, {"x": values}, tuple(range(9))) for values in (a, b))
    paired = stats.ttest_rel(a, b).confidence_interval()
    found = points.difference(one, other, "x")
    assert (found.value - found.half, found.value + found.half) == pytest.approx((paired.low, paired.high))
    samples = [points.mean(values) for values in np.random.default_rng(4).normal(size=(4000, 5))]
    assert np.mean([abs(one.value) < one.half for one in samples]) == pytest.approx(0.95, abs=4 * 0.0034)
    assert points.mean([1.0, np.nan]).value == 1 and np.isnan(points.mean([1.0]).half) and points.mean([]).count == 0


def planted(strength):
    """Points of cases that differ in strength by their `shift`; V has a slope with strength and one with the case."""
    rng, found = np.random.default_rng(5), []
    for case, shift in ((0, 0.0), (1, -0.5)):
        for barrier in (2.3, 2.4, 2.5):
            flow = strength(barrier, shift) + 0.01 * rng.normal(size=6)
            numbers = {"flow": flow, "V": 40 + 3 * case - 4 * (flow - 3.25) + 0.2 * rng.normal(size=6)}
            found.append(points.Point({"case": case, "barrier": barrier + 0.1515 * case}, numbers, (1, 2, 3, 4, 5, 6)))
    return found


def test_equal_strength():
    """At one strength the case makes 3 of V and the strength nothing, though the points' own strengths differ."""
    found = points.at_equal(planted(lambda barrier, shift: 3.3 * barrier - 4.67 + 0.2 * shift), "flow", 3.25, "barrier")
    assert [one.parameters for one in found] == [{"case": 0}, {"case": 1}]
    assert [points.mean(one.replicas["flow"]).value for one in found] == pytest.approx([3.25, 3.25])
    assert points.mean(found[0].replicas["barrier"]).value == pytest.approx(2.4, abs=0.01)
    assert points.table(found, ["flow"], points.references(found)).splitlines()[1].split() == ["0", "3.25"]
    difference = points.difference(found[1], found[0], "V")
    assert abs(difference.value - 3) < difference.half < 0.5 and difference.count == 6


def test_equal_strength_is_not_extrapolated():
    far = planted(lambda barrier, shift: 3.3 * barrier - 4.67 + 2 * shift)
    with pytest.raises(StzPostError, match=r"--at: flow = 3.25 lies outside of the points with case = 1: .*; widen barrier"):
        points.at_equal(far, "flow", 3.25, "barrier")
    seeds = planted(lambda barrier, shift: 3.3 * barrier - 4.67)
    seeds[1].seeds = (7, 8, 9, 10, 11, 12)
    with pytest.raises(StzPostError, match="the same seeds"):
        points.at_equal(seeds, "flow", 3.25, "barrier")


def test_table_and_records():
    own = planted(lambda barrier, shift: 3.3 * barrier - 4.67 + 0.2 * shift)
    text = points.table(own, ["flow"], points.references(own)).splitlines()
    assert text[0].split() == ["case", "barrier", "flow"] and len(text) == 7 + 2 + 6 + 2 and "seed by seed" in text[8]
    assert "6 replicas" in text[-1]
    kept = json.loads(json.dumps(points.records(own, ["flow", "V"], points.references(own))))
    assert kept[1]["parameters"] == {"case": 0, "barrier": 2.4} and kept[0]["less"] == {}
    assert kept[1]["less"]["flow"]["value"] == pytest.approx(0.33, abs=0.02)
    wide = points.table(own[:1], ["flow", "V"], own[:1]).splitlines()
    assert [line.split()[0] for line in wide[:4]] == ["case", "barrier", "flow", "V"]


def test_one_run_per_point_has_no_intervals():
    found = [points.Point({"case": i}, {"x": np.array([float(i)])}, (1,)) for i in range(2)]
    text = points.table(found, ["x"], points.references(found)).splitlines()
    assert text[-1] == "one run per point: no intervals" and text[-3].split() == ["1", "1.00"]


def test_against():
    """Each case at a barrier is compared with the first case at the same barrier, shifted names and all."""
    own = planted(lambda barrier, shift: 3.3 * barrier - 4.67 + 0.2 * shift)
    for one in own:
        one.parameters["barrier"] = round(one.parameters["barrier"] - 0.1515 * one.parameters["case"], 2)
    other = points.references(own, "case", 0.0)
    assert [one.parameters for one in other] == 2 * [{"case": 0, "barrier": x} for x in (2.3, 2.4, 2.5)]
    text = points.table(own, ["flow"], other, "the same with case = 0").splitlines()
    assert text[8] == "less the same with case = 0, seed by seed:"
    assert [line.split()[:2] for line in text[10:13]] == [["1", "2.3"], ["1", "2.4"], ["1", "2.5"]]
    with pytest.raises(StzPostError, match="--against: no point has case = 2 and barrier = 2.3"):
        points.references(own, "case", 2.0)


def a_sweep(top):
    """Films of two thicknesses, two replicas: a flow stress of 3 GPa + 10 MPa a voxel, and 20 MPa between replicas."""
    (top / "runs").mkdir(parents=True)
    axis = {"name": "cells", "key": "lattice.cells", "unit": "1", "dimension": 0, "description": "voxels"}
    lines = [{"format": "stzkmc-sweep", "format_version": 1, "program_version": "0", "git": "x", "utc": "now", "seed": 1,
              "design": "grid", "points": 2, "replicas": 2, "command_line": "", "identity": synthetic.PULLED,
              "dimensions": [{"name": "cells", "size": 2}], "axes": [axis]}]
    for run in range(4):
        cells, file = [16, 16, 8 if run < 2 else 16], f"runs/{run:06}.h5"
        places = np.random.default_rng(run).integers(0, cells, (400, 3))
        film(top / file, places, cells=cells)
        with h5py.File(top / file, "a") as result:
            stress = result["history/stress_axial_GPa"]
            stress[...] = np.minimum(72 * result["history/strain_axial"][...], 3 + 0.01 * cells[2] + 0.02 * (run % 2))
        lines.append({"run": run, "state": "done", "attempts": 1, "wall_s": 1, "file": file, "point": run // 2,
                      "replica": run % 2, "seed": run % 2, "index": [run // 2], "parameters": {"cells": cells}, "rows": 251,
                      "peak_stress_GPa": 3.0, "state_hash": "0"})
    (top / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    return str(top)


def test_commands(tmp_path, capsys):
    top, figure = a_sweep(tmp_path / "study"), tmp_path / "films.png"
    assert cli.main(["films", top, "-o", str(figure), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["points"]
    assert first["numbers"]["flow_stress_GPa"]["value"] == pytest.approx(3.09) and figure.read_bytes()[:4] == b"\x89PNG"
    assert first["numbers"]["flow_stress_GPa"]["half"] == pytest.approx(stats.t.ppf(0.975, 1) * 0.01)
    assert second["less"]["flow_stress_GPa"]["value"] == pytest.approx(0.08)
    assert "activation_volume_A3" not in first["numbers"] and first["numbers"]["activity_surface"]["count"] == 2
    assert cli.main(["table", top, "--value", "flow_stress_GPa"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["cells", "flow_stress_GPa"] and out[1].split()[-3:] == ["3.09", "±", "0.13"]


def test_films_shows_what_there_is_and_all_of_it(tmp_path):
    """Of a sweep without diffraction and relaxation, by another axis: no empty panel, every bar within its frame and clear of
    the legend; without events no panels against depth."""
    dataset = open_sweep(a_sweep(tmp_path / "study"))
    found = numbers.numbers(dataset)
    axis = xr.DataArray([0.0, -0.15], dims="surface", attrs={"key": "barriers.surface_eV", "units": "eV"})
    both = [one.expand_dims(surface=2).assign_coords(surface=axis) for one in (dataset, found)]
    both[1]["flow_stress_GPa"] = both[1]["flow_stress_GPa"] + 10 * axis * (found["replica"] - 0.5)
    figure = draw.films(*both)
    assert [panel.get_ylabel() for panel in figure.axes] == [
        "flow stress (GPa)", "localisation", "events over even flow", "remaining order at 12 %"]
    assert [panel.texts[0].get_text() for panel in figure.axes] == ["(a)", "(b)", "(c)", "(d)"]
    for panel in figure.axes[:2]:
        bars = [bar for one in panel.containers for bar in one[2][0].get_segments()]
        assert len(bars) == 4
        for bar in map(panel.transData.transform, bars):
            assert all(panel.bbox.contains(*end) for end in bar)
            if panel.get_legend():
                assert not panel.get_legend().get_window_extent().overlaps(Bbox(bar))
    for run in range(4):
        with h5py.File(tmp_path / f"study/runs/{run:06}.h5", "a") as file:
            del file["events"]
    assert [panel.get_ylabel() for panel in draw.films(*both).axes] == ["flow stress (GPa)", "localisation"]


@pytest.mark.parametrize("arguments, message", [
    (["table", "{top}", "--value", "beauty"], "--value: got beauty, needs one of flow_stress_GPa, "),
    (["table", "{top}", "--at", "flow_stress_GPa", "--along", "cells"], "--at: got flow_stress_GPa, needs NAME=VALUE, a number of one of flow"),
    (["table", "{top}", "--at", "flow_stress_GPa=3", "--along", "cells"], "--along: got cells, needs an axis of numbers"),
    (["table", "{top}", "--at", "flow_stress_GPa=3"], "--at and --along: need each other: NAME=VALUE and an axis of the sweep (cells)"),
    (["table", "{top}", "--against", "beauty=1"], "--against: got beauty=1, needs NAME=VALUE, a number of one of cells"),
    (["films", "{top}", "-o", "a.gif"], "needs a name that ends in"),
])
def test_refused(arguments, message, tmp_path, capsys):
    top = a_sweep(tmp_path / "study")
    assert cli.main([word.format(top=top) for word in arguments]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1, said


def test_needs_results(tmp_path, capsys):
    """A sweep without films has no thickness; one file of a whole sweep has histories alone."""
    top = a_sweep(tmp_path / "study")
    for run in range(4):
        film(f"{top}/runs/{run:06}.h5", [[0, 0, 0]], cells=[16, 16, 16], boundary="periodic")
    assert cli.main(["films", top, "-o", str(tmp_path / "a.png")]) == 2
    assert "needs a sweep of films" in capsys.readouterr().err
    assert cli.main(["collect", top]) == 0
    shutil.rmtree(top)
    assert cli.main(["table", top + ".h5"]) == 2 and "needs the directory of a sweep" in capsys.readouterr().err
