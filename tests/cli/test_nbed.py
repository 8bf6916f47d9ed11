#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`stzkmc nbed`: scans of stored snapshots against the run's own, a brute-force twin in numpy, and the closed form."""
import os
import shutil
import tempfile

import h5py
import numpy as np

from harness import SOURCE, expect, expect_failure, finish, read, run, write

EDGE, FOIL, PROBE, RADIUS, FRACTION = 32 * 0.58, 15.0, 0.4, 0.5, 0.6
INPUT = f"""model = "{SOURCE}/models/zr65ni35.cfg";
lattice: {{ cells = [32, 32, 32]; spacing_nm = 0.58; }};
order: {{ bragg_fraction = {FRACTION}; cluster_radius_nm = {RADIUS}; }};
protocol = ( {{ type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.056; temperature_K = 295.0; }} );
output: {{ snapshots = true; snapshot_strains = [0.0, 0.045, 0.055]; nbed_strains = [0.0, 0.055]; }};
"""
DATA = ("bragg", "probability", "density", "mask", "counts", "counts_by_domain", "origin_nm")


def levels(path):
    """Attributes and datasets of each level."""
    with h5py.File(path) as file:
        return [(dict(group.attrs), {name: group[name][()] for name in DATA}) for group in file["nbed"].values()]


def same(ours, theirs):
    return ours[0] == theirs[0] and all(np.array_equal(ours[1][name], theirs[1][name]) for name in DATA)


def check_same_optics(folder):
    """Snapshots 0 and 2 were taken with levels 0 and 1 of the run, snapshot 1 with none."""
    own = levels(os.path.join(folder, "out.h5"))
    done = run(["nbed", "out.h5", "-o", "again.h5"], 1, folder)
    expect("same optics", done.returncode == 0, done.stderr)
    again = levels(os.path.join(folder, "again.h5"))
    expect("a level a snapshot", len(own) == 2 and len(again) == 3, len(again))
    expect("the patterns of the deposited film", same(again[0], own[0]))
    expect("the patterns after events", same(again[2], own[1]))
    expect("events took order", own[1][0]["bragg_expected"] < own[0][0]["bragg_expected"] - 0.005)
    expect("a snapshot between levels", again[1][0]["strain"] == 0.045 and not np.array_equal(
        again[1][1]["origin_nm"], again[0][1]["origin_nm"]))
    table = [line.split() for line in done.stdout.splitlines()]
    expect("table", table[0][0] == "#" and [row[0] for row in table[1:]] == ["0", "1", "2"], done.stdout)
    for row, (attrs, _) in zip(table[1:], again):
        told = [float(word) for word in row[1:]]
        true = [attrs["strain"], attrs["time_s"], 8, attrs["bragg_mean"], attrs["bragg_scatter"],
                attrs["bragg_expected"]]
        expect("table of stdout", np.allclose(told, true, rtol=1e-5), f"{told}, {true}")
    done = run(["nbed", "out.h5", "-o", "three.h5"], 3, folder)
    expect("on 3 ranks", done.returncode == 0, done.stderr)
    expect("the same on 3 ranks", all(map(same, again, levels(os.path.join(folder, "three.h5")))))
    done = run(["nbed", "out.h5", "-o", "seed.h5", "--seed", "2"], 1, folder)
    places = [level[1]["origin_nm"] for level in levels(os.path.join(folder, "seed.h5"))]
    expect("another seed", done.returncode == 0 and not np.array_equal(places[0], again[0][1]["origin_nm"]))


def twin(path, level, beam, foil, probe, radius):
    """The patterns of a snapshot by brute force: every probe against every cluster."""
    with h5py.File(path) as file:
        seen = (file["clusters/ordered"][()] > 0) & (file["clusters/oriented"][()] > 0)
        position = file["clusters/position_nm"][()][seen]
    axes = (beam + 1) % 3, (beam + 2) % 3
    bragg = np.zeros_like(level["bragg"])
    for scan, corner in enumerate(level["origin_nm"]):
        inside = (position[:, beam] - corner[beam]) % EDGE < foil
        within = position[inside][:, axes] - corner[list(axes)]
        for i in range(10):
            for j in range(10):
                away = within - probe * (np.array([i, j]) + 0.5)
                away -= EDGE * np.rint(away / EDGE)
                bragg[scan, i, j] = ((away**2).sum(axis=1) <= (radius + probe / 2)**2).any()
    return bragg


