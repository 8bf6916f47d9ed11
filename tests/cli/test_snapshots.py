#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots, read with VTK's own reader: geometry, names, and values against the result file. Needs VTK
(Debian: python3-vtk9)."""
import json
import os
import tempfile

import h5py
import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOHDF import vtkHDFReader

from harness import SOURCE, expect, expect_failure, finish, read, run, write

CELLS = (40, 24, 32)  # unequal, and more planes than are collected at a time
SPACING = 0.5
NAMES = {"composition", "barrier_eV", "event_count", "plastic_strain_axial", "plastic_strain_equivalent",
         "stress_deviator_xx_GPa", "stress_yz_GPa", "stress_xz_GPa", "stress_xy_GPa", "stress_mises_GPa"}
NUMBERS = {"time_s", "segment", "segment_time_s", "strain_axial", "plastic_strain_axial", "stress_axial_GPa"}
# No event falls into the last segment, so that the snapshot at its begin shows the fields at the end of the run.
INPUT = f"""model = "{SOURCE}/models/zr65ni35.cfg";
lattice: {{ cells = [{CELLS[0]}, {CELLS[1]}, {CELLS[2]}]; spacing_nm = {SPACING}; }};
microstructure: {{ wavelength_nm = 3.0; }};
protocol = ( {{ type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.055; temperature_K = 295.0; }},
             {{ type = "relaxation"; duration_s = 1.0e-9; }} );
