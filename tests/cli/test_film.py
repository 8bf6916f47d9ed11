#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Films with free surfaces: the stress of one event against the vectors in tests/data; the same run on any number of ranks
and through a restart; the balance of energy; every kind of output; and what is refused."""
import os
import sys
import tempfile

from harness import SOURCE, expect, finish, run, write
from interaction import kernel, off_by, vectors

sys.path.insert(0, os.path.join(SOURCE, "postprocess"))
import h5py  # noqa: E402
import numpy as np  # noqa: E402

INPUT = """model = "zr65ni35-uniform";
lattice: { cells = [16, 16, 16]; boundary = "film"; };
barriers: { width_eV = 0.3; };
protocol = ( { type = "strain-rate"; rate_per_s = 1.0e-4; until_strain = 0.07; } );
"""
EVERYTHING = ["output.events=true", "output.avalanches=true", "output.snapshots=true", "output.nbed_strains=[0.0,0.06]",
              "nbed.foil_nm=5.0", "stz.quenched_strain=0.02"]


def check_vectors(folder):
    """The kernel table has single precision, the vectors seven digits."""
    write(os.path.join(folder, "film.cfg"), """protocol = ( { type = "relaxation"; duration_s = 1.0; } );
lattice: { cells = [16, 16, 16]; boundary = "film"; };\n""")
    for _, (site, mode), points in vectors("film_vectors.txt"):
        strain = [0.115 * p for p in mode]
        for move in (0, 5):
            event, sites = [move, move, site[2]], [[(p[0] + move) % 16, (p[1] + move) % 16, p[2]] for p, _ in points]
            found = kernel(folder, "film.cfg", event, strain, sites, 1 if move else 3)
            worst = off_by(found, points)
            expect(f"vectors, layer {site[2]}, moved by {move}", worst < 1e-6, f"{worst:.3g} GPa off")


def check_fast_vectors(folder):
    """By the fast engine in a film twice as wide: an event and those beside it are the events of the narrow film. Near the
    surfaces interpolation is good to 2 MPa of one event."""
    write(os.path.join(folder, "wide.cfg"), """protocol = ( { type = "relaxation"; duration_s = 1.0; } );
lattice: { cells = [32, 32, 16]; boundary = "film"; }; kmc: { engine = "multilevel"; };\n""")
    for _, (site, mode), points in vectors("film_vectors.txt"):
        sites = [[(p[0] + 16 * i) % 32, (p[1] + 16 * j) % 32, p[2]] for p, _ in points for i in (0, 1) for j in (0, 1)]
        found = kernel(folder, "wide.cfg", [0, 0, site[2]], [0.115 * p for p in mode], sites)
        rows = np.reshape(found, (len(points), 4, 6)).sum(axis=1)
        worst = np.abs(rows - [stress for _, stress in points]).max()
        expect(f"vectors by the fast engine, layer {site[2]}", worst < 2.5e-3, f"{worst:.3g} GPa off")


def check_fast_runs(folder):
    """One trajectory on any number of ranks and through a restart."""
    fast = ["lattice.cells=[32,32,16]", "protocol[0].until_strain=0.06", "barriers.softening_eV=0.1",
            'stz.orientation="aligned"', "stz.quenched_strain=0.01"]
    first, events = state_hash(result(folder, "fast.h5", fast))
    expect("events happen in a fast run", events > 300, events)
    for ranks in 2, 3, 4:
        found = state_hash(result(folder, "fast.h5", fast, ranks))
        expect(f"fast, same on {ranks} ranks", found == (first, events), found)
    found = state_hash(result(folder, "points.h5", [*fast, 'kmc.engine="points"']))
    expect("points", found[1] > 300, found)
    sets, stops = [word for value in fast for word in ("--set", value)], 0
    for part in range(40):  # each has more time than the one before: some stop amid the events on any machine
        call = ["run", "in.cfg", "-o", "part.h5", "-q", "--restart", "--max-walltime", str(0.2 * 1.5**part), *sets]
        done = run(call, (1, 2)[part % 2], folder)
        if done.returncode != 75:
            break
        stops += 1
    expect("fast, stopped", stops >= 1 and done.returncode == 0, (stops, done.stderr))
    found = state_hash(os.path.join(folder, "part.h5"))
    expect("fast, same through restarts", found == (first, events), found)


def result(folder, name, more=(), ranks=1, code=0):
    sets = [word for value in more for word in (["--set", value] if "=" in value else [value])]
    done = run(["run", "in.cfg", "-o", name, "-q", "--force", *sets], ranks, folder)
    expect(name + " runs", done.returncode == code, done.stderr)
    return os.path.join(folder, name)


def state_hash(path):
    with h5py.File(path) as file:
        return file.attrs["state_hash"], int(file["history/events"][-1])


def check_runs(folder):
    first, events = state_hash(result(folder, "one.h5", EVERYTHING))
    expect("events happen", events > 50, events)
    for ranks in 2, 3:
        found = state_hash(result(folder, "more.h5", EVERYTHING, ranks))
        expect(f"same on {ranks} ranks", found == (first, events), found)
    softening = ["barriers.softening_eV=0.3", "barriers.redraw=\"centre\"", "stz.orientation=\"aligned\""]
    one, other = (state_hash(result(folder, "soft.h5", softening, ranks)) for ranks in (1, 2))
    expect("softening, same on 2 ranks", one == other, (one, other))


def check_energy(folder):
    """What goes in is heat or stored, over 1,000 events by either engine; the stored part is found from the fields at the
    rows' times."""
    for engine, sets, share in (
            ("direct", ["protocol[0].until_strain=0.22"], 1e-6),
            ("multilevel",
             ["lattice.cells=[32,32,16]", "protocol[0].until_strain=0.08", "barriers.softening_eV=0.1"], 1e-4)):
        path = result(folder, engine + ".h5", [f'kmc.engine="{engine}"', *sets])
        with h5py.File(path) as file:
            work, heat, stored = (file["history/" + name][:] for name in
                                  ("work_MJ_per_m3", "heat_MJ_per_m3", "elastic_energy_MJ_per_m3"))
        missing = np.abs(work - heat - (stored - stored[0])).max() / work[-1]
        expect(f"energy, {engine}, over 1,000 events", state_hash(path)[1] > 1000, state_hash(path))
        expect("energy, " + engine, missing < share, missing)