def check_other_optics(folder):
    """1 - BR = exp(-lambda A pi (R + probe/2)^2 foil) as deposited, lambda A from the run's own optics."""
    cases = [(0, 12.0, 0.8, 0.5, 40), (1, 18.56, 0.2, 0.7, 8), (2, 15.0, 1.2, 0.3, 8)]
    for beam, foil, probe, radius, scans in cases:
        name = f"beam {'xyz'[beam]}, foil {foil}, probe {probe}, radius {radius}"
        done = run(["nbed", "out.h5", "-o", "other.h5", "--force", "--beam", "xyz"[beam], "--foil-nm", str(foil),
                    "--probe-nm", str(probe), "--cluster-radius-nm", str(radius), "--scans", str(scans)], 1, folder)
        expect(name, done.returncode == 0, done.stderr)
        found = levels(os.path.join(folder, "other.h5"))
        for i, (_, data) in enumerate(found):
            patterns = twin(os.path.join(folder, f"out.{i:04}.hdf"), data, beam, foil, probe, radius)
            expect(f"{name}: snapshot {i}", len(patterns) == scans and np.array_equal(patterns, data["bragg"]))
        power = ((radius + probe / 2) / (RADIUS + PROBE / 2))**2 * foil / FOIL
        true = 1 - (1 - FRACTION)**power
        expected = found[0][0]["bragg_expected"]
        expect(name + ": closed form", abs(expected - true) < 1e-8, f"{expected}, {true}")


