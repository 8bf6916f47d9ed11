# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of many events: `long_run.py PROGRAM MPIRUN SOURCE_DIR [EVENTS [ENGINE [FOLDER]]]`, 200,000 of the multilevel engine
by default; an event takes 50 to 80 us. A FOLDER is kept, and what is there is gone on with.

A sample without load at 800 K goes through its states in equilibrium: no work, and an elastic energy that stays where it is,
so that nothing hides an error that adds up. What is asked:
- energy: the heat of all events, by the stress that increments have left, against the elastic energy of the fields, by transform;
- stress: what the direct engine's increments have left against the sum of the fields of single events, at every site;
- memory: constant after the first quarter;
- the first segments again, stopped and gone on with: the same rows, bit for bit, and the same hash if these are all."""
import contextlib
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

from harness import PROGRAM, SOURCE, expect, finish, run, write
from interaction import kernel

EVENTS, ENGINE, FOLDER = (sys.argv[4:] + ["200000", "multilevel", ""][len(sys.argv[4:]):])[:3]
CELLS = {"direct": 16, "multilevel": 32, "points": 32}[ENGINE]
SEGMENTS = 20
RATE = 20.0 * CELLS ** 3  # events per second of the sample, about
ENERGY_MPA = {"direct": 1e-3, "multilevel": 0.05, "points": 0.05}[ENGINE]  # in 1e6 events
MEMORY_MB = 8.0
EV_PER_NM3 = 6.2415091  # of 1 GPa, the unit of the checkpoint
STRESS_MPA = 0.01  # rms of the norm, in 1e5 events
KEPT = "kept.ckpt.h5"
AGAIN = 2_000_000  # events of the second run, at most


def protocol(segments):
    duration = float(EVENTS) / RATE / SEGMENTS
    return f"""model = "{SOURCE}/models/zr65ni35.cfg";
