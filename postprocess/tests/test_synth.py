# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic measurements: the truth can be had back within the errors stated, the noise is what the card says, and
HyperSpy, VTK and csv open the files.

Statistical tests are on fixed seeds; null hypothesis, number and rate of false alarms stand at each.
"""
import csv
import json
import math
import shutil

import h5py
import numpy as np
import pytest
import synthetic
from scipy.stats import chi2, norm

from stzpost import open_result, synth
from stzpost.cli import main as cli
from stzpost.io.resolved import settings as parse
from stzpost.synth import curves, maps, nbed, places, recover, stem

STIFFNESS, MISMATCH = 72.0, 0.115
RESOLVED = """# model: none
order: {
  cluster_radius_nm = 0.5; # nm, model
};
protocol: (
  { # segment 0
    type = "actuator"; # input, "a # inside"
    stiffness_GPa = 72.0; # GPa, input
    mismatch_strain = 0.115; # input
  }
);
nbed: {
  foil_nm = 9.0; # nm, input
  probe_nm = 0.4; # nm, default
  beam = "BEAM"; # default
};
output: {
  nbed_strains = [0.0, 0.01]; # input
  events = false; # default
};
run: {
  seed = 5000000000L; # input
};
"""
CELLS, SPACING = (16, 20, 24), synthetic.SPACING


def specimen(folder, state, beam="z"):
    """A finished result with an exactly logarithmic relaxation, levels of NBED, a composition and two snapshots."""
    rng = np.random.default_rng(int(state, 16) % 1000)
    levels = []
    for strain, fraction in ((0.0, 0.6), (0.08, 0.35)):
        bragg, mask = synthetic.patterns(fraction, rng)
        levels.append(dict(strain=strain, bragg=bragg, mask=mask, expected=fraction))
    relaxed = synthetic.relaxation(type="actuator")
    relaxed["strain"] = MISMATCH - relaxed["stress"] / STIFFNESS  # the actuator's balance
    wave = sum(np.cos(2 * np.pi * 3 * n) for n in np.meshgrid(*(np.arange(n) / n for n in CELLS), indexing="ij"))
    path = synthetic.write(folder / f"{state}.h5", [relaxed], levels, {"composition": 0.35 + 0.05 * wave})
    with h5py.File(path, "r+") as file:
        file.attrs["state_hash"] = state
        file["config"].attrs["cells"] = CELLS
        del file["config/resolved"]
        file["config/resolved"] = RESOLVED.replace("BEAM", beam)
    names = []
    box = SPACING * np.array(CELLS)
    position = rng.uniform(0, 1, (400, 3)) * box
    for index, ordered in enumerate((1.0, 0.4)):
        names.append({"name": f"{state}.{index:04}.hdf", "time": float(index)})
        with h5py.File(folder / names[-1]["name"], "w") as file:
            file.attrs.update(dict(time_s=0.0, strain_axial=0.1 * index, stress_axial_GPa=3.0))
            file["clusters/position_nm"] = position
            file["VTKHDF/PointData/plastic_strain_axial"] = index * rng.uniform(0, 0.2, CELLS[::-1]).astype("f4")
            file["clusters/oriented"] = (np.arange(400) % 5 == 0).astype(np.int8)
            file["clusters/ordered"] = (np.arange(400) < 400 * ordered).astype(np.int8)
    (folder / f"{state}.hdf.series").write_text(json.dumps({"files": names}))
    return path


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    for state in ("00000000000000a1", "00000000000000b2", "00000000000000c3"):
        specimen(folder, state)
    return folder


@pytest.fixture(scope="module")
def sets(results, tmp_path_factory):
    """A set of each kind, made by the command."""
    folder = tmp_path_factory.mktemp("sets")
    more = {"curves": ["--measurements", "24"], "4dstem": ["--probes", "6"]}
    for kind in synth.KINDS:
        words = ["synth", kind, str(results), "-o", str(folder / kind), "--noise-seed", "7", "--test-share", "0.3"]
        assert cli.main(words + more.get(kind, [])) == 0
    return folder


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def every(folder):
    return sorted(folder.glob("*/specimen_*"))


def normal(pulls, name):
    """Pulls are N(0, 1): mean and variance each refused at a two-sided false-alarm rate of 1e-4."""
    count = len(pulls)
    assert abs(np.mean(pulls)) * math.sqrt(count) < norm.isf(5e-5), (name, np.mean(pulls))
    low, high = chi2.ppf([5e-5, 1 - 5e-5], count - 1)
    assert low < np.var(pulls, ddof=1) * (count - 1) < high, (name, np.var(pulls, ddof=1))


def test_relaxation_is_recovered_within_the_stated_error(sets):
    """Null: (estimate - truth)/error is N(0, 1), 72 measurements of 14 readings each; outliers found and dropped."""
    chosen = curves.Settings(measurements=24)
    pulls, dropped, spoiled = [], 0, 0
    for folder in every(sets / "curves"):
        truth = json.loads((folder / "label.json").read_text())
        assert abs(truth["truth"]["s"]["value"] - 0.1) < 1e-6 and truth["actuator"]["stiffness_GPa"] == STIFFNESS
        for path in sorted(folder.glob("measured_*.csv")):
            read = table(path)
            found, keep = recover.relaxation(read["time_s"], read["stress_GPa"], chosen, STIFFNESS)
            pulls.append((found.value - 0.1) / found.error)
            flags = table(path.with_name(path.name.replace("measured", "truth")))["outlier"]
            dropped += np.sum(~keep & (flags == 1))
            spoiled += flags.sum()
    assert len(pulls) == 72 and 0.015 < spoiled / (72 * 14) < 0.05 and dropped > 0.4 * spoiled
    middle = np.sort(pulls)[2:-2]  # an outlier that was not noticed may throw one
    assert abs(np.mean(middle)) < 0.3 and 0.8 < np.std(middle) < 1.2


def test_noise_of_curves_is_as_documented(sets):
    """Null: residuals without outliers have the covariance of the card; sum of chi squares over all readings."""
    chosen = curves.Settings(measurements=24)
    total, freedom = 0.0, 0
    for folder in every(sets / "curves"):
        labels = json.loads((folder / "label.json").read_text())["measurements"]
        for number, label in enumerate(labels):
            read, truth = (table(folder / f"{name}_{number:02}.csv") for name in ("measured", "truth"))
            good = truth["outlier"] == 0
            apart = (read["strain"] - truth["strain"])[good]
            shape = curves.covariance(chosen, len(good))[np.ix_(good, good)]
            total += apart @ np.linalg.solve(shape, apart)
            freedom += len(apart)
            balance = STIFFNESS * (MISMATCH - read["strain"]) * (1 + label["section_error"])
            np.testing.assert_allclose(read["stress_GPa"], balance, atol=2e-4)  # of the interpolation in ln t
    assert chi2.ppf(5e-5, freedom) < total < chi2.isf(5e-5, freedom), total / freedom


def test_bragg_fractions_are_recovered(sets):
    """Null: pulls of 48 scans are N(0, 1)."""
    pulls = []
    for folder in every(sets / "nbed"):
        read = table(folder / "counts.csv")
        with h5py.File(folder / "truth.h5") as file:
            truth = file["bragg"][...].mean((2, 3)).ravel()
        for found, patterns, fraction in zip(read["found"], read["patterns"], truth):
            estimate = recover.bragg_fraction(int(found), int(patterns), nbed.Settings())
            pulls.append((estimate.value - fraction) / estimate.error)
    assert len(pulls) == 48
    normal(pulls, "Bragg fraction")


@pytest.mark.parametrize(
    "kind, data, expected, more",
    [
        ("nbed", "signal.hspy", "truth.h5:expected_signal", 0.0),
        ("nbed", "density.hspy", "truth.h5:expected_density", 0.0),
        ("4dstem", "stack_01.hspy", "truth_01.h5:expected", 0.0),
        ("maps", "eels.hspy", "truth.h5:expected_eels", 0.0),
        ("maps", "haadf.hspy", "truth.h5:expected_haadf", maps.Settings.readout**2),
    ],
)
def test_counts_are_poisson_about_the_truth(sets, kind, data, expected, more):
    """Null: (N - mean)^2/variance has the mean 1 over the pixels; its variance is 2 + 1/mean for Poisson counts."""
    for folder in every(sets / kind):
        name, place = expected.split(":")
        with h5py.File(folder / data) as file, h5py.File(folder / name) as other:
            counts, mean = next(iter(file["Experiments"].values()))["data"][...].astype(float), other[place][...]
        seen = mean > 1e-3
        ratio = (counts - mean)[seen] ** 2 / (mean[seen] + more)
        error = math.sqrt(np.sum(2 + 1 / mean[seen])) / seen.sum()
        assert abs(ratio.mean() - 1) < 4.5 * error, (ratio.mean(), error)  # false alarms: 7e-6


def test_bragg_discs_ring_and_dose_are_found_in_the_patterns(sets):
    chosen = stem.Settings(probes=6)
    scores, weights, apart, dose = [], [], [], []
    for folder in every(sets / "4dstem"):
        for index in range(2):
            with h5py.File(folder / f"stack_{index:02}.hspy") as file:
                counts = file["Experiments/stack/data"][...].astype(float)
            truth = table(folder / f"probes_{index:02}.csv")
            score, azimuth = recover.bragg_discs(counts, chosen)
            one = (truth["clusters"] == 1) & (truth["weight"] > 0.7)
            turned = np.mod(azimuth.ravel() - truth["azimuth_deg"] + 90, 180) - 90
            apart += np.abs(turned[one]).tolist()
            scores += score.ravel().tolist()
            weights += truth["weight"].tolist()
            dose += counts.sum((2, 3)).ravel().tolist()
            assert abs(recover.ring_radius(counts, chosen) - chosen.ring_per_nm) < 0.03
    scores, weights = np.array(scores), np.array(weights)
    clear, none = scores[weights > 0.5], scores[weights == 0]
    assert len(clear) > 30 and len(none) > 30
    better = np.mean(clear[:, None] > none[None, :])  # area under the receiver's curve
    assert better > 0.93, better
    assert np.median(apart) <= 3.0 and np.mean(np.array(apart) < 6) > 0.9, apart
    assert abs(np.mean(dose) / chosen.dose - 1) < 0.01


def test_speckle_has_its_mean_contrast_and_size():
    chosen = stem.Settings(pixels=64, speckle_modes=3)
    found = stem.speckle((400, 64, 64), chosen, np.random.default_rng(3))
    assert abs(found.mean() - 1) < 0.01 and abs(found.var() - 1 / 3) < 0.015
    # |field correlation|^2 of white noise through a Gaussian filter of deviation w: exp(-d^2/2w^2)
    step = stem.pixel_per_nm(chosen)
    for shift in (1, 2):
        seen = np.mean((found - 1) * (np.roll(found, shift, -1) - 1)) / found.var()
        assert abs(seen - math.exp(-0.5 * (shift * step / chosen.disc_per_nm) ** 2)) < 0.03


def test_what_is_in_reach_of_a_probe_is_what_a_plain_loop_finds(results):
    one = synth.Specimen(synth_result(results), "s", "", 1)
    snapshot = stem._snapshot(one, one.snapshots()[1], np.random.default_rng(1))
    seen = stem.scan(one, snapshot, stem.Settings(probes=7), np.random.default_rng(2))
    box, corner = SPACING * np.array(CELLS), np.array(seen["corner_nm"])
    for v, u in np.ndindex(7, 7):
        number = ordered = everything = 0
        for place, shows, order in zip(*(snapshot[name] for name in ("position_nm", "shows", "ordered"))):
            d = place - corner - np.array([0.4 * (u + 0.5), 0.4 * (v + 0.5), 0.0])
            across = [min(abs(d[i] + n * box[i]) for n in (-2, -1, 0, 1, 2)) for i in (0, 1)]
            inside = math.hypot(*across) <= 0.7 and d[2] % box[2] < 9.0
            number, ordered, everything = number + (inside and shows), ordered + (inside and order), everything + inside
        assert number == seen["clusters"][v, u]
        share = ordered / everything if everything else math.nan
        np.testing.assert_equal(seen["order"][v, u], share)
        assert abs(seen["plastic_strain"][v, u] - strain_below(snapshot["plastic_strain"], corner, u, v)) < 1e-12
    assert seen["bragg"].any() and not seen["bragg"].all()
    assert 0.2 < np.nanmean(seen["order"]) < 0.6


def test_the_foil_lies_within_a_film(results, tmp_path):
    for path in results.glob("00000000000000a1*"):
        shutil.copy(path, tmp_path)
    result = open_result(synthetic.make_film(tmp_path / "00000000000000a1.h5"))
    one = synth.Specimen(result, "s", "", 1)
    snapshot = stem._snapshot(one, one.snapshots()[1], np.random.default_rng(1))
    starts = [stem.scan(one, snapshot, stem.Settings(probes=2), np.random.default_rng(i))["corner_nm"][2] for i in range(40)]
    room = SPACING * CELLS[2] - 9.0
    assert 0 <= min(starts) < 0.2 * room and 0.8 * room < max(starts) <= room


def strain_below(field, corner, u, v):
    """Mean over the voxels of the foil's nine nanometres below 4 x 4 points of a probe's square."""
    total, number = 0.0, 0
    for i, j in np.ndindex(4, 4):
        x = int((corner[0] + 0.4 * (u + (i + 0.5) / 4)) // SPACING) % CELLS[0]
        y = int((corner[1] + 0.4 * (v + (j + 0.5) / 4)) // SPACING) % CELLS[1]
        for z in range(CELLS[2]):
            if (SPACING * (z + 0.5) - corner[2]) % (SPACING * CELLS[2]) < 9.0:
                total, number = total + field[x, y, z], number + 1
    return total / number


@pytest.mark.parametrize("beam, shape", [("x", "yz"), ("y", "zx"), ("z", "xy")])
def test_maps_of_the_truth_lie_along_the_axes_after_the_beam(beam, shape):
    """A field that grows along one axis grows along that axis of the map."""
    field = np.broadcast_to(np.arange(30.0), (30, 30, 30))
    for axis, letter in enumerate("xyz"):
        plane = ["xyz".index(one) for one in shape]
        scan = {"along": "xyz".index(beam), "plane": plane, "corner_nm": [0.0] * 3, "foil_nm": 3.0}
        found = places.through_foil(np.moveaxis(field, 2, axis), 0.5, {**scan, "step_nm": 0.5, "probes": 8})
        first, second = np.ptp(found, axis=1).max(), np.ptp(found, axis=0).max()  # along u, along v
        assert (first, second) == {shape[0]: (7, 0), shape[1]: (0, 7), beam: (0, 0)}[letter]


def test_every_option_has_a_meaning_and_a_unit(capsys):
    for kind in synth.KINDS:
        assert cli.main(["synth", kind, "--help"]) == 0
        text = "".join(capsys.readouterr().out.split())  # lines break at hyphens as well
        for name, one in synth.options(kind).items():
            unit = "" if one.metadata["unit"] == "1" else ", " + one.metadata["unit"]
            said = f"--{name.replace('_', '-')} {'NX'[isinstance(one.default, float)]} {one.metadata['text']}{unit} (default"
            assert "".join(said.split()) in text, said


def test_a_split_that_leaves_nothing_to_test_is_said(results, tmp_path, capsys):
    words = ["synth", "nbed", str(results / "00000000000000a1.h5"), "-o"]
    assert cli.main([*words, str(tmp_path / "a")]) == 0
    assert "note: nothing to test on" in capsys.readouterr().err
    assert cli.main([*words, str(tmp_path / "b"), "--test-share", "0"]) == 0
    assert capsys.readouterr().err == ""


def synth_result(folder):
    return open_result(folder / "00000000000000a1.h5")


def test_composition_is_recovered_from_the_edges(sets):
    """Null: the mean over pixels of the estimated less the blurred Ni fraction is 0 within its error."""
    for folder in every(sets / "maps"):
        with h5py.File(folder / "nickel.hspy") as file, h5py.File(folder / "truth.h5") as truth:
            apart = file["Experiments/nickel/data"][...] - truth["nickel_blurred"][...]
            assert abs(apart.mean()) < 4.5 * apart.std() / math.sqrt(apart.size)
            x, n = truth["nickel_blurred"][...], maps.Settings()
            edges = n.eels_counts * np.stack([x, 1 - x]) + n.background
            expected = np.sqrt((1 - x) ** 2 * edges[0] + x**2 * edges[1]) / n.eels_counts  # propagation of errors
            assert abs(np.mean((apart / expected) ** 2) - 1) < 4.5 * math.sqrt(2 / apart.size) + 0.01
            wave, plain = truth["nickel_blurred"][...].std(), truth["nickel"][...].std()
        # A wave of three periods along x and y: both are damped by the transfer function of the probe.
        sigma = n.probe_fwhm_nm / math.sqrt(8 * math.log(2))
        damped = [math.exp(-2 * (math.pi * sigma * 3 / (c * SPACING)) ** 2) for c in CELLS[:2]]
        assert abs(wave / plain - math.sqrt(np.mean(np.square(damped)))) < 1e-6


@pytest.mark.full
def test_hyperspy_opens_maps_and_stacks(sets):
    from hyperspy import api as hyperspy

    first = every(sets / "4dstem")[0]
    signal = hyperspy.load(str(first / "stack_00.hspy"))
    assert type(signal).__name__ == "Signal2D" and signal.data.shape == (6, 6, 64, 64)
    assert signal.metadata.Signal.signal_type == "electron_diffraction"  # pyxem has a class for it
    axes = signal.axes_manager
    assert [a.name for a in axes.navigation_axes] == ["x", "y"]
    assert [a.name for a in axes.signal_axes] == ["kx", "ky"]
    assert [a.units for a in axes.navigation_axes + axes.signal_axes] == ["nm", "nm", "1/nm", "1/nm"]
    scales = {a.name: a.scale for a in axes._axes}
    assert abs(scales["x"] - 0.4) < 1e-9 and abs(scales["kx"] - stem.pixel_per_nm(stem.Settings())) < 1e-9
    notes = signal.metadata.Simulation
    assert (notes.dose, notes.strain, notes.probe_nm, notes.foil_nm) == (20000.0, 0.0, 0.4, 9.0)
    microscope = signal.metadata.Acquisition_instrument.TEM
    assert microscope.beam_energy == 200.0 and abs(microscope.convergence_angle - 0.752) < 1e-3
    assert microscope.Detector.Diffraction.exposure_time == 5.0
    assert abs(microscope.beam_current - 20000 * 1.602177e-19 / 5e-3 * 1e9) < 1e-9
    for kind, name, shape in (("maps", "haadf", (20, 16)), ("maps", "eels", (2, 20, 16)), ("nbed", "signal", None)):
        folder = every(sets / kind)[0]
        one, other = (hyperspy.load(str(folder / f"{name}.{end}")) for end in ("hspy", "emd"))
        assert shape is None or one.data.shape == shape
        np.testing.assert_array_equal(one.data, other.data)
        assert [a.name for a in other.axes_manager._axes][-2:] == ["y", "x"]
        assert one.axes_manager.signal_axes[0].units == "nm" and one.metadata.General.title == name


@pytest.mark.full
def test_vtk_opens_the_field(sets):
    from vtkmodules.util import numpy_support as support
    from vtkmodules.vtkIOHDF import vtkHDFReader

    reader = vtkHDFReader()
    folder = every(sets / "maps")[0]
    reader.SetFileName(str(folder / "truth.hdf"))
    reader.Update()
    image = reader.GetOutput()
    assert image.GetDimensions() == CELLS and np.allclose(image.GetSpacing(), SPACING)
    assert np.allclose(image.GetOrigin(), SPACING / 2)
    values = support.vtk_to_numpy(image.GetPointData().GetArray("composition"))
    with h5py.File(synth_source(folder)) as file:
        field = file["microstructure/composition"][...]
    for x, y, z in ((1, 2, 3), (15, 0, 7)):
        assert abs(values[image.ComputePointId((x, y, z))] - field[x, y, z]) < 1e-6


def synth_source(folder):
    record = json.loads((folder.parent.parent / "dataset.json").read_text())
    name = next(one["file"] for one in record["specimens"] if one["name"] == folder.name)
    return next(folder.parent.parent.parent.parent.glob(f"results*/{name}"))


def test_split_is_by_specimen_and_does_not_hang_on_order():
    hashes = [f"{n:016x}" for n in (5, 3, 9, 1, 7)]
    parts = dict(zip(hashes, synth.dataset.split(hashes, 0.4)))
    assert sorted(parts.values()) == ["test"] * 2 + ["train"] * 3
    turned = dict(zip(hashes[::-1], synth.dataset.split(hashes[::-1], 0.4)))
    assert parts == turned
    assert synth.dataset.split(hashes[:1], 0.9) == ["train"]
    assert sorted(synth.dataset.split(hashes[:2], 0.01)) == ["test", "train"]


def test_a_specimen_has_the_same_noise_in_any_set(results, sets, tmp_path):
    words = ["synth", "nbed", str(results / "00000000000000b2.h5"), "-o", str(tmp_path / "a"), "--noise-seed"]
    assert cli.main(words + ["7"]) == 0
    words[4] = str(tmp_path / "b")
    assert cli.main(words + ["8"]) == 0
    record = json.loads((sets / "nbed" / "dataset.json").read_text())
    one = next(one for one in record["specimens"] if one["state_hash"] == "00000000000000b2")
    same = sets / "nbed" / one["split"] / one["name"]
    alone = tmp_path / "a" / "train" / "specimen_000"
    for name in ("counts.csv", "truth.h5", "signal.hspy", "label.json"):
        assert (alone / name).read_bytes() == (same / name).read_bytes()
    other = tmp_path / "b" / "train" / "specimen_000" / "counts.csv"
    assert other.read_bytes() != (alone / "counts.csv").read_bytes()


def test_the_card_says_what_is_there(sets):
    for kind in synth.KINDS:
        card = (sets / kind / "README.md").read_text(encoding="utf-8")
        record = json.loads((sets / kind / "dataset.json").read_text())
        assert record["seed"] == 7 and len(record["specimens"]) == 3 and "2 to train, 1 to test" in card
        for name, value in record["settings"].items():
            assert f"| `{name}` | {value:g} |" in card
        for one in record["specimens"]:
            assert one["state_hash"] in card and "seed = 5000000000L" in one["input"]
        for folder in every(sets / kind):
            listed = [name.strip() for files in synth.KINDS[kind].FIELDS for name in files.split(",")] + ["label.json"]
            for path in folder.iterdir():
                plain = "".join("N" if c.isdigit() else c for c in path.stem) + path.suffix
                assert plain in listed or path.name in listed, path


def test_curves_of_a_tension_test_have_the_noise_of_a_load_cell(tmp_path):
    path = synthetic.write(tmp_path / "pull.h5", [synthetic.tension()])
    words = ["synth", "curves", str(path), "-o", str(tmp_path / "set"), "--measurements", "40", "--section", "0"]
    assert cli.main(words) == 0
    apart = []
    for name in sorted((tmp_path / "set").glob("train/*/measured_*.csv")):
        truth = table(name.with_name(name.name.replace("measured", "truth")))
        apart += (table(name)["stress_GPa"] - truth["stress_GPa"]).tolist()
    normal(np.array(apart) / curves.Settings.stress_noise_GPa, "load cell")


@pytest.mark.parametrize(
    "words, message",
    [
        (["dance", "{a1}"], "kind dance: unknown, needs one of"),
        (["curves", "{a1}", "--test-share", "1"], "--test-share: got 1"),
        (["curves", "{a1}", "{a1}"], "another file holds the same sample"),
        (["curves", "{a1}", "--first-s", "1e9"], "first_s: got 1e+09"),
        (["nbed", "none.h5"], "none.h5: no such file"),
        (["nbed", "{empty}"], "empty: no results in it"),
        (["4dstem", "{a1}", "--central", "0.9"], "at most 1"),
        (["4dstem", "{a1}", "--probes", "500", "--pixels", "500"], "probes times pixels: got 250000, needs at most 8192"),
        (["4dstem", "{a1}", "--disc-per-nm", "0.01"], "--disc-per-nm: got 0.01, needs half a pixel, 0.0"),
        (["curves", "{a1}", "--noise-seed", "-1"], "--noise-seed: got -1, needs 0 or more"),
        (["curves", "{a1}", "--noise-nm", "1e5", "--gauge-um", "1"], "shorter by more than the specimen's 1 um"),
        (["curves", "{a1}", "-o", "{a1}/x"], "Not a directory"),
    ],
)
def test_refusals_are_one_line(results, tmp_path, capsys, words, message):
    (tmp_path / "empty").mkdir()
    words = [word.format(a1=results / "00000000000000a1.h5", empty=tmp_path / "empty") for word in words]
    extra = [] if "-o" in words else ["-o", str(tmp_path / "set")]
    assert cli.main(["synth", *words, *extra]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("stz-post: ") and err.count("\n") == 1 and message in err and out == ""


@pytest.mark.parametrize("kind", synth.KINDS)
def test_settings_that_nobody_means_are_one_line(kind, results, tmp_path, capsys):
    """No number, an infinite one, one beyond each end: nothing is begun."""
    path = str(results / "00000000000000a1.h5")
    for name, each in synth.options(kind).items():
        least, most = each.metadata["least"], each.metadata["most"]
        beyond = [least - 1, most + 1, 10**20] if isinstance(each.default, int) else ["nan", "inf", -1.0, -1e308, 2 * most, 1e308]
        assert least <= each.default <= most
        for value in beyond:
            option = f"--{name.replace('_', '-')}"
            assert cli.main(["synth", kind, path, "-o", str(tmp_path / "set"), f"{option}={value}"]) == 2
            err = capsys.readouterr().err
            assert err.startswith(f"stz-post: {option}: got ") and ", needs " in err and err.count("\n") == 1, err
    assert not (tmp_path / "set").exists()


def test_the_resolved_input_is_read():
    found = parse(RESOLVED.replace("BEAM", "x"))
    assert found["protocol[0].stiffness_GPa"] == 72.0 and found["protocol[0].type"] == "actuator"
    assert found["output.nbed_strains"] == [0.0, 0.01] and found["output.events"] is False
    assert found["run.seed"] == 5000000000 and found["nbed.beam"] == "x"