output: {{ snapshots = true; snapshot_strains = [0.0, 0.02, 0.055]; }};
"""


class Snapshot:
    """What VTK reads; arrays[name][x, y, z]."""

    def __init__(self, path):
        reader = vtkHDFReader()
        reader.SetFileName(path)
        reader.Update()
        image = reader.GetOutput()
        self.kind = image.GetClassName()
        self.dimensions, self.spacing, self.origin = image.GetDimensions(), image.GetSpacing(), image.GetOrigin()
        points = image.GetPointData()
        self.names = {points.GetArrayName(i) for i in range(points.GetNumberOfArrays())}
        # Through VTK's own numbering of points, not through the order in the file.
        x, y, z = np.meshgrid(*map(np.arange, self.dimensions), indexing="ij")
        ids = x + self.dimensions[0] * (y + self.dimensions[1] * z)
        corner = image.ComputePointId((1, 2, 3)) if min(self.dimensions) > 3 else -1
        expect("numbering of points", ids[1, 2, 3] == corner, f"{corner}")
        self.arrays = {name: vtk_to_numpy(points.GetArray(name))[ids] for name in self.names}
        with h5py.File(path) as file:
            self.numbers = dict(file.attrs)


def check_geometry(name, shot):
    expect(name + ": kind", shot.kind == "vtkImageData", shot.kind)
    expect(name + ": dimensions", shot.dimensions == CELLS, shot.dimensions)
    expect(name + ": spacing", np.allclose(shot.spacing, SPACING, rtol=1e-15), shot.spacing)
    expect(name + ": points are voxels' centres", np.allclose(shot.origin, SPACING / 2, rtol=1e-15), shot.origin)
    expect(name + ": names", shot.names == NAMES, shot.names)


def check_values(shots, result):
    micro, history = result["microstructure"], result["history"]
    first, last = shots[0].arrays, shots[-1].arrays
    for shot in shots:
        expect("composition", np.array_equal(shot.arrays["composition"], micro["composition"][()]))
    expect("barriers at the start", np.array_equal(first["barrier_eV"], micro["barrier_initial_eV"][()]))
    expect("no event yet", not first["event_count"].any() and not first["stress_mises_GPa"].any())
    expect("barriers at the end", np.array_equal(last["barrier_eV"], micro["barrier_eV"][()]))
    axial = micro["plastic_strain_axial"][()]
    expect("plastic strain at the end", np.array_equal(last["plastic_strain_axial"], axial) and axial.any())
    expect("as many events", last["event_count"].sum() == history["events"][-1] > 100, last["event_count"].sum())
    # Of a deviator with xx component e: e:e >= (3/2) e^2, hence the equivalent is at least |e|.
    expect("equivalent strain", (last["plastic_strain_equivalent"] >= np.abs(axial) * (1 - 1e-6)).all())
    for shot in shots:
        at, stress = shot.arrays, shot.numbers["stress_axial_GPa"]
        xx = at["stress_deviator_xx_GPa"].mean(dtype=float)
        expect("mean stress", abs(xx - 2 / 3 * stress) < 2e-5 * max(1, stress), f"{xx} and 2/3 of {stress}")
        # 3/2 s:s >= (9/4) s_xx^2 + 3 (s_yz^2 + s_xz^2 + s_xy^2), with equality where s_yy = s_zz.
        shear = sum(at[f"stress_{c}_GPa"].astype(float)**2 for c in ("yz", "xz", "xy"))
        least = np.sqrt(2.25 * at["stress_deviator_xx_GPa"].astype(float)**2 + 3 * shear)
        expect("von Mises stress", (at["stress_mises_GPa"] >= least * (1 - 1e-5)).all())
        row = np.interp(shot.numbers["time_s"], history["time_s"][()], history["stress_axial_GPa"][()])
        expect("stress of the history", abs(stress - row) < 0.02, f"{stress}, {row}")
        mean = at["plastic_strain_axial"].mean(dtype=float)
        told = shot.numbers["plastic_strain_axial"]
        expect("mean plastic strain", abs(mean - told) < 1e-6 * max(told, 1e-3), f"{mean}, {told}")
    check_driving_stress(last, history)


def check_driving_stress(last, history):
    """An event relieves its own STZ on average."""
    done = last["event_count"] > 0
    inside = last["stress_deviator_xx_GPa"][done].mean()
    outside = last["stress_deviator_xx_GPa"][~done].mean()
    expect("sites that sheared are relieved", inside < outside, f"{inside} and {outside}")
    expect("the stress is that of the end", abs(history["stress_axial_GPa"][-1]) > 1)


def same_files(a, b):
    with h5py.File(a) as one, h5py.File(b) as two:
        one, numbers, two, others = one["VTKHDF/PointData"], dict(one.attrs), two["VTKHDF/PointData"], dict(two.attrs)
        same = set(one) == set(two) == NAMES and all(np.array_equal(one[name][()], two[name][()]) for name in one)
    return same and numbers == others and set(numbers) == NUMBERS


def main():
    with tempfile.TemporaryDirectory() as folder:
        write(os.path.join(folder, "in.cfg"), INPUT)
        done = run(["run", "in.cfg", "-o", "out.h5", "-q"], 1, folder)
        expect("run", done.returncode == 0, done.stderr)
        files = [os.path.join(folder, f"out.{i:04}.hdf") for i in range(3)]
        expect("files", sorted(os.listdir(folder)) ==
               ["in.cfg", "out.0000.hdf", "out.0001.hdf", "out.0002.hdf", "out.h5", "out.hdf.series"],
               os.listdir(folder))
        shots = [Snapshot(path) for path in files]
        for path, shot in zip(files, shots):
            check_geometry(os.path.basename(path), shot)
        with h5py.File(os.path.join(folder, "out.h5")) as result:
            check_values(shots, result)
        with h5py.File(files[0]) as file:
            expect("units", file["VTKHDF/PointData/barrier_eV"].attrs["units"] == "eV")
        listed = json.loads(read(os.path.join(folder, "out.hdf.series")))
        expect("list", listed["files"] == [{"name": os.path.basename(path), "time": shot.numbers["time_s"]}
                                           for path, shot in zip(files, shots)], listed)
        expect("strains", [round(shot.numbers["strain_axial"], 9) for shot in shots] == [0.0, 0.02, 0.055],
               [shot.numbers["strain_axial"] for shot in shots])

        done = run(["run", "in.cfg", "-o", "three.h5", "-q"], 3, folder)
        expect("on 3 ranks", done.returncode == 0, done.stderr)
        for i, path in enumerate(files):
            expect("the same on 3 ranks", same_files(path, os.path.join(folder, f"three.{i:04}.hdf")))
        os.remove(os.path.join(folder, "out.h5"))
        before = read(files[1])
        expect_failure("snapshots are there", run(["run", "in.cfg", "-o", "out.h5", "-q"], 1, folder), 3,
                       "out.hdf.series: exists already; --force replaces it")
        expect("they are kept", read(files[1]) == before and not os.path.exists(os.path.join(folder, "out.h5")))
        os.rename(os.path.join(folder, "out.hdf.series"), os.path.join(folder, "away"))
        expect_failure("one of them", run(["run", "in.cfg", "-o", "out.h5", "-q"], 2, folder), 3,
                       "out.0000.hdf: exists already; --force replaces it", 2)
        expect_failure("no strains", run(["run", "in.cfg", "--set", "output.snapshot_strains=[]"], 1, folder), 2,
                       "--set: output.snapshot_strains: got [], needs strains with snapshots = true, here or in "
                       "nbed_strains")
    finish()


main()