lattice: {{ cells = [{CELLS}, {CELLS}, {CELLS}]; }};
kmc: {{ engine = "{ENGINE}"; }};
output: {{ history_strain_step = 1.0; }};
run: {{ checkpoint_every_wall_s = {1.0 if float(EVENTS) < 1e6 else 30.0}; }};
protocol = ( {", ".join([f'{{ type = "creep"; stress_GPa = 0.0; duration_s = {duration:.6g}; temperature_K = 800.0; }}'] * segments)} );
"""


def resident(process):
    with contextlib.suppress(OSError), open(f"/proc/{process}/status", encoding="utf-8") as file:
        found = re.search(r"VmRSS:\s+(\d+) kB", file.read())
        return int(found[1]) / 1024.0 if found else 0.0
    return 0.0


def keep(path, to):
    """A checkpoint as it was last: the run takes its own away at its end."""
    with contextlib.suppress(OSError):
        if not os.path.exists(to) or not os.path.samefile(path, to):
            os.link(path, to + ".new")
            os.replace(to + ".new", to)


def whole():
    """Runs to the end; memory of the run at every tenth of a second, MB."""
    write(os.path.join(FOLDER, "long.cfg"), protocol(SEGMENTS))
    job = subprocess.Popen([PROGRAM, "run", "long.cfg", "-q", "--restart"], cwd=FOLDER, stderr=subprocess.PIPE, text=True)
    seen = []
    while job.poll() is None:
        seen.append(resident(job.pid))
        keep(os.path.join(FOLDER, "long.ckpt.h5"), os.path.join(FOLDER, KEPT))
        time.sleep(0.1)
    said = job.stderr.read()
    expect("a run of many events", job.returncode == 0, said)
    return [one for one in seen if one > 0.0]


def look_at_memory(seen):
    if len(seen) < 10:  # it was done before, or is over in a second
        return
    early, late = max(seen[:len(seen) // 4]), max(seen[:-max(5, len(seen) // 20)])  # the end writes the whole state
    print(f"memory: {early:.1f} MB in the first quarter, at most {late:.1f} MB")
    expect("memory stays", late - early < MEMORY_MB, f"{late - early:.1f} MB more")


def look_at_energy():
    with h5py.File(os.path.join(FOLDER, "long.h5")) as file:
        rows = {name: file["history"][name][()] for name in ("segment", "events", "heat_MJ_per_m3", "elastic_energy_MJ_per_m3", "work_MJ_per_m3")}
    ends = np.flatnonzero(np.append(np.diff(rows["segment"]), 1))
    energy = rows["elastic_energy_MJ_per_m3"] - rows["elastic_energy_MJ_per_m3"][0]
    error = (rows["work_MJ_per_m3"] - rows["heat_MJ_per_m3"] - energy)[ends]
    for events, internal, off in zip(rows["events"][ends], energy[ends], error):
        print(f"{events:.3g} events: elastic energy {internal:.4f} MJ/m^3, balance off by {off:+.2e}")
    events = rows["events"][ends]
    allowed = ENERGY_MPA * np.maximum(1.0, events / 1e6) ** 0.5
    expect("work, heat and elastic energy balance", (np.abs(error) < allowed).all(), f"{np.abs(error / allowed).max():.3g} of what is allowed")
    expect("events enough", events[-1] > 0.5 * float(EVENTS), f"{events[-1]:g}")
    return events[-1]


def state_hash(path):
    return re.search(r"state_hash: (\w+)", run(["info", path], cwd=FOLDER).stdout + "state_hash: none")[1]


def look_at_repeat():
    segments = int(min(SEGMENTS, max(1, AGAIN * SEGMENTS // float(EVENTS))))
    write(os.path.join(FOLDER, "again.cfg"), protocol(segments))
    for piece in itertools.count(1):
        done = run(["run", "again.cfg", "-q", "--restart", "--max-walltime", "2"], cwd=FOLDER)
        if done.returncode != 75:
            break
    expect("the first segments again", done.returncode == 0, done.stderr)
    with h5py.File(os.path.join(FOLDER, "long.h5")) as one, h5py.File(os.path.join(FOLDER, "again.h5")) as other:
        for name in other["history"]:
            again = other["history"][name][()]
            first = one["history"][name][()][:len(again)]
            expect(f"{name}: the same in {piece} pieces", first.tobytes() == again.tobytes())
        print(f"{len(again)} rows again, to {other['history/events'][-1]:.3g} events, in {piece} pieces")
    if segments == SEGMENTS:
        expect("hash in pieces", state_hash("again.h5") == state_hash("long.h5"))


def to_deviator(tensor):
    xx, yy, zz, yz, xz, xy = np.moveaxis(np.asarray(tensor), -1, 0)
    return np.stack([2 ** 0.5 * xy, 2 ** 0.5 * yz, 2 ** 0.5 * xz, (xx - yy) / 2 ** 0.5, (2 * zz - xx - yy) / 6 ** 0.5])


def kernels():
    """Stress at all sites of a strain of 1 of the first voxel, of each component of a deviator: [component][component][x][y][z]."""
    sites = [list(site) for site in itertools.product(range(CELLS), repeat=3)]
    unit = np.array([[0, 0, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 1, 0], [1, -1, 0, 0, 0, 0], [-1, -1, 2, 0, 0, 0]])
    unit = unit / np.array([2, 2, 2, 2, 6])[:, None] ** 0.5
    found = [to_deviator(kernel(FOLDER, "long.cfg", [0, 0, 0], list(strain), sites)).reshape(5, CELLS, CELLS, CELLS) for strain in unit]
    with h5py.File(os.path.join(FOLDER, "long.h5")) as file:
        share = file["config"].attrs["volume_nm3"] / file["config"].attrs["spacing_nm"] ** 3  # an event's strain is that of its STZ
    return np.array(found) / share


def fields(name):
    """Five components of a field of the kept checkpoint: [component][x][y][z]."""
    with h5py.File(os.path.join(FOLDER, KEPT)) as file:
        found = [np.frombuffer(file[f"{name}_{c}"][()].tobytes(), np.float32) for c in range(5)]
    return np.reshape(found, (5, CELLS, CELLS, CELLS)).astype(float)


def look_at_stress(events):
    """The direct engine's stress, by increments, in the last checkpoint that the run has written. The stress of the last
    event is added with the next one, so that it is left out at the site where most is missing."""
    axes = (-3, -2, -1)
    one, strain, stress = kernels(), fields("glass_plastic_strain"), fields("engine_stress") / EV_PER_NM3
    for _ in ("what is missing", "the rest"):
        exact = np.fft.ifftn(np.einsum("abxyz,axyz->bxyz", np.fft.fftn(one, axes=axes), np.fft.fftn(strain, axes=axes)), axes=axes).real
        off = 1e3 * (stress - exact)
        worst = np.unravel_index(np.argmax((off ** 2).sum(axis=0)), off.shape[1:])
        strain[(slice(None), *worst)] += 1e-3 * np.linalg.solve(one[:, :, 0, 0, 0].T, off[(slice(None), *worst)])
    rms, whole = (np.sqrt((field ** 2).sum(axis=0).mean()) for field in (off, 1e3 * exact))
    print(f"near {events:.3g} events: stress of increments off by {rms:.2g} MPa rms, at most {np.abs(off).max():.2g}, in the mean "
          f"{np.abs(off.mean(axis=axes)).max():.2g}, of {whole:.4g} MPa rms")
    allowed = STRESS_MPA * max(1.0, events / 1e5) ** 0.5
    expect("stress of increments", rms < allowed, f"{rms:.3g} MPa, allowed {allowed:.3g}")


def main():
    with contextlib.ExitStack() as stack:
        global FOLDER
        FOLDER = FOLDER or stack.enter_context(tempfile.TemporaryDirectory())
        look_at_memory(whole())
        events = look_at_energy()
        if ENGINE == "direct":
            look_at_stress(events)
        look_at_repeat()
    finish()


main()
