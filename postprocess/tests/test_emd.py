# SPDX-License-Identifier: GPL-3.0-or-later
"""4D-STEM in EMD 1.0, by a reader as strict as emdfile's and py4DSTEM's, written from their description."""
import h5py
import numpy as np
from test_synth import every, results, sets, table  # noqa: F401

from stzpost.cli import main as cli
from stzpost.synth import stem

# --- EMD 1.0 as emdfile documents and reads it (docs of emdfile 0.0.14; py4DSTEM 0.14's DataCube and Calibration) ---


def emd_metadata(group):
    """A metadata group as a dictionary; each entry says the type that it becomes."""
    assert group.attrs["emd_group_type"] == "metadata"
    found = {}
    for name, stored in group.items():
        kind = stored.attrs["type"].decode("utf-8")
        assert kind in ("string", "number", "bool", "array"), kind
        found[name] = np.array(stored) if kind == "array" else stored[...].item()
        found[name] = found[name].decode("utf-8") if kind == "string" else found[name]
    return found


def emd_array(group, classes):
    """Values, unit, and per axis name, unit and places, which must be as many as the values along it."""
    assert group.attrs["emd_group_type"] == "array" and group.attrs["python_class"] in classes
    data = group["data"]
    axes = [group[f"dim{number}"] for number in range(data.ndim)]
    for axis, length in zip(axes, data.shape):
        assert len(axis) == length and isinstance(axis.attrs["units"], str)
    return data[()], data.attrs["units"], [(a.attrs["name"], a.attrs["units"], a[()]) for a in axes]


def emd_read(path):
    with h5py.File(path) as file:
        header = {name: file.attrs[name] for name in ("emd_group_type", "version_major", "version_minor")}
        assert header == {"emd_group_type": "file", "version_major": 1, "version_minor": 0}
        roots = [one for one in file.values() if one.attrs.get("emd_group_type") == "root"]
        assert len(roots) == 1 and roots[0].attrs["python_class"] == "Root"
        assert roots[0]["metadatabundle"].attrs["emd_group_type"] == "metadatabundle"
        bundle = {name: (one.attrs["python_class"], emd_metadata(one)) for name, one in roots[0]["metadatabundle"].items()}
        nodes = {n: one for n, one in roots[0].items() if one.attrs.get("emd_group_type") == "array"}
        assert list(nodes) == ["datacube"], "one node alone, so that py4DSTEM gives it and not its root"
        cube = emd_array(nodes["datacube"], ["DataCube"])
        maps = {n: emd_array(one, ["Array"]) for n, one in nodes["datacube"].items() if isinstance(one, h5py.Group)}
    return bundle, cube, maps


def test_py4dstem_finds_a_calibrated_datacube_with_its_truth(sets):  # noqa: F811
    chosen = stem.Settings(probes=6)
    folder = every(sets / "4dstem")[0]
    bundle, (counts, unit, axes), maps = emd_read(folder / "datacube_01.h5")
    python_class, calibration = bundle["calibration"]
    assert python_class == "Calibration" and unit == "counts"
    assert [name for name, _, _ in axes] == ["Rx", "Ry", "Qx", "Qy"]
    assert [units for _, units, _ in axes] == ["nm", "nm", "A^-1", "A^-1"]
    assert calibration["Q_pixel_units"] == "A^-1" and calibration["R_pixel_units"] == "nm"
    for number, size in ((0, "R_pixel_size"), (3, "Q_pixel_size")):
        np.testing.assert_allclose(np.diff(axes[number][2]), calibration[size])
    assert abs(calibration["Q_pixel_size"] - 0.1 * 2.8 * 4.2 / 64) < 1e-12 and calibration["R_pixel_size"] == 0.4
    summed = counts.sum((0, 1)).astype(float)  # the direct beam lies about the origin, within its semiangle
    qx, qy = np.indices(summed.shape)
    apart = np.hypot(qx - calibration["qx0_mean"], qy - calibration["qy0_mean"])
    inside = apart < calibration["probe_semiangle"] + 1
    assert abs(summed[inside].sum() / summed.sum() - chosen.central) < 0.01
    assert abs(np.sum(summed * (qx - 32))) / summed.sum() < 0.3
    # 200 keV: 2.508 pm, so 0.3 /nm are 0.752 mrad
    assert abs(calibration["probe_convergence_semiangle_mrad"] - 0.752) < 1e-3
    assert bundle["simulation"][1]["strain"] == 0.1 and bundle["simulation"][1]["dose"] == 20000.0
    with h5py.File(folder / "stack_01.hspy") as file:
        np.testing.assert_array_equal(file["Experiments/stack/data"][()], counts)
    truth = table(folder / "probes_01.csv")
    with h5py.File(folder / "truth_01.h5") as file:
        radius = np.hypot(*stem.wave_vectors(chosen))
        ring = file["expected"][()][..., abs(radius - 4.2) <= 0.3].sum(-1)
        np.testing.assert_allclose(maps["dark_field"][0], ring, rtol=1e-5)
        assert set(file["maps"]) == set(maps) == set(stem.MAPS)
    for name, (values, unit, _) in maps.items():
        assert values.shape == (6, 6) and unit == stem.MAPS[name]
        np.testing.assert_array_equal(values.ravel(), truth[name])


def test_counts_above_sixteen_bits_are_kept(results, tmp_path):  # noqa: F811
    words = ["synth", "4dstem", str(results / "00000000000000a1.h5"), "-o", str(tmp_path / "set"), "--probes", "2"]
    assert cli.main([*words, "--dose", "3e6", "--pixels", "32"]) == 0
    counts = emd_read(tmp_path / "set/train/specimen_000/datacube_00.h5")[1][0].astype(float)
    assert counts.max() > 65535 and abs(counts.sum((2, 3)).mean() / 3e6 - 1) < 0.2
    words = ["synth", "nbed", str(results / "00000000000000a1.h5"), "-o", str(tmp_path / "more")]
    assert cli.main([*words, "--background", "1e5"]) == 0
    with h5py.File(tmp_path / "more/train/specimen_000/signal.hspy") as file:
        assert file["Experiments/signal/data"][()].min() > 9e4
