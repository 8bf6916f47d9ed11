#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Composition fields as other programs leave them: each gives the right field or an error of one line, never a wrong
field. What a run has read is looked up in its result."""
import itertools
import os
import re
import shutil
import tempfile

import h5py
import numpy as np

from harness import SOURCE, expect, expect_failure, finish, run, write

INPUT = f"""model = "{SOURCE}/models/zr65ni35.cfg";
lattice: {{ cells = [%d, %d, %d]; }};
nbed: {{ foil_nm = 6.0; }};
microstructure: {{ type = "file"; file = "%s"; dataset = "%s"; %s }};
output: {{ nbed_strains = [%s]; snapshots = %s; }};
protocol = ( {{ type = "age"; duration_s = 1e-15; temperature_K = 77.0; }} );
"""
NAMED = "in.cfg:4: microstructure.file: "  # how messages about it begin
CUBE, BRICK = (16, 16, 16), (32, 16, 24)


def wave(cells):
    """Unlike in every direction."""
    x, y, z = np.indices(cells) / np.array(cells)[:, None, None, None]
    return 0.35 + 0.15 * np.sin(2 * np.pi * (x + 2 * y)) * np.cos(2 * np.pi * (z + x))


def compute(folder, cells, file, dataset="c", ranks=1, snapshots=False, more=""):
    text = INPUT % (*cells, file, dataset, more, "0.0" if snapshots else "", "true" if snapshots else "false")
    write(os.path.join(folder, "in.cfg"), text)
    return run(["run", "in.cfg", "-o", "out.h5", "-q", "--force"], ranks, folder)


def expect_field(name, folder, cells, file, truth, dataset="c", ranks=1, more=""):
    done = compute(folder, cells, file, dataset, ranks, more=more)
    expect(name, done.returncode == 0, done.stderr)
    if done.returncode == 0:
        with h5py.File(os.path.join(folder, "out.h5")) as result:
            found = result["microstructure/composition"][()]
        expect(name + ": values", found.shape == truth.shape and np.abs(found - truth).max() < 1e-6,
               np.abs(found - truth).max() if found.shape == truth.shape else found.shape)


def make(folder, name, data=None, how=None, change=None, **settings):
    with h5py.File(os.path.join(folder, name), "w", **settings) as file:
        made = file.create_dataset("c", data=data, **(how or {}))
        if change:
            change(file, made)


def label(letters):
    def change(_, dataset):
        for axis, letter in enumerate(letters):
            dataset.dims[axis].label = letter
    return change


def attach(letters):
    """Scales, as xarray and netCDF write them."""
    def change(file, dataset):
        for axis, letter in enumerate(letters):
            file[letter] = np.arange(dataset.shape[axis])
            file[letter].make_scale(letter)
            dataset.dims[axis].attach_scale(file[letter])
    return change


def check_right(folder):
    cube, brick = wave(CUBE), wave(BRICK)
    over = cube.copy()
    over[3, 4, 5], over[0, 0, 0] = np.nextafter(1, 2), -1e-8
    cases = {
        "ok": (cube, {}, None), "one_over": (over, {}, None), "single": (cube.astype("f4"), {}, None),
        "trailing": (cube[..., None], {}, None), "leading": (cube[None], {}, None),
        "packed": (cube, {"compression": 4, "chunks": (4, 8, 16), "shuffle": True}, None),
        "turned_labels": (cube.T, {}, label("zyx")), "turned_scales": (cube.T, {}, attach("zyx")),
        "same_labels": (cube, {}, label("xyz")),
    }
    for name, (data, how, change) in cases.items():
        make(folder, name, data, how, change)
        expect_field(name, folder, CUBE, name, np.clip(over, 0, 1) if name == "one_over" else cube)
    for order in itertools.permutations("xyz"):
        turned, order = brick.transpose(["xyz".index(axis) for axis in order]), "".join(order)
        make(folder, "brick", turned, change=label(order))
        expect_field(f"a brick that says {order}", folder, BRICK, "brick", brick, ranks=3 if order == "zyx" else 1)
        if order not in ("yzx", "zyx"):
            continue
        make(folder, "mute", turned)
        expect_field(f"a brick, {order} by the input", folder, BRICK, "mute", brick, more=f'axes = "{order}";', ranks=2)
        said = run(["check", "in.cfg"], cwd=folder).stdout
        line = f"microstructure.file: axes {' '.join(order)}, values from 0.2 to 0.5"
        expect("its order is printed", line in said, said)


def check_floor(folder):
    """Barriers at their floor as check says and as a run has them, for each kind of domains."""
    for kind, sets in (("waves", []), ("cut", ['microstructure.profile="cut"', "barriers.interface_eV=3.0"]),
                       ("layers", ['microstructure.type="layers"', "microstructure.layer_period_nm=9.28"]),
                       ("quench", ['microstructure.type="cahn-hilliard"'])):
        sets = sets + ["lattice.cells=[32,32,32]", "barriers.composition_eV=5.0", "output.nbed_strains=[]"]
        sets += ['protocol=({type="age";duration_s=1e-15;temperature_K=77.0;})']
        call = [os.path.join(SOURCE, "inputs", "onchip.cfg")] + [word for one in sets for word in ("--set", one)]
        said = run(["check"] + call, cwd=folder).stdout
        done = run(["run"] + call + ["-o", "floor.h5", "--force", "-q"], cwd=folder)
        expect(f"floor, {kind}: runs", done.returncode == 0, done.stderr)
        with h5py.File(os.path.join(folder, "floor.h5")) as result:
            truth = (result["microstructure/barrier_initial_eV"][()] <= 0.2001).mean()
        share = float(re.search(r"barriers at their floor of \S+ eV: (\S+) of all sites", said)[1])
        expect(f"floor, {kind}: as said", abs(share - truth) < 0.05, f"{share} and {truth}")


def check_phases(folder):
    """A map of 0 and 1: composition 0.35 + 0.15 (g - mean g) of the default keys, g = -1 and 1."""
    x, y, z = np.indices(CUBE) - 7.5
    sphere = x**2 + y**2 + z**2 < 36
    g = np.where(sphere, 1.0, -1.0)
    truth = 0.35 + 0.15 * (g - g.mean())
    for name, data in (("byte", sphere.astype("u1")), ("truth", sphere), ("float", sphere.astype("f4"))):
        make(folder, name, data)
        expect_field("phases: " + name, folder, CUBE, name, truth, ranks=2)
        said = run(["check", "in.cfg"], cwd=folder).stdout
        expect("phases are said", "a map of two phases, g = -1 and 1" in said and "at their floor" not in said, said)
    with h5py.File(os.path.join(folder, "out.h5")) as result:
        barrier = result["microstructure/barrier_initial_eV"][()]
        expect("phases: barriers", barrier.min() > 0.5, barrier.min())
    low = 'values = "nickel"; }; barriers: { mean_eV = 1.6; composition_eV = 0.7;'  # -0.03 eV where Ni is 0
    expect_field("fractions of 0 and 1", folder, CUBE, "byte", sphere.astype(float), more=low)
    said = run(["check", "in.cfg"], cwd=folder).stdout
    with h5py.File(os.path.join(folder, "out.h5")) as result:
        low = result["microstructure/barrier_initial_eV"][()] <= 0.2001
    share = float(re.search(r"barriers at their floor of \S+ eV: (\S+) of all sites", said)[1])
    expect("the range of g", "atomic fractions of Ni, g from -2.33 to 4.33" in said, said)
    expect("the share of barriers at the floor is the run's", 0.5 < share < 0.9 and abs(share - low.mean()) < 0.03,
           f"{share} {low.mean()}")
    make(folder, "three", np.where(sphere, 1, 0.5 * (x > 0)))
    expect_failure("three phases", compute(folder, CUBE, "three", more='values = "phases";'), 2,
                   NAMED + "got 0.5 at voxel [8, 0, 0], needs 0 or 1 with values = \"phases\"")


def check_snapshots(folder):
    """The composition of our own snapshot, which has x fastest."""
    for cells in CUBE, BRICK:
        make(folder, "start", wave(cells))
        done = compute(folder, cells, "start", snapshots=True)
        expect("a run with snapshots", done.returncode == 0, done.stderr)
        os.replace(os.path.join(folder, "out.0000.hdf"), os.path.join(folder, "taken.hdf"))
        for ranks in 1, 2:
            expect_field(f"{cells} of a snapshot", folder, cells, "taken.hdf", wave(cells),
                         "/VTKHDF/PointData/composition", ranks)


def check_wrong(folder):
    cube = wave(CUBE)
    bad = cube.copy()
    bad[1, 2, 3] = np.nan
    needs = "needs 0 to 1, atomic fractions of Ni"
    order = (cube - 0.35) / 0.15
    first = tuple(int(i) for i in np.argwhere(order < 0)[0])
    whole = "not all of its values were ever written"
    cases = {
        "nan": (bad, {}, f"got nan at voxel [1, 2, 3], {needs}"),
        "percent": (100 * cube, {}, f"got 35 at voxel [0, 0, 0], {needs}; percent? "
                    "stz-post field --scale 0.01 makes fractions of them"),
        "order": (order, {}, f"got {order[first]:g} at voxel {list(first)}, {needs}"),
        "text": (np.full(CUBE, b"0.3"), {}, "text: c: got something else than numbers"),
        "lzf": (cube, {"compression": "lzf"}, "lzf: c: packed by the filter lzf, number 32000, which HDF5 lacks here; "
                "write it with gzip or unpacked, or let stz-post field read it, with Python's filters"),
        "unwritten": (None, {"shape": CUBE, "dtype": "f8"}, f"unwritten: c: {whole}"),
        "unwritten_chunks": (None, {"shape": CUBE, "dtype": "f8", "chunks": (8, 8, 8)}, f"unwritten_chunks: c: {whole}"),
        "external": (None, {"shape": CUBE, "dtype": "f8", "external": [("gone.raw", 0, 8 * 16**3)]},
                     "external: c: its values lie in another file; copy them into one (h5repack)"),
        "small": (wave((8, 8, 8)), {}, "small: c: got 8 x 8 x 8 values, needs 16 x 16 x 16, the lattice's cells"),
    }
    for name, (data, how, message) in cases.items():
        make(folder, name, data, how)
        expect_failure(name, compute(folder, CUBE, name), 2, NAMED + message)
        expect_failure(name + ": check", run(["check", "in.cfg"], cwd=folder), 2, NAMED + message)
    make(folder, "filled", how={"shape": CUBE, "dtype": "f8"}, change=lambda file, made: made.write_direct(np.zeros(CUBE)))
    expect_failure("fill values alone", compute(folder, CUBE, "filled"), 2,
                   NAMED + "filled: c: all values are its fill value, so that it was never written")
    expect_failure("fill values alone: check", run(["check", "in.cfg"], cwd=folder), 2,
                   NAMED + "filled: c: all values are its fill value, so that it was never written")
    make(folder, "part", how={"shape": CUBE, "dtype": "f8", "chunks": (8, 8, 8)},
         change=lambda file, made: made.write_direct(cube[:8], dest_sel=np.s_[:8]))
    expect_failure("half of it", compute(folder, CUBE, "part"), 2, NAMED + f"part: c: {whole}")
    make(folder, "yxz", wave(BRICK), change=label("yxz"))
    expect_failure("another order", compute(folder, BRICK, "yxz"), 2,
                   NAMED + "yxz: c: got 32 x 16 x 24 values, needs 16 x 32 x 24, the lattice's cells, since its axes are y x z")
    np.save(os.path.join(folder, "array.npy"), cube)
    for name, begin, what in (
        ("array.npy", None, "an array of NumPy"),
        ("image.vti", '<?xml version="1.0"?>', "XML, as VTK's images are"),
        ("bare.vti", "<VTKFile type=", "a file of VTK"),
        ("old.vtk", "# vtk DataFile Version 3.0", "a file of VTK"),
        ("many.npz", "PK\3\4", "an archive of NumPy or others"),
    ):
        if begin:
            write(os.path.join(folder, name), begin)
        for done in compute(folder, CUBE, name), run(["check", "in.cfg"], cwd=folder):
            expect_failure(name, done, 2, f"{NAMED}{name}: {what}, needs HDF5: `stz-post field {name} -o FIELD.h5` makes it of "
                           ".npy, .npz and .vti")
    layout = h5py.VirtualLayout(CUBE, "f8")
    layout[...] = h5py.VirtualSource("gone.h5", "c", CUBE)
    with h5py.File(os.path.join(folder, "virtual"), "w") as file:
        file.create_virtual_dataset("c", layout)
    with h5py.File(os.path.join(folder, "link"), "w") as file:
        file["c"] = h5py.ExternalLink("start", "c")
    for name in "virtual", "link":
        expect_failure(name, compute(folder, CUBE, name, ranks=1), 2,
                       f"{NAMED}{name}: c: its values lie in another file; copy them into one (h5repack)")
    os.mkfifo(os.path.join(folder, "pipe"))
    expect_failure("no file", compute(folder, CUBE, "pipe"), 3, NAMED + "pipe: cannot open: it is no file")


BARRIERS = f"""model = "{SOURCE}/models/zr65ni35.cfg";
lattice: {{ cells = [16, 16, 16]; }};
nbed: {{ foil_nm = 6.0; }};
microstructure: {{ type = "uniform"; }};
barriers: {{ softening_eV = 0.2; saturation = 2.0; %s }};
output: {{ snapshots = true; snapshot_strains = [0.0, %s]; }};
protocol = ( {{ type = "strain-rate"; rate_per_s = 1.0e-4; until_strain = %s; temperature_K = 295.0; }} );
"""


def compute_barriers(folder, keys, ranks=1, strain=1e-6, more=()):
    write(os.path.join(folder, "b.cfg"), BARRIERS % (keys, strain, strain))
    return run(["run", "b.cfg", "-o", "b.h5", "-q", *(more or ["--force"])], ranks, folder)


def initial_barrier(folder):
    with h5py.File(os.path.join(folder, "b.h5")) as result:
        return result["microstructure/barrier_initial_eV"][()].astype(float)


def check_barriers(folder):
    """Damage and rise of the barriers, voxel by voxel: with the softening they are what the barriers differ by."""
    damage, rise = 2 * wave(CUBE), wave(CUBE) - 0.35
    make(folder, "damage", damage, change=lambda file, _: file.create_dataset("damage", data=damage.T))
    make(folder, "rise", rise.T, change=label("zyx"))
    expect("no file", compute_barriers(folder, "").returncode == 0)
    plain = initial_barrier(folder)
    file = 'damage_shape = "file"; damage_file = "damage";'
    for name, keys, change, ranks in (
        ("damage", file + ' damage_dataset = "c";', -0.2 * damage, 1),
        ("damage by its default name", file, -0.2 * damage.T, 3),
        ("a rise, turned", 'rise_file = "rise"; rise_dataset = "c";', rise, 2),
    ):
        done = compute_barriers(folder, keys, ranks)
        expect(name, done.returncode == 0, done.stderr)
        found = initial_barrier(folder) - plain
        expect(name + ": barriers", np.abs(found - change).max() < 2e-6, np.abs(found - change).max())
    damage[3, 2, 1], rise[1, 2, 3] = 2.5, np.nan
    make(folder, "damage", damage)
    make(folder, "rise", rise)
    wrong = (
        (file + ' damage_dataset = "c";', "b.cfg:5: barriers.damage_file: got 2.5 at voxel [3, 2, 1], needs 0 to 2, the saturation"),
        ('rise_file = "rise"; rise_dataset = "c";', "b.cfg:5: barriers.rise_file: got nan at voxel [1, 2, 3], needs -5 to 5, eV"),
        ('damage_shape = "file";', 'b.cfg:5: barriers.damage_file: got "" (default), needs a file in HDF5 format with '
         'damage_shape = "file"'),
        ('rise_file = "rise";', "b.cfg:5: barriers.rise_file: rise: /rise_eV: got no dataset of this name"),
    )
    for keys, message in wrong:
        expect_failure(message, compute_barriers(folder, keys), 2, message)
        expect_failure("check: " + message, run(["check", "b.cfg"], cwd=folder), 2, message)


def check_missing(folder):
    """A file that is not there: the line and the key that name it, and where it was looked for."""
    os.mkdir(os.path.join(folder, "inputs"))
    shutil.copy(os.path.join(SOURCE, "inputs", "smoke.cfg"), os.path.join(folder, "inputs", "plain.cfg"))
    said = "cannot open: No such file or directory"
    for name, keys, key in (
        ("damage", 'damage_shape = "file";\n damage_file = "none.h5";', "b.cfg:6: barriers.damage_file"),
        ("rise", 'rise_file = "none.h5";', "b.cfg:5: barriers.rise_file"),
    ):
        expect_failure(f"missing {name}", compute_barriers(folder, keys), 3, f"{key}: none.h5: {said}")
        expect_failure(f"missing {name}: check", run(["check", "b.cfg"], cwd=folder), 3, f"{key}: none.h5: {said}")
    for ranks in 1, 3:
        expect_failure(f"missing on {ranks}", compute(folder, CUBE, "none.h5", ranks=ranks), 3, f"{NAMED}none.h5: {said}", ranks)
    sets = ["--set", f'model="{SOURCE}/models/zr65ni35.cfg"', "--set", 'microstructure.type="file"', "--set", 'microstructure.file="none.h5"']
    expect_failure("missing, --set", run(["check", "inputs/plain.cfg", *sets], cwd=folder), 3,
                   f"--set: microstructure.file: inputs/none.h5: {said}")
    write(os.path.join(folder, "s.cfg"), 'input = "in.cfg"; seed = 1;\naxes = ( { key = "barriers.width_eV"; values = [0.1]; } );\n')
    expect_failure("missing, sweep", run(["sweep", "s.cfg", "-o", "swept"], cwd=folder), 3, f"{NAMED}none.h5: {said}")
    expect("missing: nothing is begun", not os.path.exists(os.path.join(folder, "swept")), os.listdir(folder))


def state_hash(folder):
    with h5py.File(os.path.join(folder, "b.h5")) as result:
        return result.attrs["state_hash"]


def check_restart(folder):
    """A run with both files goes on to the same end on other ranks; with a file that has changed it does not."""
    make(folder, "damage", 2 * wave(CUBE))
    make(folder, "rise", 0.1 * wave(CUBE))
    keys = 'damage_shape = "file"; damage_file = "damage"; damage_dataset = "c"; rise_file = "rise"; rise_dataset = "c";'
    expect("whole", compute_barriers(folder, keys, 1, 0.05).returncode == 0)
    whole = state_hash(folder)
    stopped = compute_barriers(folder, keys, 2, 0.05, ["--force", "--max-walltime", "0.0001"])
    expect("stopped", stopped.returncode == 75, stopped.stderr)
    kept = {name: open(os.path.join(folder, name), "rb").read() for name in ("damage", "rise")}
    for name in kept:
        make(folder, name, 0.05 * wave(CUBE))
        done = compute_barriers(folder, keys, 1, 0.05, ["--restart"])
        expect(f"another {name} is noticed", done.returncode == 2 and f"barriers.{name}_file" in done.stderr, done.stderr)
        with open(os.path.join(folder, name), "wb") as file:
            file.write(kept[name])
    done = compute_barriers(folder, keys, 3, 0.05, ["--restart"])
    expect("goes on", done.returncode == 0 and state_hash(folder) == whole, done.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_right(folder)
        check_floor(folder)
        check_phases(folder)
        check_snapshots(folder)
        check_wrong(folder)
        check_barriers(folder)
        check_missing(folder)
        check_restart(folder)
    finish()


main()
