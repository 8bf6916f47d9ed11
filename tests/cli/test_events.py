#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of events against the history and the fields of the same run, on one rank and on three."""
import os
import tempfile

import h5py
import numpy as np

from harness import SOURCE, expect, finish, run, write

CELLS = (40, 24, 32)
INPUT = f"""model = "{SOURCE}/models/zr65ni35.cfg";
lattice: {{ cells = [{CELLS[0]}, {CELLS[1]}, {CELLS[2]}]; }};
protocol = ( {{ type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.065; temperature_K = 295.0; }} );
"""
COLUMNS = {"time_s": "f8", "segment_time_s": "f8", "segment": "i2", "site": "i2", "mode": "i1", "sign": "i1",
           "rotation": "i2", "plastic_strain_axial": "f4", "stress_axial_GPa": "f4"}


def check_table(file):
    events = {name: column[()] for name, column in file["events"].items()}
    history, count = file["history"], int(file["history/events"][-1])
    expect("columns", {name: column.dtype.str[1:] for name, column in events.items()} == COLUMNS, list(events))
    expect("units", all({"units", "description"} <= set(column.attrs) for column in file["events"].values()))
    expect("a row an event", {len(column) for column in events.values()} == {count}, count)
    expect("more than a block", count > 1024, count)
    expect("in order of time", (np.diff(events["time_s"]) > 0).all() and events["time_s"][0] > 0)
    expect("all in the one segment", (events["segment_time_s"] == events["time_s"]).all()
           and (events["segment"] == 0).all())
    expect("modes and signs", set(events["mode"]) == set(range(15)) and set(events["sign"]) == {-1, 1})
    expect("sites", (events["site"] >= 0).all() and (events["site"].max(axis=0) < CELLS).all()
           and (events["site"].max(axis=0) >= np.subtract(CELLS, 4)).all(), events["site"].max(axis=0))

    step = events["plastic_strain_axial"].astype(float)
    so_far = np.concatenate([[0.0], np.cumsum(step)])
    rows = history["events"][()].astype(int)
    expect("they add up to the plastic strain of each row",
           np.allclose(so_far[rows], history["plastic_strain_axial"], rtol=1e-5, atol=1e-9))
    before = np.searchsorted(events["time_s"], history["time_s"][()])
    expect("as many before each row", np.array_equal(before, rows))
    field = np.zeros(CELLS)
    np.add.at(field, tuple(events["site"].T), step * field.size)
    expect("voxel by voxel", np.allclose(field, file["microstructure/plastic_strain_axial"], rtol=1e-4, atol=1e-5))
    # The same mode in the same orientation strains alike, but for its sign.
    kinds = {}
    for kind, size in zip(zip(events["mode"], events["rotation"]), step * events["sign"]):
        kinds.setdefault(kind, set()).add(float(size))
    expect("a mode and orientation, a strain", all(len(sizes) == 1 for sizes in kinds.values()))
    # Stress falls by E times the strain of an event, and rises with the strain between events.
    young = 72.0
    elastic = young * (1e-6 * events["time_s"] - so_far[:-1])
    expect("the stress just before", np.abs(events["stress_axial_GPa"] - elastic).max() < 1e-4,
           np.abs(events["stress_axial_GPa"] - elastic).max())
    check_tensors(file, events)
    return events


def check_tensors(file, events):
    """All six components of the plastic strain, at every row, from the events and the tables of /modes alone."""
    matrices = file["modes/rotations"][()].reshape(-1, 3, 3)
    components = file["modes/catalogue"][()]
    expect("tables", matrices.shape == (512, 3, 3) and components.shape == (15, 6), (matrices.shape, components.shape))
    expect("rotations", np.allclose(matrices @ matrices.transpose(0, 2, 1), np.eye(3), atol=1e-14)
           and np.allclose(np.linalg.det(matrices), 1))
    xx, yy, zz, yz, xz, xy = components.T
    modes = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]).transpose(2, 0, 1)
    r = matrices[events["rotation"]]
    p = r.transpose(0, 2, 1) @ modes[events["mode"]] @ r
    config = file["config"].attrs
    volume = np.prod(config["cells"].astype(float)) * config["spacing_nm"] ** 3
    strain = (config["gamma0"] * config["volume_nm3"] / volume * events["sign"])[:, None, None] * p
    rows = file["history/events"][()].astype(int)
    so_far = np.concatenate([np.zeros((1, 3, 3)), np.cumsum(strain, axis=0)])[rows]
    found = np.stack([so_far[:, i, j] for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))], axis=1)
    wrong = np.abs(found - file["history/plastic_strain"]).max()
    expect("the tensors of the events add up to the plastic strain", wrong < 1e-9 * np.abs(found).max(), wrong)
    cells = file["modes/cells"][()]
    begun = cells[tuple(events["site"].T)]
    expect("the first event finds the orientation of the start", begun[0] == events["rotation"][0])
    redrawn = np.count_nonzero(begun != events["rotation"])
    expect("some orientations were drawn again, most not", 0 < redrawn < len(begun) / 2, redrawn)


def main():
    with tempfile.TemporaryDirectory() as folder:
        write(os.path.join(folder, "in.cfg"), INPUT)
        tables, hashes = [], set()
        for name, ranks, more in ("one", 1, ["--set", "output.events=true"]), ("three", 3, [
                "--set", "output.events=true"]), ("without", 1, []):
            done = run(["run", "in.cfg", "-o", name + ".h5", "-q"] + more, ranks, folder)
            expect(name, done.returncode == 0, done.stderr)
            with h5py.File(os.path.join(folder, name + ".h5")) as file:
                hashes.add(file.attrs["state_hash"])
                if more:
                    tables.append(check_table(file))
                else:
                    expect("no table unless asked for", "events" not in file)
        expect("the same on 3 ranks", all(np.array_equal(tables[0][name], tables[1][name]) for name in COLUMNS))
        expect("the trajectory is the same with and without", len(hashes) == 1, hashes)
    finish()


main()