def check_refusals(folder):
    before = read(os.path.join(folder, "out.h5"))

    def refuse(name, arguments, code, message, ranks=1):
        expect_failure(name, run(["nbed", *arguments], ranks, folder), code, message, ranks)

    refuse("thick foil", ["out.h5", "--foil-nm", "19"], 2,
           "--foil-nm: nbed.foil_nm: got 19, needs <= 18.56, the box along the beam")
    refuse("thick foil on 3 ranks", ["out.h5", "--foil-nm=19"], 2,
           "--foil-nm: nbed.foil_nm: got 19, needs <= 18.56, the box along the beam", 3)
    refuse("wide probe", ["out.h5", "--probe-nm", "2.0"], 2,
           "--probe-nm: nbed.probe_nm: got 2, needs <= 1.856, for a scan of 10 x 10 probes to fit into the box")
    refuse("no probe", ["out.h5", "--probe-nm", "0"], 2, "--probe-nm: nbed.probe_nm: got 0, needs > 0 and <= 10")
    refuse("scans by name", ["out.h5", "--scans", "many"], 2,
           '--scans: nbed.scans: got "many", needs an integer >= 1 and <= 1000')
    refuse("wide cluster", ["out.h5", "--cluster-radius-nm", "9.2", "--beam", "x"], 2,
           "--cluster-radius-nm: order.cluster_radius_nm: got 9.2, needs > 0 and <= 5")
    refuse("beam", ["out.h5", "--beam", "w"], 2, '--beam: nbed.beam: got "w", needs "x", "y" or "z"')
    refuse("a key that cannot change", ["out.h5", "--set", "order.loss=0.5"], 2,
           "--set: unknown option of `stzkmc nbed`, see stzkmc nbed --help; `stzkmc run` has it")
    refuse("nothing", [], 2, "nbed: got nothing, needs the result file of a run with snapshots")
    refuse("no file", ["none.h5"], 3, "none.h5: cannot open: No such file or directory")
    refuse("the run's own result", ["out.h5", "-o", "out.h5", "--force"], 2,
           "out.h5: is the input itself, needs another output")
    refuse("existing output", ["out.h5", "-o", "again.h5"], 3, "again.h5: exists already; --force replaces it")
    done = run(["run", "in.cfg", "-o", "bare.h5", "-q", "--set", "output.snapshots=false", "--set",
                "protocol[0].until_strain=0.001"], 1, folder)
    expect("run without snapshots", done.returncode == 0, done.stderr)
    refuse("no snapshots", ["bare.h5"], 2, "bare.h5: has no snapshots: its run had output.snapshots = false")
    shutil.copy(os.path.join(folder, "out.h5"), os.path.join(folder, "moved.h5"))
    refuse("result without its snapshots", ["moved.h5"], 3,
           "moved.hdf.series: cannot read: No such file or directory")
    done = run(["run", "in.cfg", "-o", "moved.h5", "-q", "--force", "--seed", "2", "--set",
                "protocol[0].until_strain=0.001"], 1, folder)
    expect("another run", done.returncode == 0, done.stderr)
    shutil.copy(os.path.join(folder, "out.0000.hdf"), os.path.join(folder, "moved.0000.hdf"))
    refuse("snapshot of another run", ["moved.h5", "-o", "new.h5"], 2,
           "moved.0000.hdf: of another input: it has `protocol[0].until_strain = 0.056;`, this one `protocol[0].until_strain = 0.001;`")
    with h5py.File(os.path.join(folder, "moved.0000.hdf"), "a") as file:
        del file["config"]
    refuse("snapshot without its input", ["moved.h5"], 3,
           "moved.0000.hdf: /config/resolved: component not found")
    write(os.path.join(folder, "moved.0000.hdf"), read(os.path.join(folder, "out.0000.hdf"))[:5000])
    done = run(["nbed", "moved.h5"], 2, folder)
    expect("snapshot cut short", done.returncode == 3 and "stzkmc: moved.0000.hdf: " in done.stderr, done.stderr)
    expect("nothing begun is left", not os.path.exists(os.path.join(folder, "new.h5.new")))
    expect("the result is as it was", read(os.path.join(folder, "out.h5")) == before)


def check_values(folder):
    """Values that no run writes, on one rank and on another's part of the box."""
    cases = [("composition", np.nan, "nan", "fractions from 0 to 1"), ("composition", 1.5, "1.5", "fractions from 0 to 1"),
             ("event_count", -1.0, "-1", "counts"), ("event_count", np.inf, "inf", "counts"),
             ("event_count", 2.0**32, "4.29497e+09", "counts")]
    whole = read(os.path.join(folder, "out.0001.hdf"))
    for place in 0, -1:
        for name, value, got, needs in cases:
            with h5py.File(os.path.join(folder, "out.0001.hdf"), "a") as file:
                file[f"VTKHDF/PointData/{name}"][place, place, place] = value
            done = run(["nbed", "out.h5", "-o", "values.h5", "--force"], 2, folder)
            message = f"stzkmc: out.0001.hdf: {name}: got {got}, needs {needs}"
            expect(f"{name} {got}", done.returncode == 3 and message in done.stderr.splitlines(), done.stderr)
            write(os.path.join(folder, "out.0001.hdf"), whole)
    first = os.path.join(folder, "out.0000.hdf")
    whole = read(first)
    with h5py.File(first, "a") as file:
        file.attrs["segment"] = np.nan
    expect_failure("segment", run(["nbed", "out.h5"], 1, folder), 3,
                   "out.0000.hdf: segment: got nan, needs the number of a segment")
    write(first, whole)


def main():
    with tempfile.TemporaryDirectory() as folder:
        write(os.path.join(folder, "in.cfg"), INPUT)
        done = run(["run", "in.cfg", "-o", "out.h5", "-q"], 1, folder)
        expect("run", done.returncode == 0, done.stderr)
        check_same_optics(folder)
        check_other_optics(folder)
        check_refusals(folder)
        check_values(folder)
    finish()


main()
