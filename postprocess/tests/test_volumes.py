# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of other programs as HDF5 for microstructure.file: right values in the right place, or one line."""
import h5py
import numpy as np
import pytest

from stzpost.cli import main as cli
from stzpost.io import volumes

SHAPE = (4, 6, 5)
TRUTH = np.random.default_rng(3).uniform(0.1, 0.6, SHAPE)


def convert(tmp_path, name, *words):
    assert cli.main(["field", str(tmp_path / name), "-o", str(tmp_path / "out.h5"), *words]) == 0
    with h5py.File(tmp_path / "out.h5") as file:
        made = file[volumes.DATASET]
        assert [one.label for one in made.dims] == ["x", "y", "z"]
        return made[()]


def vti(path, values, mode, cells):
    """By VTK's own writer: ascii, base64, appended raw or packed."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkIOXML import vtkXMLImageDataWriter

    image = vtkImageData()
    image.SetDimensions(*(n + cells for n in values.shape))
    array = numpy_to_vtk(values.ravel(order="F"), deep=True)
    array.SetName("c")
    (image.GetCellData() if cells else image.GetPointData()).AddArray(array)
    writer = vtkXMLImageDataWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(image)
    for call in mode:
        getattr(writer, call)()
    assert writer.Write() == 1


@pytest.mark.full
@pytest.mark.parametrize("cells", [0, 1])
@pytest.mark.parametrize(
    "mode",
    [
        ["SetDataModeToAscii"],
        ["SetDataModeToBinary", "SetCompressorTypeToNone"],
        ["SetDataModeToBinary", "SetCompressorTypeToZLib"],
        ["SetDataModeToAppended", "EncodeAppendedDataOff", "SetCompressorTypeToNone"],
        ["SetDataModeToAppended", "EncodeAppendedDataOff", "SetCompressorTypeToZLib"],
        ["SetDataModeToAppended", "EncodeAppendedDataOn", "SetCompressorTypeToZLib"],
    ],
)
def test_images_of_vtk(tmp_path, mode, cells):
    vti(tmp_path / "image.vti", TRUTH, mode, cells)
    np.testing.assert_allclose(convert(tmp_path, "image.vti"), TRUTH, rtol=1e-6)


def test_arrays_of_numpy(tmp_path, capsys):
    np.save(tmp_path / "plain.npy", TRUTH)
    np.testing.assert_array_equal(convert(tmp_path, "plain.npy"), TRUTH)
    said = capsys.readouterr().out
    assert "4 x 6 x 5 voxels x y z" in said and "cells = [4, 6, 5]" in said
    np.save(tmp_path / "fortran.npy", np.asfortranarray(TRUTH)[None])
    np.testing.assert_array_equal(convert(tmp_path, "fortran.npy"), TRUTH)
    np.savez(tmp_path / "two.npz", c=TRUTH, other=np.zeros(3))
    np.testing.assert_array_equal(convert(tmp_path, "two.npz", "--array", "c"), TRUTH)
    np.save(tmp_path / "phases.npy", TRUTH > 0.3)
    found = convert(tmp_path, "phases.npy")
    np.testing.assert_array_equal(found, TRUTH > 0.3)
    assert found.dtype == np.uint8 and "a map of two phases" in capsys.readouterr().out
    np.save(tmp_path / "percent.npy", 100 * TRUTH)
    np.testing.assert_allclose(convert(tmp_path, "percent.npy", "--scale", "0.01"), TRUTH)


def test_axes_origin_and_part_are_as_asked(tmp_path):
    np.save(tmp_path / "turned.npy", TRUTH.transpose(2, 0, 1)[::-1])
    found = convert(tmp_path, "turned.npy", "--axes", "Zxy", "--origin", "1,0,2", "--cells", "2,6,3")
    np.testing.assert_array_equal(found, TRUTH[1:3, :, 2:5])


def test_hdf5_says_its_axes(tmp_path):
    with h5py.File(tmp_path / "labels.h5", "w") as file:
        made = file.create_dataset("a/c", data=TRUTH.transpose(1, 2, 0), compression="lzf")
        file["a/short"] = np.zeros(3)
        for number, letter in enumerate("yzx"):
            made.dims[number].label = letter
    np.testing.assert_array_equal(convert(tmp_path, "labels.h5"), TRUTH)
    with h5py.File(tmp_path / "scales.h5", "w") as file:
        made = file.create_dataset("c", data=TRUTH.T)
        for number, letter in enumerate("zyx"):
            file[letter] = np.arange(made.shape[number])
            file[letter].make_scale(letter)
            made.dims[number].attach_scale(file[letter])
    np.testing.assert_array_equal(convert(tmp_path, "scales.h5"), TRUTH)
    with h5py.File(tmp_path / "image.hdf", "w") as file:
        file["VTKHDF/PointData/composition"] = TRUTH.T
    np.testing.assert_array_equal(convert(tmp_path, "image.hdf"), TRUTH)


def virtual(path, source):
    layout = h5py.VirtualLayout(SHAPE, "f8")
    layout[...] = h5py.VirtualSource(source, "c", SHAPE)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("c", layout)


def test_what_cannot_be_a_composition_is_refused_in_one_line(tmp_path, capsys):
    bad = TRUTH.copy()
    bad[1, 2, 3] = np.nan
    np.save(tmp_path / "nan.npy", bad)
    np.save(tmp_path / "percent.npy", 100 * TRUTH)
    np.save(tmp_path / "order.npy", TRUTH - 0.35)
    np.save(tmp_path / "flat.npy", TRUTH.ravel())
    np.save(tmp_path / "text.npy", np.full(SHAPE, "a"))
    np.savez(tmp_path / "two.npz", c=TRUTH, d=TRUTH)
    (tmp_path / "torn.npy").write_bytes((tmp_path / "order.npy").read_bytes()[:200])
    (tmp_path / "note.txt").write_text("x")
    virtual(tmp_path / "virtual.h5", "gone.h5")
    with h5py.File(tmp_path / "empty.h5", "w") as file:
        file.create_dataset("c", SHAPE, "f8")
    with h5py.File(tmp_path / "part.h5", "w") as file:
        file.create_dataset("c", SHAPE, "f8", chunks=(2, 6, 5))[:2] = TRUTH[:2]
    cases = {
        "nan.npy": "1 values are no number, the first at voxel [1, 2, 3]",
        "percent.npy": "percent? --scale 0.01",
        "order.npy": "needs 0 to 1",
        "flat.npy": "got 120 values, needs three dimensions",
        "text.npy": "needs numbers",
        "two.npz": "2 arrays, so --array is needed; it has c, d",
        "torn.npy": "cannot be read as an array of NumPy",
        "note.txt": "needs .npy, .npz, .vti or a file in HDF5 format",
        "gone.npy": "no such file",
        "virtual.h5": "its values lie in gone.h5, which is not there",
        "empty.h5": "its values were never written",
        "part.h5": "not all of its values were ever written",
    }
    for name, message in cases.items():
        assert cli.main(["field", str(tmp_path / name), "-o", str(tmp_path / "out.h5")]) == 2, name
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and message in err, (name, err)
    for words, message in (["--axes", "xyy"], "--axes: got xyy"), (["--origin", "3,0,0", "--cells", "2,6,5"], "reach beyond"):
        np.save(tmp_path / "ok.npy", TRUTH)
        assert cli.main(["field", str(tmp_path / "ok.npy"), "-o", str(tmp_path / "out.h5"), *words]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.full
def test_a_damaged_image_is_refused(tmp_path, capfd):
    vti(tmp_path / "whole.vti", TRUTH, ["SetDataModeToAppended", "EncodeAppendedDataOff", "SetCompressorTypeToNone"], 0)
    content = (tmp_path / "whole.vti").read_bytes()
    for torn in b"<VTKFile type=", content[:-500], content[:300]:
        (tmp_path / "torn.vti").write_bytes(torn)
        assert cli.main(["field", str(tmp_path / "torn.vti"), "-o", str(tmp_path / "out.h5")]) == 2, torn
        err = capfd.readouterr().err
        assert err.count("\n") == 1 and "torn.vti: VTK cannot read it" in err, err
