# SPDX-License-Identifier: GPL-3.0-or-later
"""Events for OVITO and ParaView: the files hold each event once, in time, and independent readers open them."""
import json
import re
import shutil

import h5py
import numpy as np
import pytest
import synthetic

from stzpost.cli import main as cli

COUNT, EDGE = 103, synthetic.SPACING
FORMS = {"S": str, "R": float, "I": int}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    rng = np.random.default_rng(5)
    path = synthetic.write(tmp_path_factory.mktemp("events") / "run.h5", [synthetic.tension()])
    made = {
        "time_s": np.sort(rng.uniform(0, 1e5, COUNT)),
        "segment_time_s": np.sort(rng.uniform(0, 1e5, COUNT)),
        "segment": np.zeros(COUNT, np.int16),
        "mode": rng.integers(0, 15, COUNT).astype(np.int8),
        "sign": rng.choice([-1, 1], COUNT).astype(np.int8),
        "rotation": rng.integers(0, 512, COUNT).astype(np.int16),
        "plastic_strain_axial": rng.normal(0, 1e-4, COUNT).astype(np.float32),
        "stress_axial_GPa": rng.normal(3, 0.1, COUNT).astype(np.float32),
        "site": rng.integers(0, 16, (COUNT, 3)).astype(np.int16),
    }
    with h5py.File(path, "r+") as file:
        for name, values in made.items():
            synthetic.dataset(file, f"events/{name}", values, "1")
            file[f"events/{name}"].attrs["dimensions"] = "event, axis" if name == "site" else "event"
    return path, made


def read_xyz(path):
    """Extended XYZ by its description (Properties=name:kind:columns...): frames of columns, and what the heads say."""
    lines, frames = path.read_text().splitlines(), []
    while lines:
        count, head = int(lines[0]), lines[1]
        said = {key: quoted or plain for key, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|(\S+))', head)}
        words = said["Properties"].split(":")
        forms = [(n, FORMS[k]) for n, k, c in zip(words[::3], words[1::3], words[2::3]) for _ in range(int(c))]
        rows = [line.split() for line in lines[2 : count + 2]]
        assert all(len(row) == len(forms) for row in rows)
        frames.append((said, [[form(word) for word, (_, form) in zip(row, forms)] for row in rows], forms))
        lines = lines[count + 2 :]
    return frames


def test_xyz_holds_each_event_once_in_time(result, tmp_path):
    path, made = result
    out = tmp_path / "events.xyz"
    assert cli.main(["events", str(path), "-o", str(out), "--frames", "10"]) == 0
    frames = read_xyz(out)
    assert len(frames) == 10 and {len(rows) for _, rows, _ in frames} == {10, 11}
    rows = [row for _, found, _ in frames for row in found]
    names = [name for name, _ in frames[0][2]]
    assert names[:5] == ["species", "pos", "pos", "pos", "id"] and [row[4] for row in rows] == list(range(COUNT))
    np.testing.assert_allclose([row[1:4] for row in rows], EDGE * (made["site"] + 0.5))
    for column, name in enumerate(names[5:], 5):
        np.testing.assert_array_equal(np.array([row[column] for row in rows], made[name].dtype), made[name], name)
    for said, found, _ in frames:
        assert float(said["Time"]) == found[-1][names.index("time_s")]
        np.testing.assert_allclose(np.array(said["Lattice"].split(), float).reshape(3, 3), 16 * EDGE * np.eye(3))
        assert said["pbc"] == "T T T"


def test_a_film_is_not_periodic_along_z(result, tmp_path):
    film = synthetic.make_film(shutil.copy(result[0], tmp_path / "film.h5"))
    assert cli.main(["events", str(film), "-o", str(tmp_path / "film.xyz"), "--frames", "2"]) == 0
    assert [said["pbc"] for said, _, _ in read_xyz(tmp_path / "film.xyz")] == ["T T F"] * 2


def test_frames_of_all_so_far(result, tmp_path):
    out = tmp_path / "events.extxyz"
    assert cli.main(["events", str(result[0]), "-o", str(out), "--frames", "4", "--so-far"]) == 0
    assert [len(rows) for _, rows, _ in read_xyz(out)] == [26, 52, 77, 103]


@pytest.mark.full
def test_ase_reads_the_xyz(result, tmp_path):
    import ase.io as ase

    path, made = result
    out = tmp_path / "events.xyz"
    assert cli.main(["events", str(path), "-o", str(out), "--frames", "5"]) == 0
    frames = ase.read(str(out), index=":", format="extxyz")
    assert sum(map(len, frames)) == COUNT and frames[-1].info["Time"] == made["time_s"][-1]
    assert frames[0].pbc.all() and abs(frames[0].cell[1][1] - 16 * EDGE) < 1e-9
    np.testing.assert_allclose(np.concatenate([one.arrays["time_s"] for one in frames]), made["time_s"], rtol=1e-8)
    np.testing.assert_allclose(np.concatenate([one.positions for one in frames]), EDGE * (made["site"] + 0.5))


@pytest.mark.full
def test_vtk_reads_the_particles(result, tmp_path):
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    path, made = result
    assert cli.main(["events", str(path), "-o", str(tmp_path / "events.vtp"), "--frames", "3"]) == 0
    series = json.loads((tmp_path / "events.vtp.series").read_text())
    found = []
    for entry in series["files"]:
        reader = vtkXMLPolyDataReader()
        reader.SetFileName(str(tmp_path / entry["name"]))
        reader.Update()
        data = reader.GetOutput()
        assert data.GetNumberOfVerts() == data.GetNumberOfPoints() > 0
        columns = {data.GetPointData().GetArrayName(i) for i in range(data.GetPointData().GetNumberOfArrays())}
        assert columns == set(made) - {"site"} | {"id"}
        found.append({name: vtk_to_numpy(data.GetPointData().GetArray(name)) for name in columns})
        found[-1]["place"] = vtk_to_numpy(data.GetPoints().GetData())
        assert entry["time"] == found[-1]["time_s"][-1]
    joined = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
    np.testing.assert_allclose(joined["place"], EDGE * (made["site"] + 0.5))
    for name in set(made) - {"site"}:
        np.testing.assert_array_equal(joined[name], made[name], name)


def test_one_vtp_has_all_events(result, tmp_path):
    out = tmp_path / "all.vtp"
    assert cli.main(["events", str(result[0]), "-o", str(out), "--frames", "1"]) == 0
    assert f'NumberOfPoints="{COUNT}"' in out.read_text() and list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    "words, message",
    [
        (["{run}", "-o", "x.pdb"], "x.pdb: needs a name that ends in .xyz"),
        (["{run}", "-o", "x.xyz", "--frames", "0"], "--frames: got 0"),
        (["{none}", "-o", "x.xyz"], "no events (output.events = true)"),
    ],
)
def test_refusals_are_one_line(result, tmp_path, capsys, words, message):
    none = synthetic.write(tmp_path / "none.h5", [synthetic.tension()])
    assert cli.main(["events", *(word.format(run=result[0], none=none) for word in words)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and message in err
