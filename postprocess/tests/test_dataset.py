# SPDX-License-Identifier: GPL-3.0-or-later
"""open_run against h5py itself: values, units, laziness."""
import json
import pickle

import h5py
import numpy as np
import pytest
import synthetic
import xarray as xr

import stzpost
from stzpost.io import dataset, lazy

CELLS = (4, 6, 8)


@pytest.fixture()
def run(tmp_path):
    """A result with fields and events, and two snapshots beside it; all numbers different."""
    rng = np.random.default_rng(1)
    bragg, mask = synthetic.patterns(0.5, rng)
    level = dict(strain=0.0, bragg=bragg, mask=mask, expected=0.5)
    path = synthetic.write(tmp_path / "run.h5", [synthetic.tension()], [level], {"composition": rng.random(CELLS)})
    with h5py.File(path, "r+") as file:
        file["config"].attrs["cells"] = CELLS
        for name, rows, unit in (("time_s", 20, "s"), ("site", 18, "1")):  # of a running run, one column is behind
            values = rng.random(rows) if name == "time_s" else rng.integers(0, 4, (rows, 3), dtype=np.int16)
            synthetic.dataset(file, f"events/{name}", values, unit)
    names = []
    for index in range(2):
        names.append({"name": f"run.{index:04}.hdf", "time": float(index)})
        with h5py.File(tmp_path / names[-1]["name"], "w") as file:
            numbers = dict(time_s=1.0 * index, strain_axial=0.1, stress_axial_GPa=3.0, plastic_strain_axial=0.05)
            file.attrs.update(numbers)
            synthetic.dataset(file, "VTKHDF/PointData/barrier_eV", rng.random(CELLS[::-1], np.float32), "eV")
    (tmp_path / "run.hdf.series").write_text(json.dumps({"file-series-version": "1.0", "files": names}))
    return path


def test_values_and_units_are_those_of_the_file(run):
    opened = stzpost.open_run(run)
    with h5py.File(run) as file:
        for name, node in file["history"].items():
            if name != "time_s":
                np.testing.assert_array_equal(opened[name], node)
                assert opened[name].attrs["units"] == node.attrs["units"]
        np.testing.assert_array_equal(opened.time, file["history/time_s"])
        assert opened.time.attrs["units"] == "s"
        np.testing.assert_array_equal(opened.field_composition, file["microstructure/composition"])
        np.testing.assert_array_equal(opened.event_site, file["events/site"])
        np.testing.assert_array_equal(opened.event_time_s, file["events/time_s"][:18])
        np.testing.assert_array_equal(opened.nbed_bragg.isel(level=0), file["nbed/level_00/bragg"])
    np.testing.assert_allclose(opened.z, synthetic.SPACING * (np.arange(8) + 0.5))
    assert opened.protocol_type.values.tolist() == ["strain-rate"] and opened.attrs["state_hash"] == "0123456789abcdef"
    assert float(opened.stress_axial_GPa.sel(time=0.0).values) == 0.0


def test_a_dataset_says_its_dimensions_itself(run):
    with h5py.File(run, "r+") as file:
        for name in ("history/slip", "nbed/level_00/slip", "events/slip"):
            synthetic.dataset(file, name, np.zeros((20, 4)), "1")
            file[name].attrs["dimensions"] = ("event" if name[0] == "e" else "row") + " plane"
    opened = stzpost.open_run(run)
    assert opened.slip.dims == ("time", "plane") and opened.event_slip.dims == ("event", "plane")
    assert opened.nbed_slip.dims == ("level", "row", "plane")
    assert "dimensions" not in opened.slip.attrs and opened.stress_GPa.dims == ("time", "component")