def check_activity(folder):
    """The layers at the surfaces flow as much as the others, to the scatter of the counts: cut shapes would halve it."""
    result(folder, "many.h5", ["lattice.cells=[24,24,16]", "output.events=true", "protocol[0].until_strain=0.12"])
    with h5py.File(os.path.join(folder, "many.h5")) as file:
        layer = np.asarray(file["events/site"])[:, 2]
    counts = np.bincount(layer, minlength=16)
    surface, middle = (counts[0] + counts[15]) / 2, counts[3:13].mean()
    expect("activity at the surfaces", 0.7 < surface / middle < 1.6, counts)


def check_surface_barriers(folder):
    """Of the first three layers the depth takes all, a half and none; the difference is exact to single precision."""
    bases = []
    for value in 0.0, -0.1:
        path = result(folder, "surface.h5", [f"barriers.surface_eV={value}", "barriers.surface_depth_nm=0.87",
                                             "output.snapshots=true", "output.snapshot_strains=[0.0]",
                                             "protocol[0].until_strain=0.001"])
        with h5py.File(path[:-3] + ".0000.hdf") as file:
            bases.append(np.asarray(find(file, "barrier_eV")))
    change = np.round(np.ravel(bases[1] - bases[0]).reshape(16, 16, 16), 5)
    layers = [axis for axis in range(3) if np.ptp(np.moveaxis(change, axis, 0).reshape(16, -1), axis=1).max() < 2e-5]
    expect("surface barriers by layers", len(layers) == 1, layers)
    profile = np.moveaxis(change, layers[0], 0)[:, 0, 0] if layers else change[:, 0, 0]
    expect("surface barriers", np.allclose(profile, [-0.1, -0.05] + [0.0] * 12 + [-0.05, -0.1], atol=2e-5), profile)


def check_domains(folder):
    """Composition at one surface knows nothing of that at the other; in a periodic box the two are neighbours."""
    shared = []
    for boundary in "film", "periodic":
        path = result(folder, "domains.h5", [f'lattice.boundary="{boundary}"', "lattice.cells=[24,24,16]",
                                             'microstructure.type="random-waves"', "output.snapshots=true",
                                             "output.snapshot_strains=[0.0]", "protocol[0].until_strain=0.001"])
        with h5py.File(path[:-3] + ".0000.hdf") as file:
            field = np.asarray(find(file, "composition")).reshape(-1)
        field = field.reshape(16, 24, 24)  # z, y, x
        shared.append(np.corrcoef(field[0].ravel(), field[15].ravel())[0, 1])
    expect("surfaces share no domains", abs(shared[0]) < 0.35 < shared[1], shared)


