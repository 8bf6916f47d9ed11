#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Avalanches against a twin in Python over the table of events of the same run; the statistics at their levels; the
balance of energy: on one rank and on three, stopped and restarted, along a tension and an actuator with relaxation."""
import os
import tempfile

import h5py
import numpy as np

from harness import SOURCE, expect, finish, run, stop, write

CELLS = np.array([24, 24, 24])
SPACING, WINDOW, REACH, MEMORY, YOUNG = 0.58, 0.4, 2.0, 20, 72.0
HEAD = f"""model = "{SOURCE}/models/zr65ni35.cfg";
lattice: {{ cells = [{CELLS[0]}, {CELLS[1]}, {CELLS[2]}]; }};
output: {{ events = true; avalanches = true; statistics_strains = [0.0, 0.05, 0.06]; }};
avalanches: {{ window = {WINDOW}; reach_nm = {REACH}; }};
"""
TENSION = HEAD + """protocol = (
  { type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.065; temperature_K = 295.0; } );
"""
ACTUATOR = HEAD + """protocol = (
  { type = "actuator"; geometry = "small"; stiffness_GPa = 72.0; mismatch_strain = 0.11; release_s = 60.0;
    duration_s = 1.0e4; },
  { type = "relaxation"; duration_s = 1.0e4; },
  { type = "creep"; stress_GPa = 3.1; duration_s = 100.0; } );