def test_snapshots_are_turned_and_stacked(run):
    opened = stzpost.open_run(run)["snapshot_barrier_eV"]
    with h5py.File(run.parent / "run.0001.hdf") as file:
        values = file["VTKHDF/PointData/barrier_eV"][...]
    assert opened.dims == ("snapshot", "x", "y", "z") and opened.attrs["units"] == "eV"
    assert opened.isel(snapshot=1, x=1, y=2, z=3) == values[3, 2, 1]
    np.testing.assert_array_equal(opened.isel(snapshot=1, y=2), values[:, 2, :].T)
    assert opened.isel(snapshot=slice(0, 0)).values.shape == (0,) + CELLS


@pytest.mark.parametrize(
    "key",
    [
        dict(x=2),
        dict(y=slice(None, None, -2)),
        dict(x=[3, 0], z=slice(5, 2, -1)),
        dict(x=-1, y=-2, z=-3),
        dict(x=slice(2, 2)),
    ],
)
def test_parts_read_as_numpy_has_them(run, key):
    with h5py.File(run) as file:
        whole = xr.DataArray(file["microstructure/composition"][...], dims=("x", "y", "z"))
    np.testing.assert_array_equal(stzpost.open_run(run).field_composition.isel(key), whole.isel(key))


def test_only_the_part_asked_for_is_read(run, monkeypatch):
    asked = []
    read = dataset.LazyArray._read
    monkeypatch.setattr(dataset.LazyArray, "_read", lambda self, key: asked.append((self.name, key)) or read(self, key))
    opened = stzpost.open_run(run)
    assert opened.field_composition.attrs["units"] == "1" and repr(opened.field_composition)
    assert opened.field_composition.nbytes == 8 * 4 * 6 * 8 and asked == []
    assert opened.field_composition.isel(x=1, y=1).values.shape == (8,)
    assert [name for name, _ in asked] == ["microstructure/composition"] and asked[0][1][:2] == (1, 1)


def test_it_is_an_xarray_engine_that_can_be_pickled(run):
    opened = xr.open_dataset(run, engine=dataset.StzkmcBackend, drop_variables="strain")
    assert "strain" not in opened and "field_composition" in opened
    again = pickle.loads(pickle.dumps(opened))
    xr.testing.assert_identical(again.load(), opened.load())


def test_refusals(run, tmp_path):
    with pytest.raises(stzpost.StzPostError, match="no such file"):
        stzpost.open_run(tmp_path / "none.h5")
    (tmp_path / "run.hdf.series").write_text("[")
    with pytest.raises(stzpost.StzPostError, match="not a list of snapshots"):
        stzpost.open_run(run)
    assert dataset.is_result(run) and not dataset.is_result(tmp_path / "run.0000.hdf")


def test_lazy_arrays_are_indexed_as_numpy_is():
    truth = np.arange(4 * 5 * 6).reshape(4, 5, 6)

    class Known(lazy.Lazy):
        shape, dtype = truth.shape, truth.dtype

        def _read(self, key):
            assert all(isinstance(part, (int, np.integer, slice)) for part in key)
            return truth[key]

    ours, plain = xr.Variable(("x", "y", "z"), Known()), xr.Variable(("x", "y", "z"), truth)
    places = xr.Variable("p", [3, 0, 0])
    for key in ({"x": 1}, {"x": slice(None, None, -1), "z": slice(1, 6, 2)}, {"x": [2, 0], "z": [5, 1, 1]}, {"y": [], "z": 2},
                {"x": places, "z": places}, {"y": places, "x": slice(1, 3)}, {"x": np.array([True, False, True, False])}):
        xr.testing.assert_identical(ours.isel(key), plain.isel(key))
        xr.testing.assert_identical(ours.isel(x=slice(3, 0, -1)).isel(z=slice(1, 5)).isel(y=-1, z=[-1, 0]),
                                    plain.isel(x=slice(3, 0, -1)).isel(z=slice(1, 5)).isel(y=-1, z=[-1, 0]))
    xr.testing.assert_identical(ours.T + 1, plain.T + 1)
    assert not isinstance(ours.isel(x=1)._data, np.ndarray) and isinstance(ours.load()._data, np.ndarray)