def check_structures(folder):
    """Layers begin at the lower surface with a Ni-rich one, and the upper surface cuts the last where it comes; a quench
    has the room of the box that it is cut out of, twice its length more than a film of 4.6 nm."""
    more = ["output.snapshots=true", "output.snapshot_strains=[0.0]", "protocol[0].until_strain=0.001"]
    path = result(folder, "layers.h5", ['microstructure.type="layers"', 'microstructure.profile="cut"',
                                        "microstructure.layer_period_nm=3.9", "microstructure.layer_rich_share=0.4", *more])
    with h5py.File(path[:-3] + ".0000.hdf") as file:
        layers = np.asarray(find(file, "composition")).reshape(16, -1)
    rich = (np.arange(16) + 0.5) * 0.58 % 3.9 < 0.4 * 3.9
    expect("layers", np.ptp(layers) > 0.0 and np.array_equal(layers > layers.mean(), np.outer(rich, np.full(256, True))),
           layers[:, 0])
    result(folder, "quench.h5", ['microstructure.type="cahn-hilliard"', "lattice.cells=[24,24,8]", *more])


def find(file, name):
    """The dataset of a file whose path ends in `name`."""
    found = []
    file.visititems(lambda path, item: found.append(item) if path.endswith(name) and hasattr(item, "shape") else None)
    return found[0]


BAD = [
    ("multilevel", ["kmc.engine=\"multilevel\""], "lattice.cells: got [16, 16, 16], needs at least 32 along x and y with "
     "kmc.engine = \"multilevel\""),
    ("shear", ["protocol[0].mode=\"shear\""], "protocol[0].mode: got \"shear\", needs \"uniaxial\" with "
     "lattice.boundary = \"film\": simple shear holds strains that free surfaces do not"),
    ("beam", ["nbed.beam=\"x\""], "nbed.beam: got \"x\", needs \"z\" with "
     "lattice.boundary = \"film\": the beam goes through the film"),
    ("thin", ["lattice.cells=[16,16,8]", "lattice.spacing_nm=0.25"], "lattice.cells: got [16, 16, 8], needs a film of "
     "2.36 nm or more, in which the shape of an STZ does not reach over both surfaces"),
    ("large", ["lattice.cells=[128,128,64]", "kmc.engine=\"direct\""], "lattice.cells: got [128, 128, 64], needs another "
     "kmc.engine or a smaller film: its kernel table has 1731 MB, at most 1000 are taken"),
    ("narrow", ["lattice.cells=[8,16,16]"], "lattice.cells: got [8, 16, 16], needs at least 16 along x and y with "
     "lattice.boundary = \"film\""),
    ("no surface", ["barriers.surface_eV=-0.1", "lattice.boundary=\"periodic\""], "barriers.surface_eV: got -0.1, needs "
     "lattice.boundary = \"film\", as a periodic box has no surface"),
    ("periodic and thin", ["lattice.cells=[16,16,8]", "lattice.boundary=\"periodic\""], "lattice.cells: got [16, 16, 8], "
     "needs at least 16 per axis, but for the thickness z of a film"),
]


def check_bad(folder):
    for name, sets, message in BAD:
        call = [word for value in sets for word in ("--set", value)]
        done = run(["check", "in.cfg", *call], 1, folder)
        expect(name, done.returncode == 2 and done.stderr.rstrip().endswith(message) and done.stderr.count("\n") == 1,
               done.stderr)
    done = run(["check", "in.cfg"], 1, folder)
    expect("auto", "# engine: direct (auto, as multilevel needs 32 voxels along x and y and the box has "
           "16 x 16 x 16)\n" in done.stdout, done.stdout[-400:])


with tempfile.TemporaryDirectory() as folder:
    write(os.path.join(folder, "in.cfg"), INPUT)
    check_vectors(folder)
    check_fast_vectors(folder)
    check_fast_runs(folder)
    check_runs(folder)
    check_energy(folder)
    check_activity(folder)
    check_surface_barriers(folder)
    check_domains(folder)
    check_structures(folder)
    check_bad(folder)
finish()