"""


def nearest(d):
    return d - CELLS * np.rint(d / CELLS)


def share_within():
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in CELLS], indexing="ij"), axis=-1).reshape(-1, 3)
    return np.mean((nearest(grid) ** 2).sum(axis=1) * SPACING**2 <= REACH**2)


def twin(events):
    """The rule of docs/theory.md, event by event, over all events before."""
    time, site = events["time_s"], events["site"].astype(float)
    share, mean, waits, clusters, cluster_of = share_within(), 0.0, 0, [], []
    until, place = np.zeros(len(time)), np.zeros((len(time), 3))
    for i, now in enumerate(time):
        if i > 0:
            waits = min(waits + 1, MEMORY)
            mean += (now - time[i - 1] - mean) / waits
        until[i] = now + WINDOW * mean / share
        d = nearest(site[i] - site[:i]) * SPACING
        parents = np.flatnonzero((until[:i] >= now) & ((d**2).sum(axis=1) <= REACH**2 * (1 + 1e-9)))
        if len(parents):
            cluster_of.append(cluster_of[parents[-1]])
            place[i] = place[parents[-1]] + d[parents[-1]]
        else:
            cluster_of.append(len(clusters))
            clusters.append([])
        clusters[cluster_of[i]].append(i)
    return clusters, place


def check_avalanches(name, file, stress_drops):
    events = {key: column[()] for key, column in file["events"].items()}
    found = {key: column[()] for key, column in file["avalanches"].items()}
    clusters, place = twin(events)
    order = np.argsort(found["begin_s"])
    expect(f"{name}: as many", len(order) == len(clusters), (len(order), len(clusters)))
    expect(f"{name}: all events", found["size"].sum() == len(events["time_s"]))
    sizes = np.array([len(c) for c in clusters])
    expect(f"{name}: some are large", sizes.max() >= 5 and (sizes == 1).any(), sizes.max())
    expect(f"{name}: sizes", np.array_equal(found["size"][order], sizes))
    begin = np.array([events["time_s"][c[0]] for c in clusters])
    end = np.array([events["time_s"][c[-1]] for c in clusters])
    expect(f"{name}: begins and durations", np.array_equal(found["begin_s"][order], begin)
           and np.allclose(found["duration_s"][order], end - begin, rtol=1e-12, atol=1e-12 * end[-1]))  # of the segment's
    strain = events["plastic_strain_axial"].astype(float)
    sums = np.array([strain[c].sum() for c in clusters])
    expect(f"{name}: plastic strain", np.allclose(found["plastic_strain"][order], sums, rtol=1e-5, atol=1e-10))
    drops = np.array([stress_drops(events, strain)[c].sum() for c in clusters])
    expect(f"{name}: stress drops", np.allclose(found["stress_drop_GPa"][order], drops, rtol=1e-4, atol=1e-7),
           np.abs(found["stress_drop_GPa"][order] - drops).max())
    centres = [place[c].mean(axis=0) for c in clusters]
    radii = [np.sqrt(((place[c] - centre) ** 2).sum(axis=1).mean()) for c, centre in zip(clusters, centres)]
    expect(f"{name}: radii", np.allclose(found["gyration_radius_nm"][order], radii, rtol=1e-5, atol=1e-5))
    box = CELLS * SPACING
    first = np.array([events["site"][c[0]] for c in clusters])
    off = (found["centre_nm"][order] - ((first + 0.5) * SPACING + centres) + box / 2) % box - box / 2
    expect(f"{name}: centres", np.abs(off).max() < 1e-4, np.abs(off).max())
    expect(f"{name}: those open at the end", 0 < (found["whole"] == 0).sum() < 100, (found["whole"] == 0).sum())
    return found


def check_energy(name, file):
    history = file["history"]
    work, heat, elastic, internal = (history[key + "_MJ_per_m3"][()]
                                     for key in ("work", "heat", "elastic_energy", "internal_energy"))
    gap = np.abs(work - heat - (elastic - elastic[0])).max()
    expect(f"{name}: work = elastic energy + heat", gap < 1e-5 * work.max(), gap)
    stress = history["stress_axial_GPa"][()]
    expect(f"{name}: energy of the mean stress",
           np.allclose(elastic - internal, 1e3 * stress**2 / (2 * YOUNG), rtol=1e-9, atol=1e-9))
    expect(f"{name}: heat is given off", heat[-1] > 5.0 and internal[-1] > 5.0, (heat[-1], internal[-1]))
    sheared = len(np.unique(file["events/site"][()], axis=0)) / CELLS.prod()
    expect(f"{name}: sheared voxels", abs(history["sheared_fraction"][-1] / sheared - 1) < 1e-12, sheared)
    ratio = history["participation_ratio"][-1]
    expect(f"{name}: participation", 0.5 * sheared < ratio < 1.5 * sheared and np.isnan(history["participation_ratio"][0]))


def work_by_hand(name, file):
    """Under strain control: the integral of the stress over the strain, jump by jump."""
    events, history = file["events"], file["history"]
    strain = 1e-6 * np.concatenate([events["time_s"][()], [history["time_s"][-1]]])
    plastic = np.concatenate([[0.0], np.cumsum(events["plastic_strain_axial"][()].astype(float))])
    before, after = YOUNG * (strain - plastic), YOUNG * (np.concatenate([[0.0], strain[:-1]]) - plastic)
    work = 1e3 * np.sum(0.5 * (before + after) * np.diff(np.concatenate([[0.0], strain])))
    expect(f"{name}: work", abs(history["work_MJ_per_m3"][-1] / work - 1) < 1e-4, (work, history["work_MJ_per_m3"][-1]))


def check_statistics(name, file):
    sites = CELLS.prod()
    expect(f"{name}: levels", list(file["correlation"]) == list(file["distributions"])
           == ["level_00", "level_01", "level_02"], list(file["correlation"]))
    for level, strain in zip(file["distributions"].values(), (0.0, 0.05, 0.06)):
        expect(f"{name}: strain", level.attrs["strain"] == strain)
        for key in "barrier_eV", "resolved_stress_GPa", "activation_eV":
            counts, edges = level[key][()], level[key + "_edges"][()]
            expect(f"{name}: {key}: all sites", counts.sum() == sites and counts.shape == (2, len(edges) - 1))
            expect(f"{name}: {key}: up to the last", counts[:, -1].sum() > 0)
    first, last = file["distributions/level_00"], file["distributions/level_02"]
    expect(f"{name}: no stress at the start", first["resolved_stress_GPa"].shape == (2, 1))
    expect(f"{name}: barriers at the start are those of the microstructure", np.array_equal(
        first["barrier_eV"][()].sum(axis=0),
        np.histogram(file["microstructure/barrier_initial_eV"][()].astype(float), first["barrier_eV_edges"][()])[0]))
    expect(f"{name}: the same where there is no stress",
           np.array_equal(first["barrier_eV"][()], first["activation_eV"][()]))
    middle = (last["resolved_stress_GPa_edges"][:-1] + last["resolved_stress_GPa_edges"][1:]) / 2
    mean = np.average(middle, weights=last["resolved_stress_GPa"][()].sum(axis=0))
    expect(f"{name}: resolved stress", 0.4 * 3.0 < mean < 0.6 * 4.5, mean)
    rich = first["barrier_eV"][()] @ first["barrier_eV_edges"][:-1] / first["barrier_eV"][()].sum(axis=1)
    expect(f"{name}: barriers are higher in Ni-rich domains", rich[0] > rich[1] + 0.1, rich)
    expect(f"{name}: no plastic strain, no correlation",
           np.isnan(file["correlation/level_00/radial"][()]).all())
    for group in file["correlation/level_01"], file["correlation/level_02"]:
        radial, line = group["radial"][()], group["line"][()]
        expect(f"{name}: correlation", radial[0] == 1 and (line[:, 0] == 1).all() and np.abs(line[:, 1:]).max() < 1
               and 0.1 < radial[1] < 0.9, radial)


def contents(path):
    """Every number of the result, and its hash."""
    found = {}
    with h5py.File(path) as file:
        def visit(name, item):
            found.update({f"{name}@{key}": str(value) for key, value in item.attrs.items()})
            if isinstance(item, h5py.Dataset) and not name.startswith("config/"):
                found[name] = item[()].tobytes()
        file.visititems(visit)
        return found, file.attrs["state_hash"]


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, text in ("tension", TENSION), ("actuator", ACTUATOR):
            write(os.path.join(folder, name + ".cfg"), text)
            path = os.path.join(folder, name + ".h5")
            done = run(["run", name + ".cfg", "-o", path, "-q"], 1, folder)
            expect(name, done.returncode == 0, done.stderr)
            with h5py.File(path) as file:
                if name == "tension":
                    check_avalanches(name, file, lambda events, strain: YOUNG * strain)
                    work_by_hand(name, file)
                    check_statistics(name, file)
                else:  # the spring's half of the stiffness, then the whole, then none
                    ends = [segment.attrs["end_s"] for segment in file["protocol"].values()]
                    check_avalanches(name, file, lambda events, strain: strain * np.select(
                        [events["time_s"] <= ends[0], events["time_s"] <= ends[1]], [YOUNG / 2, YOUNG], 0.0))
                check_energy(name, file)
        whole = contents(path)
        done = run(["run", "actuator.cfg", "-o", "three.h5", "-q"], 3, folder)
        expect("on 3 ranks", done.returncode == 0 and contents(os.path.join(folder, "three.h5")) == whole, done.stderr)
        arguments, stops = ["run", "actuator.cfg", "-o", "stopped.h5", "-q", "--restart"], 0
        for part in range(40):
            done = stop(arguments, 150 + 50 * part, (1, 2, 1)[part % 3], folder)
            if done.returncode != 75:
                break
            stops += 1
        expect("is stopped", stops >= 2, stops)
        expect("stopped and restarted", done.returncode == 0 and contents(os.path.join(folder, "stopped.h5")) == whole,
               done.stderr)
        done = run(["run", "tension.cfg", "-o", "without.h5", "-q", "--set", "output.avalanches=false", "--set",
                    "output.statistics_strains=[]"], 1, folder)
        with h5py.File(os.path.join(folder, "without.h5")) as file:
            expect("nothing unless asked for", not {"avalanches", "correlation", "distributions"} & set(file))
            with h5py.File(os.path.join(folder, "tension.h5")) as looked:
                expect("looking changes nothing", file.attrs["state_hash"] == looked.attrs["state_hash"])
    finish()


main()
